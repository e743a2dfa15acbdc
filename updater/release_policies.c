#include "updater/release_policies.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "model/kustomize_links.h"
#include "updater/kustomize_policies.h"

static void add(struct release_policies *out, struct workload_policy *policy)
{
    vec_grow(out->items, out->len, out->capacity);
    out->items[out->len++] = policy;
}

static bool has_tag_policy(const struct workload_policy *policy)
{
    for (size_t i = 0; i < policy->containers_len; i++) {
        if (policy->containers[i].has_tag_policy)
            return true;
    }
    return false;
}

/* What it says counts for the entries that replace its images, or for its own entries: as if it were automated. */
static bool has_a_say(const struct workload_policy *policy)
{
    bool is_held = policy->locked || policy->ignored;
    return has_tag_policy(policy) || (is_held && !resource_is_kustomization(policy->resource));
}

static void read_own(const struct manifest_set *manifests, struct release_policies *own)
{
    for (size_t i = 0; i < manifests->resources_len; i++) {
        if (!manifests->resources[i]->is_workload)
            continue;
        struct workload_policy *policy = workload_policy_new(manifests->resources[i]);
        policy->automated = policy->automated || has_a_say(policy);
        add(own, policy);
    }
}

void release_policies_read(const struct manifest_set *manifests, struct release_policies *out)
{
    CLEANUP(kustomize_links_release) struct kustomize_links links;
    CLEANUP(release_policies_release) struct release_policies own = {.items = NULL};
    *out = (struct release_policies){.items = NULL};
    read_own(manifests, &own);
    kustomize_links_find(manifests, &links);
    size_t len = 0, at = 0;
    AUTO_FREE struct workload_policy **adopted = kustomize_policies_from(&links, own.items, own.len, &len);
    for (size_t i = 0; i < own.len; i++) {
        struct workload_policy *policy = own.items[i];
        size_t first = at;
        while (at < len && adopted[at]->resource == policy->resource)
            workload_policy_drop(policy, adopted[at++]->containers[0].container);
        if (policy->containers_len || at == first)
            add(out, policy);
        else
            workload_policy_free(policy);
        while (first < at)
            add(out, adopted[first++]);
    }
}

void release_policies_release(struct release_policies *policies)
{
    free(policies->items);
}
