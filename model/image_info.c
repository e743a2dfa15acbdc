#include "model/image_info.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

const struct image_details image_details_unknown = {0};

struct repository_info *repository_info_new(const char *repository)
{
    struct repository_info *info = xcalloc(1, sizeof(*info));
    info->references = 1;
    info->repository = xstrdup(repository);
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
    free(info->names);
    free(info->offsets);
    free(info->slots);
    free(info->details);
    arena_release(&info->strings);
    free(info->etag);
    free(info->list_digest);
    free(info->repository);
    free(info);
}

void repository_info_release(struct repository_info **info)
{
    repository_info_unref(*info);
    *info = NULL;
}

/* -- reading --------------------------------------------------------------------------------------------- */

const char *repository_info_tag(const struct repository_info *info, size_t index)
{
    return info->names + info->offsets[index];
}

const struct image_details *repository_info_details(const struct repository_info *info, size_t index)
{
    uint32_t slot = info->slots ? info->slots[index] : 0;
    return slot ? &info->details[slot - 1] : &image_details_unknown;
}

struct image_info repository_info_image(const struct repository_info *info, size_t index)
{
    return (struct image_info){repository_info_tag(info, index), repository_info_details(info, index)};
}

size_t repository_info_find(const struct repository_info *info, const char *tag)
{
    size_t from = 0, to = info->images_len;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = strcmp(tag, repository_info_tag(info, middle));
        if (order == 0)
            return middle;
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return SIZE_MAX;
}

/* -- building -------------------------------------------------------------------------------------------- */

void repository_info_reserve(struct repository_info *info, size_t len)
{
    if (len <= info->offsets_capacity)
        return;
    info->offsets = xreallocarray(info->offsets, len, sizeof(*info->offsets));
    info->offsets_capacity = len;
}

static void add_name(struct repository_info *info, const char *tag, size_t size)
{
    if (size > info->names_capacity - info->names_len) {
        size_t doubled = 2 * info->names_capacity;
        info->names_capacity = doubled < info->names_len + size ? info->names_len + size : doubled;
        info->names = xreallocarray(info->names, info->names_capacity, 1);
    }
    memcpy(info->names + info->names_len, tag, size);
    info->names_len += size;
}

size_t repository_info_add(struct repository_info *info, const char *tag)
{
    if (info->names_len > UINT32_MAX) /* as when memory is at its end: limits are far below */
        abort();
    vec_grow(info->offsets, info->images_len, info->offsets_capacity);
    info->offsets[info->images_len] = (uint32_t)info->names_len;
    add_name(info, tag, strlen(tag) + 1);
    if (info->slots) {
        vec_grow(info->slots, info->images_len, info->slots_capacity);
        info->slots[info->images_len] = 0;
    }
    return info->images_len++;
}

struct image_details *repository_info_edit_details(struct repository_info *info, size_t index)
{
    if (!info->slots) {
        info->slots_capacity = info->offsets_capacity;
        info->slots = xcalloc(info->slots_capacity, sizeof(*info->slots));
    }
    if (!info->slots[index]) {
        vec_grow(info->details, info->details_len, info->details_capacity);
        info->details[info->details_len++] = image_details_unknown;
        info->slots[index] = (uint32_t)info->details_len;
    }
    return &info->details[info->slots[index] - 1];
}

static bool is_unknown(const struct image_details *details)
{
    return !details->digest && !details->created_ms && !details->checked_ms && !details->pushed_ms &&
           !details->problem && !details->platforms && !details->labels;
}

/* To be told that something is not known makes no details. */
static bool changes(const struct repository_info *info, size_t index, const char *text)
{
    return text || repository_info_details(info, index) != &image_details_unknown;
}

void repository_info_set_digest(struct repository_info *info, size_t index, const char *digest)
{
    if (changes(info, index, digest))
        repository_info_edit_details(info, index)->digest = arena_strdup(&info->strings, digest);
}

void repository_info_set_problem(struct repository_info *info, size_t index, const char *problem)
{
    if (changes(info, index, problem))
        repository_info_edit_details(info, index)->problem = arena_strdup(&info->strings, problem);
}

void repository_info_set_platforms(struct repository_info *info, size_t index, const char *platforms)
{
    if (changes(info, index, platforms))
        repository_info_edit_details(info, index)->platforms = arena_strdup(&info->strings, platforms);
}

void repository_info_set_labels(struct repository_info *info, size_t index, const char *labels)
{
    if (changes(info, index, labels))
        repository_info_edit_details(info, index)->labels = arena_strdup(&info->strings, labels);
}

void repository_info_copy_details(struct repository_info *info, size_t index,
                                  const struct image_details *from)
{
    if (is_unknown(from) && !changes(info, index, NULL))
        return;
    *repository_info_edit_details(info, index) = (struct image_details){
        .digest = arena_strdup(&info->strings, from->digest),
        .created_ms = from->created_ms,
        .is_undated = from->is_undated,
        .checked_ms = from->checked_ms,
        .pushed_ms = from->pushed_ms,
        .problem = arena_strdup(&info->strings, from->problem),
        .platforms = arena_strdup(&info->strings, from->platforms),
        .labels = arena_strdup(&info->strings, from->labels),
    };
}

void repository_info_set_etag(struct repository_info *info, const char *etag, int64_t etag_ms)
{
    char *copy = xstrdup(etag);
    free(info->etag);
    info->etag = copy;
    info->etag_ms = etag ? etag_ms : 0;
}

/* -- the end of building --------------------------------------------------------------------------------- */

struct place {
    uint32_t offset, slot;
};

/* By position among equal tags, because qsort does not promise which of them comes first. */
static int compare_places(const void *a, const void *b, void *names)
{
    uint32_t left = ((const struct place *)a)->offset, right = ((const struct place *)b)->offset;
    int order = strcmp((const char *)names + left, (const char *)names + right);
    return order ? order : (left > right) - (left < right);
}

static bool is_sorted(const struct repository_info *info)
{
    for (size_t i = 1; i < info->images_len; i++) {
        if (strcmp(repository_info_tag(info, i - 1), repository_info_tag(info, i)) >= 0)
            return false;
    }
    return true;
}

/* Names and details stay where they are: what is sorted is where they are, as memory is what limits long lists. */
static void sort(struct repository_info *info)
{
    AUTO_FREE struct place *places = xcalloc(info->images_len, sizeof(*places));
    for (size_t i = 0; i < info->images_len; i++)
        places[i] = (struct place){info->offsets[i], info->slots ? info->slots[i] : 0};
    qsort_r(places, info->images_len, sizeof(*places), compare_places, info->names);
    size_t kept = 0;
    for (size_t i = 0; i < info->images_len; i++) {
        if (kept && !strcmp(repository_info_tag(info, kept - 1), info->names + places[i].offset))
            continue;
        info->offsets[kept] = places[i].offset;
        if (info->slots)
            info->slots[kept] = places[i].slot;
        kept++;
    }
    info->images_len = kept;
}

/* The array with room for exactly so many; one without any is given back whole. */
static void *fit(void *items, size_t len, size_t *capacity, size_t size)
{
    if (len == *capacity)
        return items;
    *capacity = len;
    if (len)
        return xreallocarray(items, len, size);
    free(items);
    return NULL;
}

void repository_info_finish(struct repository_info *info)
{
    if (!is_sorted(info)) /* most registries list in this order already */
        sort(info);
    size_t len = info->images_len;
    info->names = fit(info->names, info->names_len, &info->names_capacity, 1);
    info->offsets = fit(info->offsets, len, &info->offsets_capacity, sizeof(*info->offsets));
    if (info->slots)
        info->slots = fit(info->slots, len, &info->slots_capacity, sizeof(*info->slots));
    info->details = fit(info->details, info->details_len, &info->details_capacity, sizeof(*info->details));
}

static void *copy_of(const void *items, size_t size)
{
    return size ? memcpy(xmalloc(size), items, size) : NULL;
}

struct repository_info *repository_info_copy_tags(const struct repository_info *from)
{
    struct repository_info *info = repository_info_new(from->repository);
    info->names = copy_of(from->names, from->names_len);
    info->names_len = info->names_capacity = from->names_len;
    info->offsets = copy_of(from->offsets, from->images_len * sizeof(*from->offsets));
    info->images_len = info->offsets_capacity = from->images_len;
    return info;
}

struct repository_info *repository_info_copy(const struct repository_info *from)
{
    struct repository_info *info = repository_info_copy_tags(from);
    for (size_t i = 0; from->details_len && i < from->images_len; i++)
        repository_info_copy_details(info, i, repository_info_details(from, i));
    repository_info_set_etag(info, from->etag, from->etag_ms);
    repository_info_finish(info);
    info->list_digest = xstrdup(from->list_digest);
    info->key_sum = from->key_sum;
    info->scanned_ms = from->scanned_ms;
    info->is_truncated = from->is_truncated;
    info->is_label_dated = from->is_label_dated;
    info->has_no_page_size = from->has_no_page_size;
    info->has_push_times = from->has_push_times;
    info->is_shrunken = from->is_shrunken;
    info->shrunken_len = from->shrunken_len;
    info->shrunken_ms = from->shrunken_ms;
    return info;
}
