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

bool image_filter_dates_by_labels(const struct image_filter *filter, const char *repository)
{
    return filter->use_labels && any_glob_matches(filter->use_labels, repository);
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

/* What a policy has to know of the tags that it matches. */
static unsigned wants_of(const struct tag_policy *policy)
{
    return tag_policy_needs_created(policy) ? DEMAND_CREATED : 0;
}

static void add_question(struct repository_demand *item, const struct tag_policy *policy, unsigned wants)
{
    for (size_t i = 0; i < item->questions_len; i++) {
        if (!strcmp(tag_policy_text(item->questions[i].policy), tag_policy_text(policy))) {
            item->questions[i].wants |= wants;
            return;
        }
    }
    struct tag_policy *copy = tag_policy_new(tag_policy_text(policy), NULL);
    if (!copy)
        return;
    vec_grow(item->questions, item->questions_len, item->questions_capacity);
    item->questions[item->questions_len++] = (struct tag_question){copy, wants};
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
        item->dates_by_labels = image_filter_dates_by_labels(filter, repository);
        if (wants_of(each->policy))
            add_question(item, each->policy, wants_of(each->policy));
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
        for (size_t k = 0; k < set->items[i].questions_len; k++)
            tag_policy_free(set->items[i].questions[k].policy);
        free(set->items[i].questions);
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

static unsigned wants(const char *tag, void *context)
{
    const struct repository_demand *item = context;
    unsigned all = 0;
    for (size_t i = 0; i < item->questions_len; i++) {
        const struct tag_question *question = &item->questions[i];
        if ((question->wants & ~all) && tag_policy_match(question->policy, tag) == TAG_MATCHES)
            all |= question->wants;
    }
    return all;
}

struct demand demand_of(const struct repository_demand *item)
{
    union {
        const struct repository_demand *in;
        void *out;
    } context = {.in = item};
    return (struct demand){.repository = item->repository,
                           .wants = item->questions_len ? wants : NULL,
                           .context = context.out,
                           .dates_by_labels = item->dates_by_labels};
}

void demand_add_text(const struct repository_demand *item, struct strbuf *out)
{
    for (size_t i = 0; i < item->questions_len; i++)
        strbuf_addf(out, "%u %s\n", item->questions[i].wants, tag_policy_text(item->questions[i].policy));
}
