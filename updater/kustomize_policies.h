/*
 * Policies of kustomizations. An automated kustomization has its own, by its annotations, and so has an entry with a
 * marker; other entries have those of the automated workloads whose images they replace: each workload then decides
 * for the entry what it would have decided for its own image, with its locks and all else it says. Its own field is
 * not edited, since what is written there does not reach the cluster; nor is that of an entry which another further up overrides. A lock of the kustomization holds all its entries.
 *
 * An automated kustomization that says nothing of the tags of an entry gets the tag policy of the workload behind it, automated
 * or not: `pawl automate` must not mean any newest tag.
 *
 * Where more than one workload is behind an entry, one that may not be changed decides (it holds the entry), else the
 * first; two with different tag policies block it.
 */
#ifndef UPDATER_KUSTOMIZE_POLICIES_H
#define UPDATER_KUSTOMIZE_POLICIES_H

#include <stddef.h>

#include "model/kustomize_links.h"
#include "updater/workload_policy.h"

/*
 * The policies that workloads give to kustomizations' entries: `*len` of them, to be freed like the others (each with
 * workload_policy_free, and the array). `policies`, in the order of the set, are those of the set's workloads; of
 * containers that are overridden they are told by which entry, and those of automated kustomizations are completed.
 */
struct workload_policy **kustomize_policies_from(const struct kustomize_links *links,
                                                 struct workload_policy *const *policies, size_t policies_len,
                                                 size_t *len);

#endif
