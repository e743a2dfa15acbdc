#include "daemon/demand_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "updater/glob.h"

static bool any_glob_matches(const struct strvec *globs, const char *text)
{
    for (size_t i = 0; i < globs->len; i++) {
        if (glob_match(globs->items[i], text))
            return true;
    }
    return false;
}

bool image_filter_allows(const struct image_filter *filter, const char *repository)
{
    return !any_glob_matches(filter->exclude, repository) &&
           (!filter->include->len || any_glob_matches(filter->include, repository));
}

ptrdiff_t demand_set_find(const struct demand_set *set, const char *repository)
{
    for (size_t i = 0; i < set->len; i++) {
        if (!strcmp(set->items[i].repository, repository))
            return (ptrdiff_t)i;
    }
    return -1;
}

static struct repository_demand *item_for(struct demand_set *set, struct strmap *index,
                                          const char *repository)
{
    const size_t *at = strmap_get(index, repository);
    if (at)
        return &set->items[*at];
    size_t *new_at = xmalloc(sizeof(*new_at));
    *new_at = set->len;
    strmap_set(index, repository, new_at);
    vec_grow(set->items, set->len, set->capacity);
    struct repository_demand *item = &set->items[set->len++];
    *item = (struct repository_demand){.repository = xstrdup(repository)};
    return item;
}

static void add_dated(struct repository_demand *item, const struct tag_policy *policy)
{
    for (size_t i = 0; i < item->dated_len; i++) {
        if (!strcmp(tag_policy_text(item->dated[i]), tag_policy_text(policy)))
            return;
    }
    struct tag_policy *copy = tag_policy_new(tag_policy_text(policy), NULL);
    if (!copy)
        return;
    vec_grow(item->dated, item->dated_len, item->dated_capacity);
    item->dated[item->dated_len++] = copy;
}

static void add_workload(struct demand_set *set, struct strmap *index, const struct workload_policy *policy,
                         const struct image_filter *filter)
{
    for (size_t i = 0; i < policy->containers_len; i++) {
        const struct container_policy *each = &policy->containers[i];
        if (!each->container->image.text || !each->policy)
            continue;
        AUTO_FREE char *repository = image_ref_repository(&each->container->image);
        if (!image_filter_allows(filter, repository))
            continue;
        struct repository_demand *item = item_for(set, index, repository);
        if (tag_policy_needs_created(each->policy))
            add_dated(item, each->policy);
    }
}

struct demand_set *demand_set_from(struct workload_policy *const *policies, size_t len,
                                   const struct image_filter *filter)
{
    struct demand_set *set = xcalloc(1, sizeof(*set));
    set->references = 1;
    CLEANUP(strmap_release) struct strmap index = {.free_value = free};
    for (size_t i = 0; i < len; i++) {
        const struct workload_policy *policy = policies[i];
        if (policy->automated && !policy->ignored && !policy->blocked && !policy->resource->is_duplicate)
            add_workload(set, &index, policy, filter);
    }
    return set;
}

struct demand_set *demand_set_ref(struct demand_set *set)
{
    __atomic_add_fetch(&set->references, 1, __ATOMIC_RELAXED);
    return set;
}

void demand_set_unref(struct demand_set *set)
{
    if (!set || __atomic_sub_fetch(&set->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < set->len; i++) {
        for (size_t k = 0; k < set->items[i].dated_len; k++)
            tag_policy_free(set->items[i].dated[k]);
        free(set->items[i].dated);
        free(set->items[i].repository);
    }
    free(set->items);
    free(set);
}

void demand_set_release(struct demand_set **set)
{
    demand_set_unref(*set);
    *set = NULL;
}

static bool wants_created(const char *tag, void *context)
{
    const struct repository_demand *item = context;
    for (size_t i = 0; i < item->dated_len; i++) {
        if (tag_policy_match(item->dated[i], tag) == TAG_MATCHES)
            return true;
    }
    return false;
}

struct demand demand_of(const struct repository_demand *item)
{
    union {
        const struct repository_demand *in;
        void *out;
    } context = {.in = item};
    return (struct demand){.repository = item->repository,
                           .wants_created = item->dated_len ? wants_created : NULL,
                           .context = context.out};
}
