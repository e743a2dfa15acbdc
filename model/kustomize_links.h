/*
 * Which entries of kustomizations stand for which containers: an entry of `images:` replaces the image of every
 * container below the kustomization that is written with the entry's name, as kustomize does it: in lists called
 * `containers` and `initContainers`, and of image volumes; not ephemeral containers, the values of a HelmRelease, or
 * what else has a marker.
 *
 * Followed are `resources`, `bases` and `components`, as far as they are in the set: files, and directories with a
 * kustomization, whose own images rename on the way up. Those of a component are for all that the kustomization which
 * names it has by then. Of several entries for one container the last with a tag or digest counts. What is not in the
 * set (remote bases, paths outside the configured ones) is passed over, and a cycle ends where it closes. What patches
 * and generators say is not read.
 */
#ifndef MODEL_KUSTOMIZE_LINKS_H
#define MODEL_KUSTOMIZE_LINKS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/manifest.h"

struct kustomize_link {
    const struct resource *kustomization; /* of the set, as the workload */
    size_t entry;                         /* among the kustomization's containers */
    const struct resource *workload;
    size_t container; /* among the workload's */
    /* The entry further up that says the tag in place of this one wherever this is rendered; NULL: none does. */
    const struct resource *over;
    size_t over_entry;
    bool says_tag; /* the entry has a tag or a digest */
    bool
        is_partial; /* a kustomization that no other has below it renders the container without any entry: what is
                         written there reaches a cluster, too */
};

struct kustomize_links {
    struct kustomize_link
        *items; /* in the order of the set's kustomizations, of their entries, then of workloads */
    size_t len, capacity;
    bool is_cut; /* there was more to follow than LIMIT_KUSTOMIZE_STEPS; nothing is linked then */
};

/* All links of a finished set. Costs nothing where there is no kustomization with images. */
void kustomize_links_find(const struct manifest_set *set, struct kustomize_links *out);
void kustomize_links_release(struct kustomize_links *links);

/* True for a resource that stands for a kustomization's images. */
bool resource_is_kustomization(const struct resource *resource);

#endif
