#include <stdlib.h>

#include "base/alloc.h"
#include "updater/choose.h"
#include "updater/tag_order.h"

/* A tag with what it compares by, so that sorting reads no tag twice. */
struct entry {
    struct ranked_tag tag;
    struct tag_key key;
};

struct order {
    const struct tag_policy *policy; /* NULL: natural */
    bool in_groups;
};

static int group_of(const struct ranked_tag *tag)
{
    return tag->match != TAG_MATCHES ? 2 : tag->is_undated;
}

static int compare_entries(const void *left, const void *right, void *context)
{
    const struct entry *a = *(const struct entry *const *)left, *b = *(const struct entry *const *)right;
    const struct order *order = context;
    int groups = order->in_groups ? group_of(&a->tag) - group_of(&b->tag) : 0;
    if (groups)
        return groups;
    if (!order->policy)
        return tag_compare_natural(b->tag.image.tag, a->tag.image.tag);
    return tag_policy_compare_keys(order->policy, &b->key, &a->key);
}

static void read_entry(struct entry *entry, struct image_info image, const struct tag_policy *policy)
{
    *entry = (struct entry){.tag = {.image = image}, .key = TAG_KEY_INIT};
    if (!policy)
        return;
    entry->tag.match = tag_policy_read(policy, &image, &entry->key);
    entry->tag.is_undated =
        tag_policy_needs_created(policy) && entry->tag.match == TAG_MATCHES && image.details->created_ms == 0;
}

struct sorted {
    struct entry *entries;
    struct entry **in_order;
    size_t len;
};

static void sort_entries(struct sorted *sorted, const struct repository_info *info, struct order order)
{
    sorted->len = info->images_len;
    sorted->entries = xcalloc(sorted->len + 1, sizeof(*sorted->entries));
    sorted->in_order = xcalloc(sorted->len + 1, sizeof(*sorted->in_order));
    for (size_t i = 0; i < sorted->len; i++) {
        read_entry(&sorted->entries[i], repository_info_image(info, i), order.policy);
        sorted->in_order[i] = &sorted->entries[i];
    }
    qsort_r(sorted->in_order, sorted->len, sizeof(struct entry *), compare_entries, &order);
}

static void sorted_release(struct sorted *sorted)
{
    for (size_t i = 0; i < sorted->len; i++)
        tag_key_release(&sorted->entries[i].key);
    free(sorted->in_order);
    free(sorted->entries);
}

struct ranked_tag *rank_tags(const struct repository_info *info, const struct tag_policy *policy)
{
    CLEANUP(sorted_release) struct sorted sorted = {.len = 0};
    sort_entries(&sorted, info, (struct order){.policy = policy, .in_groups = true});
    struct ranked_tag *tags = xcalloc(sorted.len + 1, sizeof(*tags));
    for (size_t i = 0; i < sorted.len; i++)
        tags[i] = sorted.in_order[i]->tag;
    return tags;
}

struct image_info *sort_images(const struct repository_info *info, const struct tag_policy *policy)
{
    CLEANUP(sorted_release) struct sorted sorted = {.len = 0};
    sort_entries(&sorted, info, (struct order){.policy = policy, .in_groups = false});
    struct image_info *images = xcalloc(sorted.len + 1, sizeof(*images));
    for (size_t i = 0; i < sorted.len; i++)
        images[i] = sorted.in_order[i]->tag.image;
    return images;
}
