/*
 * The policies that a release goes by: those of rounds. An entry of a kustomization has its own if the kustomization has one
 * for it, else that of the workload whose image it replaces (updater/kustomize_policies.h), with its locks; and what is
 * overridden there is told so. Other than in rounds, a workload need not be automated for that: it is enough if it has a tag
 * policy, or is locked or to be ignored.
 */
#ifndef UPDATER_RELEASE_POLICIES_H
#define UPDATER_RELEASE_POLICIES_H

#include <stddef.h>

#include "model/manifest.h"
#include "updater/workload_policy.h"

/* In the order of the manifests; those of one resource side by side, and each of its containers in one of them. */
struct release_policies {
    struct workload_policy **items;
    size_t len, capacity;
};
void release_policies_read(const struct manifest_set *manifests, struct release_policies *out);
/* The array alone: the policies are whoever's takes them. */
void release_policies_release(struct release_policies *policies);

#endif
