/*
 * Policies of a workload as changes to its annotations: which keys are written.
 *
 * A policy that is there already, under whatever prefix, is changed where it counts (updater/policy_key.h). A new one
 * gets fluxcd.io/ if it is one of Flux v1's, so that its users and tools know it, and pawl.dev/ if it is ours. Removed
 * is every annotation of the policy: else another prefix would come into force.
 */
#ifndef UPDATER_POLICY_EDIT_H
#define UPDATER_POLICY_EDIT_H

#include <stddef.h>

#include "base/attr.h"
#include "updater/annotation_edit.h"

struct policy_change {
    char *policy; /* without prefix: "locked", "tag.app", "min-age.app"; owned */
    char *value;  /* NULL: the policy is removed; owned */
};

/* Zero is empty. */
struct policy_changes {
    struct policy_change *items;
    size_t len, capacity;
};
/* Copies. A later change of a policy takes the place of an earlier one. */
void policy_changes_set(struct policy_changes *changes, const char *policy, const char *value);
/* NULL if the policy is not among them. */
const struct policy_change *policy_changes_find(const struct policy_changes *changes, const char *policy);
void policy_changes_release(struct policy_changes *changes);

/* As annotation_edit, for the resource's policies. */
int policy_edit(const struct resource *resource, const struct policy_changes *changes, struct strbuf *out,
                struct error *err) MUST_CHECK;

#endif
