/*
 * What a workload's annotations ask for: automated or not, locked, ignored, and a tag policy per container.
 *
 * Which key is which policy, and which of two counts, is in updater/policy_key.h. Booleans hold only when
 * the value is exactly "true", as in Flux v1; ignore: sync_only is no ignore here. A pawl.dev/ key that this
 * version does not know blocks the workload, since passing over it could mean an update that its owner
 * forbade. A marker (model/manifest_markers.h) automates its container and is its policy; locks and ignore hold it as
 * all others, and an annotation that says something else is a warning. What looks like a slip is a warning: two prefixes that disagree, a boolean that is neither true
 * nor false, a policy for a container that is not there.
 */
#ifndef UPDATER_WORKLOAD_POLICY_H
#define UPDATER_WORKLOAD_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/manifest.h"
#include "updater/tag_policy.h"

struct container_policy {
    const struct container *container; /* borrowed */
    struct tag_policy *policy;         /* glob:* if none is given; NULL if it does not compile */
    struct error problem;              /* why it does not: "policy semver:foo: …" */
    const char *
        base_tag; /* of an image that does not say its own: that of the workload below; NULL: none. Borrowed */
    char *overridden; /* the place of the kustomization's entry that replaces this image; NULL: none */
    int line;         /* of the annotation or marker; of the object if there is none */
};

struct workload_policy {
    const struct resource *resource; /* borrowed, as the next */
    const struct resource
        *origin; /* whose annotations and pull secrets these are: the resource itself, or the workload
                                      behind a kustomization's entry */
    bool automated, locked, ignored;
    const char *locked_user, *locked_message; /* borrowed; NULL if not given */
    char *blocked;                            /* why nothing may be done to the workload; NULL: nothing */
    int blocked_line;
    bool is_blocked_here; /* because of two workloads behind one entry (updater/kustomize_policies.h) */
    char *warning;        /* what looks like slips, joined by "; "; NULL: nothing */
    int warning_line;     /* of the first */
    struct container_policy *containers; /* one per container of the resource, in its order */
    size_t containers_len;
};

/* Never fails: what cannot be read blocks, and says why. */
struct workload_policy *workload_policy_new(const struct resource *resource);
void workload_policy_free(struct workload_policy *policy);

/* Drops all containers but the index-th, which is then the first and only one. Borrowed. */
struct container_policy *workload_policy_keep(struct workload_policy *policy, size_t index);

/* True if the index-th container is automated, by the workload's annotation or by a marker of its own. */
bool workload_policy_automates(const struct workload_policy *policy, size_t index);
/* True if any of its containers is. */
bool workload_policy_is_active(const struct workload_policy *policy);

/* True if the object is marked to be left alone altogether: not edited, not applied. */
bool resource_is_ignored(const struct resource *resource);

#endif
