#include "scanner/detail_order.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"

struct order {
    const struct repository_info *info;
    const struct demand *demand;
};

static int compare(const void *a, const void *b, void *context)
{
    const struct order *order = context;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    bool left_known = repository_info_details(order->info, left)->digest != NULL;
    bool right_known = repository_info_details(order->info, right)->digest != NULL;
    if (left_known != right_known)
        return left_known ? -1 : 1;
    return order->demand->before(repository_info_tag(order->info, left),
                                 repository_info_tag(order->info, right));
}

uint32_t *detail_order(const struct repository_info *info, const struct demand *demand)
{
    if (!demand->before)
        return NULL;
    uint32_t *indices = xcalloc(info->images_len + 1, sizeof(*indices));
    for (uint32_t i = 0; i < info->images_len; i++)
        indices[i] = i;
    struct order order = {info, demand};
    qsort_r(indices, info->images_len, sizeof(*indices), compare, &order);
    return indices;
}
