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

static bool is_same_tags(const struct container_policy *a, const struct container_policy *b)
{
    return a->policy && b->policy ? tag_policy_equals(a->policy, b->policy) : a->policy == b->policy;
}

/* Whether both ask the same of an image. */
static bool is_same_policy(const struct container_policy *a, const struct container_policy *b)
{
    return is_same_tags(a, b) && a->digest == b->digest && a->min_age_ms == b->min_age_ms &&
           a->allows_downgrade == b->allows_downgrade && is_same_list(&a->platforms, &b->platforms);
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

static char *describe_difference(const struct kustomize_link *link, const struct kustomize_link *other)
{
    AUTO_FREE char *a = resource_id_text(&link->workload->id), *b = resource_id_text(&other->workload->id);
    return xasprintf("%s and %s, whose images container %s stands for, have different policies; annotate "
                     "the kustomization",
                     a, b, link->kustomization->containers[link->entry].name);
}

static void block(struct workload_policy *policy, const struct kustomize_link *link,
                  const struct kustomize_link *other)
{
    free(policy->blocked);
    policy->blocked = describe_difference(link, other);
    policy->blocked_line = link->kustomization->containers[link->entry].line;
    policy->is_blocked_here = true;
}

static char *place_of(const struct resource *kustomization, size_t entry)
{
    return xasprintf("%s:%d", kustomization->file->path, kustomization->containers[entry].line);
}

static void tell_overridden(const struct adoption *a, const struct kustomize_link *link)
{
    struct workload_policy *policy = policy_of(a, link->workload);
    if (policy && !link->is_partial && !policy->containers[link->container].overridden)
        policy->containers[link->container].overridden = place_of(link->kustomization, link->entry);
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

/* True if the kustomization says nothing of which tags its entry may have, nor of their order. */
static bool is_silent(const struct container_policy *own)
{
    return !own->has_tag_policy && own->policy && !strcmp(tag_policy_order(own->policy), "newest") &&
           own->digest != DIGEST_FOLLOW;
}

static const struct container_policy *tag_policy_behind(const struct adoption *a,
                                                        const struct kustomize_link *link)
{
    const struct workload_policy *policy = policy_of(a, link->workload);
    bool has_one = policy && policy->containers[link->container].has_tag_policy;
    return has_one ? &policy->containers[link->container] : NULL;
}

static void take_tag_policy(struct container_policy *own, const struct container_policy *from,
                            const struct kustomize_link *link)
{
    AUTO_FREE char *giver = resource_id_text(&link->workload->id);
    tag_policy_free(own->policy);
    own->policy = from->policy ? tag_policy_copy(from->policy) : NULL;
    own->problem = from->problem ? xasprintf("%s: %s", giver, from->problem) : NULL;
    own->has_tag_policy = true;
}

static void refuse_tag_policies(struct container_policy *own, const struct kustomize_link *link,
                                const struct kustomize_link *other)
{
    tag_policy_free(own->policy);
    free(own->problem);
    own->policy = NULL;
    own->problem = describe_difference(link, other);
}

/* An automated kustomization: which tags its entry may have is the workloads' to say where it does not say so itself. */
static void complete_own(const struct adoption *a, struct workload_policy *policy,
                         const struct kustomize_link *links, size_t len)
{
    struct container_policy *own = &policy->containers[links->entry];
    const struct image_ref *below = &links->workload->containers[links->container].image;
    const struct kustomize_link *giver = NULL;
    bool takes = is_silent(own);
    own->base_tag = below->tag ? below->tag : "latest";
    for (size_t i = 0; takes && i < len; i++) {
        const struct container_policy *from = tag_policy_behind(a, &links[i]);
        if (from && giver && !is_same_tags(from, tag_policy_behind(a, giver))) {
            refuse_tag_policies(own, giver, &links[i]);
            return;
        }
        if (from && !giver) {
            take_tag_policy(own, from, &links[i]);
            giver = &links[i];
        }
    }
}

/* Whether what the entry says reaches a cluster from a workload that has a policy for it. */
static bool is_effective(const struct adoption *a, const struct kustomize_link *links, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!links[i].over && giver_of(a, &links[i]))
            return true;
    }
    return false;
}

/* The links [first, end) are of one entry. */
static void adopt_entry(struct adoption *a, const struct kustomize_link *links, size_t len)
{
    struct workload_policy *own = policy_of(a, links->kustomization);
    bool has_own = own && workload_policy_automates(own, links->entry);
    bool is_live = is_effective(a, links, len);
    const struct kustomize_link *chosen = NULL, *differing = NULL;
    if (has_own)
        complete_own(a, own, links, len);
    for (size_t i = 0; i < len; i++) {
        const struct workload_policy *giver = giver_of(a, &links[i]);
        if (!giver || (links[i].over && (is_live || !links[i].says_tag)))
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
    if (chosen->over)
        a->adopted[a->len]->containers[0].overridden = place_of(chosen->over, chosen->over_entry);
    if (own)
        take_own_hold(a->adopted[a->len], own);
    if (differing && !chosen->over)
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
