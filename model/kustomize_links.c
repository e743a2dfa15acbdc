#include "model/kustomize_links.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strmap.h"
#include "model/kustomize_path.h"

#define NO_LINK SIZE_MAX

/* A container on its way up, and the name that its image has there. */
struct reached {
    const struct resource *workload;
    size_t container;
    const char *name;
    size_t name_len;
    bool is_replaced; /* an entry was for it */
    size_t link;      /* of the last of them, or NO_LINK */
};

struct reached_list {
    struct reached *items;
    size_t len, capacity;
};

struct source {
    const struct manifest_file *file;
    struct resource **resources; /* of the file, in the set */
    size_t len;
    bool is_below;   /* another kustomization has it */
    bool is_open;    /* it is being followed */
    bool is_visited; /* it has been followed */
};

/* Containers that reach a top as they are written. */
struct plain_list {
    const struct container **items;
    size_t len, capacity;
};

struct following {
    struct strmap sources; /* path -> struct source */
    struct kustomize_links *links;
    struct plain_list plain;
    size_t steps;
    bool is_cut;
};

bool resource_is_kustomization(const struct resource *resource)
{
    return !resource->is_applied && !resource->is_patch && strcmp(resource->kind, "File") != 0;
}

static bool is_kustomization(const struct source *source)
{
    return source->file->below_len || manifest_path_is_kustomization(source->file->path);
}

/* The kustomization of a directory, or NULL. */
static struct source *kustomization_in(const struct following *f, const char *directory)
{
    static const char *const names[] = {"kustomization.yaml", "kustomization.yml", "Kustomization"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_FREE char *path = kustomize_path_join(directory, names[i]);
        struct source *source = strmap_get(&f->sources, path);
        if (source)
            return source;
    }
    return NULL;
}

/* What an item of `below` stands for: a file, or a directory's kustomization; NULL: it is not in the set. */
static struct source *source_below(const struct following *f, const struct source *source, size_t item)
{
    const char *written = source->file->below[item];
    AUTO_FREE char *directory = kustomize_path_directory(source->file->path);
    AUTO_FREE char *path = kustomize_path_join(directory, written);
    if (!path || strstr(written, "://"))
        return NULL;
    struct source *file = strmap_get(&f->sources, path);
    return file ? file : kustomization_in(f, path);
}

/* -- what a kustomization has, from the bottom up ------------------------------------------------------------ */

static void take_workloads(struct following *f, const struct source *source, struct reached_list *out)
{
    for (size_t i = 0; i < source->len; i++) {
        const struct resource *resource = source->resources[i];
        if (!resource->is_applied || resource->is_duplicate)
            continue;
        for (size_t k = 0; k < resource->containers_len; k++) {
            const struct container *container = &resource->containers[k];
            if (!container->image.text || !container->is_in_list)
                continue;
            f->steps++;
            vec_grow(out->items, out->len, out->capacity);
            out->items[out->len++] = (struct reached){.workload = resource,
                                                      .container = k,
                                                      .name = container->image.text,
                                                      .name_len = container->image.name_len,
                                                      .link = NO_LINK};
        }
    }
}

static const struct resource *images_of(const struct source *source)
{
    for (size_t i = 0; i < source->len; i++) {
        if (resource_is_kustomization(source->resources[i]))
            return source->resources[i];
    }
    return NULL;
}

static bool is_called(const struct reached *reached, const char *name)
{
    return name && strlen(name) == reached->name_len && !strncmp(name, reached->name, reached->name_len);
}

static bool says_tag(const struct container *entry)
{
    const char *tag = yaml_text(entry->tag_node), *digest = yaml_text(entry->digest_node);
    return (tag && *tag) || (digest && *digest);
}

/* What the entry before says is gone if this one has a tag, and not yet there if neither has. */
static void add_link(struct following *f, const struct resource *images, size_t entry,
                     struct reached *reached)
{
    struct kustomize_links *links = f->links;
    bool says = says_tag(&images->containers[entry]);
    if (reached->link != NO_LINK && (says || !links->items[reached->link].says_tag)) {
        links->items[reached->link].over = images;
        links->items[reached->link].over_entry = entry;
    }
    reached->link = links->len;
    vec_grow(links->items, links->len, links->capacity);
    links->items[links->len++] = (struct kustomize_link){.kustomization = images,
                                                         .entry = entry,
                                                         .workload = reached->workload,
                                                         .container = reached->container,
                                                         .says_tag = says};
}

/* Entries apply one after the other, each to the name that those before it gave; the last that says a tag counts. */
static void apply_images(struct following *f, const struct resource *images, struct reached *reached)
{
    size_t counts = SIZE_MAX;
    for (size_t k = 0; k < images->containers_len; k++) {
        const struct container *entry = &images->containers[k];
        f->steps++;
        if (!is_called(reached, entry->entry_name))
            continue;
        if (counts == SIZE_MAX || says_tag(entry))
            counts = k;
        if (entry->is_name_fixed || !entry->image_node)
            continue;
        reached->name = entry->image_node->value;
        reached->name_len = entry->image_node->value_len;
    }
    if (counts == SIZE_MAX || images->is_duplicate)
        return;
    reached->is_replaced = true;
    add_link(f, images, counts, reached);
}

static void follow(struct following *f, struct source *source, unsigned depth, struct reached_list *out);

static void follow_into(struct following *f, struct source *source, unsigned depth, struct reached_list *out)
{
    struct reached_list own = {.items = NULL};
    follow(f, source, depth, &own);
    for (size_t i = 0; i < own.len; i++) {
        vec_grow(out->items, out->len, out->capacity);
        out->items[out->len++] = own.items[i];
    }
    f->steps += own.len;
    free(own.items);
}

static void follow_item(struct following *f, const struct source *source, size_t item, unsigned depth,
                        struct reached_list *out)
{
    struct source *below = source_below(f, source, item);
    if (!below || below->is_open)
        return;
    if (!is_kustomization(below))
        take_workloads(f, below, out);
    else if (item >= source->file->components_at)
        follow(f, below, depth + 1, out); /* a component's images are for all that is there by then */
    else
        follow_into(f, below, depth + 1, out);
}

static bool is_over(struct following *f)
{
    f->is_cut = f->is_cut || f->steps > LIMIT_KUSTOMIZE_STEPS;
    return f->is_cut;
}

/* Adds to `out` what the kustomization has, and applies its images to all of it. */
static void follow(struct following *f, struct source *source, unsigned depth, struct reached_list *out)
{
    if (depth > LIMIT_KUSTOMIZE_DEPTH) {
        f->is_cut = true;
        return;
    }
    source->is_open = source->is_visited = true;
    for (size_t i = 0; i < source->file->below_len && !is_over(f); i++) {
        f->steps++;
        follow_item(f, source, i, depth, out);
    }
    const struct resource *images = images_of(source);
    for (size_t i = 0; images && i < out->len && !is_over(f); i++)
        apply_images(f, images, &out->items[i]);
    source->is_open = false;
}

/* -- all of a set -------------------------------------------------------------------------------------------- */

/* The set's resources lie in the order of its files. */
static void index_files(struct following *f, const struct manifest_set *set)
{
    strmap_init(&f->sources, free);
    for (size_t i = 0, first = 0, end; i < set->files_len; i++, first = end) {
        for (end = first; end < set->resources_len && set->resources[end]->file == set->files[i];)
            end++;
        struct source *source = xcalloc(1, sizeof(*source));
        *source =
            (struct source){.file = set->files[i], .resources = set->resources + first, .len = end - first};
        strmap_set(&f->sources, set->files[i]->path, source);
    }
}

static void find_tops(struct following *f, const struct manifest_set *set)
{
    for (size_t i = 0; i < set->files_len; i++) {
        const struct source *source = strmap_get(&f->sources, set->files[i]->path);
        for (size_t k = 0; k < source->file->below_len; k++) {
            struct source *below = source_below(f, source, k);
            if (below && below != source)
                below->is_below = true;
        }
    }
}

static void follow_top(struct following *f, struct source *source)
{
    struct reached_list all = {.items = NULL};
    const struct resource *images = images_of(source);
    bool is_rendered = !images || strcmp(images->kind, "Component") != 0;
    follow(f, source, 0, &all);
    for (size_t i = 0; i < all.len && is_rendered; i++) {
        if (all.items[i].is_replaced)
            continue;
        vec_grow(f->plain.items, f->plain.len, f->plain.capacity);
        f->plain.items[f->plain.len++] = &all.items[i].workload->containers[all.items[i].container];
    }
    free(all.items);
}

/* Tops first; what is then left is in circles. */
static void follow_tops(struct following *f, const struct manifest_set *set)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < set->files_len && !f->is_cut; i++) {
            struct source *source = strmap_get(&f->sources, set->files[i]->path);
            if (is_kustomization(source) && !source->is_visited && (pass || !source->is_below))
                follow_top(f, source);
        }
    }
}

static int compare_pointers(uintptr_t a, uintptr_t b)
{
    return (a > b) - (a < b);
}

static int compare_plain(const void *a, const void *b)
{
    const struct container *const *left = a, *const *right = b;
    return compare_pointers((uintptr_t)*left, (uintptr_t)*right);
}

/* A set's resources lie in one array, in its order. */
static int compare_links(const void *a, const void *b)
{
    const struct kustomize_link *left = a, *right = b;
    int order = compare_pointers((uintptr_t)left->kustomization, (uintptr_t)right->kustomization);
    if (!order)
        order = compare_pointers(left->entry, right->entry);
    if (!order)
        order = compare_pointers((uintptr_t)left->workload, (uintptr_t)right->workload);
    return order ? order : compare_pointers(left->container, right->container);
}

/* Sorted, and each once, though it was reached from several tops. */
static void put_in_order(struct following *f)
{
    struct kustomize_links *links = f->links;
    size_t len = 0;
    if (links->len)
        qsort(links->items, links->len, sizeof(*links->items), compare_links);
    if (f->plain.len)
        qsort(f->plain.items, f->plain.len, sizeof(*f->plain.items), compare_plain);
    for (size_t i = 0; i < links->len; i++) {
        struct kustomize_link *link = &links->items[i];
        if (len && !compare_links(link, &links->items[len - 1])) {
            if (!link->over)
                links->items[len - 1].over = NULL;
            continue;
        }
        const struct container *container = &link->workload->containers[link->container];
        link->is_partial = f->plain.len && bsearch(&container, f->plain.items, f->plain.len,
                                                   sizeof(*f->plain.items), compare_plain);
        links->items[len++] = *link;
    }
    links->len = len;
}

static bool has_images(const struct manifest_set *set)
{
    for (size_t i = 0; i < set->resources_len; i++) {
        if (resource_is_kustomization(set->resources[i]) && !set->resources[i]->is_duplicate)
            return true;
    }
    return false;
}

void kustomize_links_find(const struct manifest_set *set, struct kustomize_links *out)
{
    *out = (struct kustomize_links){.items = NULL};
    if (!has_images(set))
        return;
    struct following f = {.links = out};
    index_files(&f, set);
    find_tops(&f, set);
    follow_tops(&f, set);
    if (f.is_cut)
        kustomize_links_release(out);
    else
        put_in_order(&f);
    out->is_cut = f.is_cut;
    free(f.plain.items);
    strmap_release(&f.sources);
}

void kustomize_links_release(struct kustomize_links *links)
{
    free(links->items);
    *links = (struct kustomize_links){.items = NULL};
}
