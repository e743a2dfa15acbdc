#include "model/image_info.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct repository_info *repository_info_new(const char *repository)
{
    struct repository_info *info = xcalloc(1, sizeof(*info));
    info->references = 1;
    info->repository = arena_strdup(&info->strings, repository);
    return info;
}

struct repository_info *repository_info_ref(struct repository_info *info)
{
    __atomic_fetch_add(&info->references, 1, __ATOMIC_RELAXED);
    return info;
}

/* Acquire-release: the thread that frees must see what the others did before they let go. */
void repository_info_unref(struct repository_info *info)
{
    if (!info || __atomic_sub_fetch(&info->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    free(info->images);
    arena_release(&info->strings);
    free(info);
}

void repository_info_release(struct repository_info **info)
{
    repository_info_unref(*info);
    *info = NULL;
}

void repository_info_reserve(struct repository_info *info, size_t len)
{
    if (len <= info->images_capacity)
        return;
    info->images = xreallocarray(info->images, len, sizeof(*info->images));
    info->images_capacity = len;
}

struct image_info *repository_info_add(struct repository_info *info, const char *tag)
{
    vec_grow(info->images, info->images_len, info->images_capacity);
    struct image_info *image = &info->images[info->images_len++];
    *image = (struct image_info){.tag = arena_strdup(&info->strings, tag)};
    return image;
}

void repository_info_set_digest(struct repository_info *info, struct image_info *image, const char *digest)
{
    image->digest = arena_strdup(&info->strings, digest);
}

void repository_info_set_problem(struct repository_info *info, struct image_info *image, const char *problem)
{
    image->problem = arena_strdup(&info->strings, problem);
}

void repository_info_copy_details(struct repository_info *info, struct image_info *to,
                                  const struct image_info *from)
{
    repository_info_set_digest(info, to, from->digest);
    repository_info_set_problem(info, to, from->problem);
    to->created_ms = from->created_ms;
    to->checked_ms = from->checked_ms;
}

void repository_info_set_etag(struct repository_info *info, const char *etag, int64_t etag_ms)
{
    info->etag = arena_strdup(&info->strings, etag);
    info->etag_ms = etag ? etag_ms : 0;
}

/* By position among equal tags, because qsort does not promise which of them comes first. */
static int compare_positions(const void *a, const void *b, void *images)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    const struct image_info *all = images;
    int order = strcmp(all[left].tag, all[right].tag);
    return order ? order : (left > right) - (left < right);
}

static bool is_sorted(const struct repository_info *info)
{
    for (size_t i = 1; i < info->images_len; i++) {
        if (strcmp(info->images[i - 1].tag, info->images[i].tag) >= 0)
            return false;
    }
    return true;
}

/* Moves images[order[i]] to images[i] for all i, one cycle after the other; uses up `order`. */
static void permute(struct image_info *images, uint32_t *order, size_t len)
{
    for (uint32_t start = 0; start < len; start++) {
        struct image_info first = images[start];
        uint32_t at = start;
        while (order[at] != start) {
            uint32_t from = order[at];
            images[at] = images[from];
            order[at] = at;
            at = from;
        }
        images[at] = first;
        order[at] = at;
    }
}

/* Sorts positions and not the images, which are ten times as large: memory is what limits long lists. */
static void sort_images(struct repository_info *info)
{
    AUTO_FREE uint32_t *order = xcalloc(info->images_len, sizeof(*order));
    for (uint32_t i = 0; i < info->images_len; i++)
        order[i] = i;
    qsort_r(order, info->images_len, sizeof(*order), compare_positions, info->images);
    permute(info->images, order, info->images_len);
}

static void drop_repeated(struct repository_info *info)
{
    size_t kept = 0;
    for (size_t i = 0; i < info->images_len; i++) {
        if (!kept || strcmp(info->images[kept - 1].tag, info->images[i].tag) != 0)
            info->images[kept++] = info->images[i];
    }
    info->images_len = kept;
}

void repository_info_finish(struct repository_info *info)
{
    if (!is_sorted(info)) { /* most registries list in this order already */
        sort_images(info);
        drop_repeated(info);
    }
    if (info->images_len < info->images_capacity) {
        info->images_capacity = info->images_len;
        info->images = xreallocarray(info->images, info->images_capacity, sizeof(*info->images));
    }
}

static int compare_tag(const void *tag, const void *image)
{
    return strcmp(tag, ((const struct image_info *)image)->tag);
}

const struct image_info *repository_info_find(const struct repository_info *info, const char *tag)
{
    if (!info->images_len)
        return NULL;
    return bsearch(tag, info->images, info->images_len, sizeof(*info->images), compare_tag);
}

struct repository_info *repository_info_copy(const struct repository_info *from)
{
    struct repository_info *info = repository_info_new(from->repository);
    for (size_t i = 0; i < from->images_len; i++)
        repository_info_copy_details(info, repository_info_add(info, from->images[i].tag), &from->images[i]);
    repository_info_set_etag(info, from->etag, from->etag_ms);
    repository_info_finish(info);
    info->scanned_ms = from->scanned_ms;
    info->is_truncated = from->is_truncated;
    info->is_shrunken = from->is_shrunken;
    info->shrunken_len = from->shrunken_len;
    info->shrunken_ms = from->shrunken_ms;
    return info;
}
