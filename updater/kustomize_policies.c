#include "updater/kustomize_policies.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct adoption {
    struct workload_policy *const *policies;
    size_t policies_len;
    struct workload_policy **adopted;
    size_t len, capacity;
};

/* Resources of a set lie in one array, and their policies in the same order. */
static struct workload_policy *policy_of(const struct adoption *a, const struct resource *resource)
{
    size_t low = 0, high = a->policies_len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (a->policies[middle]->resource < resource)
            low = middle + 1;
        else
            high = middle;
    }
    return low < a->policies_len && a->policies[low]->resource == resource ? a->policies[low] : NULL;
}

/* What one link would bring, or NULL: the workload is not automated. */
static struct workload_policy *giver_of(const struct adoption *a, const struct kustomize_link *link)
{
    struct workload_policy *policy = policy_of(a, link->workload);
    return policy && workload_policy_automates(policy, link->container) ? policy : NULL;
}

static bool is_held(const struct workload_policy *policy)
{
    return policy->locked || policy->ignored || policy->blocked;
}

static bool is_same_list(const struct strvec *a, const struct strvec *b)
{
    for (size_t i = 0; a->len == b->len && i < a->len; i++) {
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    }
    return a->len == b->len;
}

/* Whether both ask the same of an image. */
static bool is_same_policy(const struct container_policy *a, const struct container_policy *b)
{
    if (!a->policy || !b->policy)
        return a->policy == b->policy;
    return tag_policy_equals(a->policy, b->policy) && a->digest == b->digest &&
           a->min_age_ms == b->min_age_ms && a->allows_downgrade == b->allows_downgrade &&
           is_same_list(&a->platforms, &b->platforms);
}

/* The policy of the workload alone, for one entry of the kustomization. */
static struct workload_policy *adopt(const struct kustomize_link *link)
{
    struct workload_policy *policy = workload_policy_new(link->workload);
    struct container_policy *kept = workload_policy_keep(policy, link->container);
    const struct image_ref *own = &kept->container->image;
    kept->base_tag = own->tag ? own->tag : "latest";
    kept->container = &link->kustomization->containers[link->entry];
    policy->automated = true;
    policy->resource = link->kustomization;
    policy->origin = link->workload;
    return policy;
}

static void block(struct workload_policy *policy, const struct kustomize_link *link,
                  const struct kustomize_link *other)
{
    AUTO_FREE char *a = resource_id_text(&link->workload->id), *b = resource_id_text(&other->workload->id);
    free(policy->blocked);
    policy->blocked =
        xasprintf("%s and %s, whose images container %s stands for, have different policies; annotate "
                  "the kustomization",
                  a, b, link->kustomization->containers[link->entry].name);
    policy->blocked_line = link->kustomization->containers[link->entry].line;
    policy->is_blocked_here = true;
}

static void tell_overridden(const struct adoption *a, const struct kustomize_link *link)
{
    struct workload_policy *policy = policy_of(a, link->workload);
    const struct resource *by = link->kustomization;
    if (policy && !policy->containers[link->container].overridden)
        policy->containers[link->container].overridden =
            xasprintf("%s:%d", by->file->path, by->containers[link->entry].line);
}

/* A lock of the kustomization holds its entries, whoever decides for them; of two the one that lasts. */
static void take_own_hold(struct workload_policy *policy, const struct workload_policy *own)
{
    policy->ignored = policy->ignored || own->ignored;
    bool lasts =
        !own->locked_until_ms || (policy->locked_until_ms && own->locked_until_ms > policy->locked_until_ms);
    if (!own->locked || (policy->locked && !lasts))
        return;
    policy->locked = true;
    policy->locked_user = own->locked_user;
    policy->locked_message = own->locked_message;
    policy->locked_until_ms = own->locked_until_ms;
}

/* The links [first, end) are of one entry. */
static void adopt_entry(struct adoption *a, const struct kustomize_link *links, size_t len)
{
    const struct workload_policy *own = policy_of(a, links->kustomization);
    bool has_own = own && workload_policy_automates(own, links->entry);
    const struct kustomize_link *chosen = NULL, *differing = NULL;
    for (size_t i = 0; i < len; i++) {
        const struct workload_policy *giver = giver_of(a, &links[i]);
        if (!giver)
            continue;
        if (chosen && !is_same_policy(&policy_of(a, chosen->workload)->containers[chosen->container],
                                      &giver->containers[links[i].container]))
            differing = &links[i];
        if (!chosen || (is_held(giver) && !is_held(policy_of(a, chosen->workload))))
            chosen = &links[i];
    }
    for (size_t i = 0; i < len && (has_own || chosen); i++)
        tell_overridden(a, &links[i]);
    if (has_own || !chosen)
        return;
    vec_grow(a->adopted, a->len, a->capacity);
    a->adopted[a->len] = adopt(chosen);
    if (own)
        take_own_hold(a->adopted[a->len], own);
    if (differing)
        block(a->adopted[a->len], chosen, differing);
    a->len++;
}

struct workload_policy **kustomize_policies_from(const struct kustomize_links *links,
                                                 struct workload_policy *const *policies, size_t policies_len,
                                                 size_t *len)
{
    struct adoption a = {.policies = policies, .policies_len = policies_len};
    for (size_t first = 0, end; first < links->len; first = end) {
        const struct kustomize_link *link = &links->items[first];
        for (end = first + 1; end < links->len && links->items[end].kustomization == link->kustomization &&
                              links->items[end].entry == link->entry;)
            end++;
        adopt_entry(&a, link, end - first);
    }
    *len = a.len;
    return a.adopted;
}
