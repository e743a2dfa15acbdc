#include <stdlib.h>

#include "base/alloc.h"
#include "updater/choose.h"
#include "updater/tag_order.h"

static int group_of(const struct ranked_tag *tag)
{
    return tag->match != TAG_MATCHES ? 2 : tag->is_undated;
}

struct order {
    const struct tag_policy *policy; /* NULL: natural */
};

static int compare_ranked(const void *left, const void *right, void *context)
{
    const struct ranked_tag *a = left, *b = right;
    const struct tag_policy *policy = ((const struct order *)context)->policy;
    int groups = group_of(a) - group_of(b);
    if (groups)
        return groups;
    if (!policy)
        return tag_compare_natural(b->image.tag, a->image.tag);
    return tag_policy_compare(policy, &b->image, &a->image);
}

struct ranked_tag *rank_tags(const struct repository_info *info, const struct tag_policy *policy)
{
    struct ranked_tag *tags = xcalloc(info->images_len + 1, sizeof(*tags));
    bool needs_created = policy && tag_policy_needs_created(policy);
    for (size_t i = 0; i < info->images_len; i++) {
        struct image_info image = repository_info_image(info, i);
        tags[i].image = image;
        tags[i].match = policy ? tag_policy_match(policy, image.tag) : TAG_MATCHES;
        tags[i].is_undated = needs_created && tags[i].match == TAG_MATCHES && image.details->created_ms == 0;
    }
    struct order order = {.policy = policy};
    qsort_r(tags, info->images_len, sizeof(*tags), compare_ranked, &order);
    return tags;
}
