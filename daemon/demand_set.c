#include "daemon/demand_set.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static int compare_users(const void *a, const void *b)
{
    uintptr_t left = (uintptr_t)((const struct demand_user *)a)->container;
    uintptr_t right = (uintptr_t)((const struct demand_user *)b)->container;
    return left < right ? -1 : left > right;
}

ptrdiff_t demand_set_find(const struct demand_set *set, const struct container *container)
{
    const struct demand_user key = {.container = container};
    const struct demand_user *user =
        set->users_len ? bsearch(&key, set->users, set->users_len, sizeof(key), compare_users) : NULL;
    return user ? (ptrdiff_t)user->item : -1;
}

static char *key_of(const char *repository, const struct pull_credential *credential)
{
    return credential ? xasprintf("%s %s", repository, credential->fingerprint) : xstrdup(repository);
}

char *repository_demand_key(const struct repository_demand *item)
{
    return key_of(item->repository, item->credential);
}

/* The index of the item. */
static size_t item_for(struct demand_set *set, struct strmap *index, const char *repository,
                       struct pull_credential *credential)
{
    AUTO_FREE char *key = key_of(repository, credential);
    const size_t *at = strmap_get(index, key);
    if (at)
        return *at;
    size_t *new_at = xmalloc(sizeof(*new_at));
    *new_at = set->len;
    strmap_set(index, key, new_at);
    vec_grow(set->items, set->len, set->capacity);
    set->items[set->len] = (struct repository_demand){.repository = xstrdup(repository),
                                                      .credential = pull_credential_ref(credential)};
    return set->len++;
}

/* What a policy has to know of the tags that it matches. Of the one tag that is followed by its digest alone, nothing. */
static unsigned wants_of(const struct container_policy *policy)
{
    bool follows_tag = policy->digest == DIGEST_FOLLOW && !policy->has_tag_policy;
    return !follows_tag && tag_policy_needs_created(policy->policy) ? DEMAND_CREATED : 0;
}

static void add_question(struct repository_demand *item, const struct tag_policy *policy, unsigned wants)
{
    for (size_t i = 0; i < item->questions_len; i++) {
        if (tag_policy_equals(item->questions[i].policy, policy)) {
            item->questions[i].wants |= wants;
            return;
        }
    }
    vec_grow(item->questions, item->questions_len, item->questions_capacity);
    item->questions[item->questions_len++] = (struct tag_question){tag_policy_copy(policy), wants};
}

static void add_user(struct demand_set *set, const struct container *container, size_t item)
{
    vec_grow(set->users, set->users_len, set->users_capacity);
    set->users[set->users_len++] = (struct demand_user){container, item};
}

static bool is_asked_for(const struct strmap *index, const char *repository,
                         const struct pull_credential *credential)
{
    AUTO_FREE char *key = key_of(repository, credential);
    return strmap_has(index, key);
}

/*
 * Those that a kustomization overrides come after all others: what is written there is often a placeholder that no
 * registry has, so for their sake alone no registry is asked.
 */
static void add_workload(struct demand_set *set, struct strmap *index, const struct workload_policy *policy,
                         const struct image_filter *filter, bool overridden, struct pull_secrets *secrets)
{
    for (size_t i = 0; i < policy->containers_len; i++) {
        const struct container_policy *each = &policy->containers[i];
        if (overridden != (each->overridden && !filter->also_unautomated))
            continue;
        if (!(filter->also_unautomated || workload_policy_automates(policy, i)) ||
            !each->container->image.text || !each->policy)
            continue;
        AUTO_FREE char *repository = image_ref_repository(&each->container->image);
        if (image_filter_refusal(filter, repository))
            continue;
        CLEANUP(pull_credential_release)
        struct pull_credential *credential = pull_secrets_for(
            secrets, each->container->source ? each->container->source : policy->origin, repository);
        if (overridden && !is_asked_for(index, repository, credential))
            continue;
        size_t item = item_for(set, index, repository, credential);
        set->items[item].dates_by_labels = image_filter_dates_by_labels(filter, repository);
        set->items[item].wants_push_times |= each->min_age_ms > 0;
        add_user(set, each->container, item);
        if (wants_of(each))
            add_question(&set->items[item], each->policy, wants_of(each));
    }
}

bool workload_has_demands(const struct workload_policy *policy, const struct image_filter *filter)
{
    return (filter->also_unautomated || (workload_policy_is_active(policy) && !policy->ignored)) &&
           !policy->blocked && !policy->resource->is_duplicate;
}

struct demand_set *demand_set_from(struct workload_policy *const *policies, size_t len,
                                   const struct image_filter *filter, struct pull_secrets *secrets)
{
    struct demand_set *set = xcalloc(1, sizeof(*set));
    set->references = 1;
    CLEANUP(strmap_release) struct strmap index = {.free_value = free};
    for (int overridden = 0; overridden < 2; overridden++) {
        for (size_t i = 0; i < len; i++) {
            if (workload_has_demands(policies[i], filter))
                add_workload(set, &index, policies[i], filter, overridden, secrets);
        }
    }
    if (set->users_len)
        qsort(set->users, set->users_len, sizeof(*set->users), compare_users);
    return set;
}

static bool is_same_credential(const struct pull_credential *a, const struct pull_credential *b)
{
    return a == b || (a && b && !strcmp(a->fingerprint, b->fingerprint));
}

/* What is asked follows from the containers: they have their images and policies from one commit. */
bool demand_set_equal(const struct demand_set *a, const struct demand_set *b)
{
    if (a->len != b->len || a->users_len != b->users_len)
        return false;
    for (size_t i = 0; i < a->len; i++) {
        if (strcmp(a->items[i].repository, b->items[i].repository) != 0 ||
            !is_same_credential(a->items[i].credential, b->items[i].credential))
            return false;
    }
    for (size_t i = 0; i < a->users_len; i++) {
        if (a->users[i].container != b->users[i].container || a->users[i].item != b->users[i].item)
            return false;
    }
    return true;
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
        for (size_t k = 0; k < set->items[i].tags_len; k++)
            free(set->items[i].tags[k].tag);
        free(set->items[i].tags);
        free(set->items[i].repository);
        pull_credential_unref(set->items[i].credential);
    }
    free(set->items);
    free(set->users);
    free(set);
}

void demand_set_release(struct demand_set **set)
{
    demand_set_unref(*set);
    *set = NULL;
}

/* The place of the tag in the item's list, or where it would be. */
static size_t place_of(const struct repository_demand *item, const char *tag)
{
    size_t low = 0, high = item->tags_len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(item->tags[middle].tag, tag) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static unsigned *wants_of_tag(const struct repository_demand *item, const char *tag)
{
    size_t at = place_of(item, tag);
    return at < item->tags_len && !strcmp(item->tags[at].tag, tag) ? &item->tags[at].wants : NULL;
}

void demand_add_tag(struct repository_demand *item, const char *tag, unsigned flags)
{
    unsigned *known = wants_of_tag(item, tag);
    if (known) {
        *known |= flags;
        return;
    }
    size_t at = place_of(item, tag);
    vec_grow(item->tags, item->tags_len, item->tags_capacity);
    memmove(&item->tags[at + 1], &item->tags[at], (item->tags_len - at) * sizeof(*item->tags));
    item->tags[at] = (struct tag_want){xstrdup(tag), flags};
    item->tags_len++;
}

bool repository_demand_has_questions(const struct repository_demand *item)
{
    return item->questions_len || item->tags_len;
}

static unsigned wants(const char *tag, void *context)
{
    const struct repository_demand *item = context;
    const unsigned *alone = item->tags_len ? wants_of_tag(item, tag) : NULL;
    unsigned all = alone ? *alone : 0;
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
                           .credential = item->credential ? &item->credential->credential : NULL,
                           .wants = repository_demand_has_questions(item) ? wants : NULL,
                           .context = context.out,
                           .dates_by_labels = item->dates_by_labels,
                           .wants_push_times = item->wants_push_times};
}

void demand_add_text(const struct repository_demand *item, struct strbuf *out)
{
    for (size_t i = 0; i < item->questions_len; i++) {
        strbuf_addf(out, "%u ", item->questions[i].wants);
        tag_policy_add_identity(item->questions[i].policy, out);
        strbuf_addch(out, '\n');
    }
    for (size_t i = 0; i < item->tags_len; i++)
        strbuf_addf(out, "%u =%s\n", item->tags[i].wants, item->tags[i].tag);
    if (item->wants_push_times)
        strbuf_addstr(out, "push times\n");
}
