#include "model/kustomize_links.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "base/strmap.h"

/* A container on its way up, and the name that its image has there. */
struct reached {
    const struct resource *workload;
    size_t container;
    const char *name;
    size_t name_len;
};

struct reached_list {
    struct reached *items;
    size_t len, capacity;
};

struct source {
    const struct manifest_file *file;
    struct resource **resources; /* of the file, in the set */
    size_t len;
};

struct following {
    const struct manifest_set *set;
    struct strmap sources; /* path -> struct source */
    struct strmap visited; /* paths below the kustomization at hand */
    size_t steps;
    bool is_cut;
};

bool resource_is_kustomization(const struct resource *resource)
{
    return !resource->is_applied && strcmp(resource->kind, "File") != 0;
}

/* "a/b" and "../c/./d.yaml" are "a/c/d.yaml"; NULL if it leads out of the repository. free() it. */
static char *join(const char *directory, const char *path)
{
    struct strbuf out = STRBUF_INIT;
    strbuf_addstr(&out, *path == '/' ? "" : directory);
    for (const char *part = path; *part; part += strspn(part, "/")) {
        size_t len = strcspn(part, "/");
        bool is_up = len == 2 && !strncmp(part, "..", 2), is_here = !len || (len == 1 && *part == '.');
        if (is_up && !out.len) {
            strbuf_release(&out);
            return NULL;
        }
        if (is_up) {
            char *slash = strrchr(out.buf, '/');
            out.len = slash ? (size_t)(slash - out.buf) : 0;
            out.buf[out.len] = '\0';
        } else if (!is_here) {
            strbuf_addf(&out, "%s%.*s", out.len ? "/" : "", (int)len, part);
        }
        part += len;
    }
    return strbuf_detach(&out, NULL);
}

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return xmemdupz(path, slash ? (size_t)(slash - path) : 0);
}

/* The kustomization of a directory, or NULL. */
static const struct source *kustomization_in(const struct following *f, const char *directory)
{
    static const char *const names[] = {"kustomization.yaml", "kustomization.yml", "Kustomization"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_FREE char *path = join(directory, names[i]);
        const struct source *source = strmap_get(&f->sources, path);
        if (source)
            return source;
    }
    return NULL;
}

static void follow(struct following *f, const struct source *source, unsigned depth,
                   struct reached_list *out);

static void take_workloads(struct following *f, const struct source *source, struct reached_list *out)
{
    for (size_t i = 0; i < source->len; i++) {
        const struct resource *resource = source->resources[i];
        if (!resource->is_applied || resource->is_duplicate)
            continue;
        for (size_t k = 0; k < resource->containers_len; k++) {
            const struct container *container = &resource->containers[k];
            if (!container->image.text)
                continue;
            f->steps++;
            vec_grow(out->items, out->len, out->capacity);
            out->items[out->len++] = (struct reached){.workload = resource,
                                                      .container = k,
                                                      .name = container->image.text,
                                                      .name_len = container->image.name_len};
        }
    }
}

static void follow_item(struct following *f, const char *directory, const char *item, unsigned depth,
                        struct reached_list *out)
{
    AUTO_FREE char *path = join(directory, item);
    if (!path || strstr(item, "://") || strmap_has(&f->visited, path))
        return;
    static char mark;
    strmap_set(&f->visited, path, &mark);
    const struct source *file = strmap_get(&f->sources, path),
                        *below = file ? NULL : kustomization_in(f, path);
    if (file)
        take_workloads(f, file, out);
    else if (below)
        follow(f, below, depth + 1, out);
}

static void follow_all(struct following *f, const struct source *source, unsigned depth,
                       struct reached_list *out)
{
    const struct manifest_file *file = source->file;
    AUTO_FREE char *directory = directory_of(file->path);
    for (size_t i = 0; i < file->below_len && !f->is_cut; i++) {
        if (++f->steps > LIMIT_KUSTOMIZE_STEPS)
            f->is_cut = true;
        else
            follow_item(f, directory, file->below[i], depth, out);
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

/* What comes out of a kustomization has the names that its images give. */
static void rename_reached(struct following *f, const struct source *source, struct reached_list *list)
{
    const struct resource *images = images_of(source);
    for (size_t i = 0; images && i < list->len; i++) {
        for (size_t k = 0; k < images->containers_len; k++) {
            const struct container *entry = &images->containers[k];
            f->steps++;
            if (entry->is_name_fixed || !entry->image_node || !is_called(&list->items[i], entry->entry_name))
                continue;
            list->items[i].name = entry->image_node->value;
            list->items[i].name_len = entry->image_node->value_len;
            break;
        }
    }
}

static void follow(struct following *f, const struct source *source, unsigned depth, struct reached_list *out)
{
    if (depth > LIMIT_KUSTOMIZE_DEPTH) {
        f->is_cut = true;
        return;
    }
    struct reached_list below = {.items = NULL};
    follow_all(f, source, depth, &below);
    rename_reached(f, source, &below);
    for (size_t i = 0; i < below.len; i++) {
        vec_grow(out->items, out->len, out->capacity);
        out->items[out->len++] = below.items[i];
    }
    free(below.items);
}

static void link_entry(struct following *f, const struct resource *kustomization, size_t entry,
                       const struct reached_list *below, struct kustomize_links *out)
{
    const char *name = kustomization->containers[entry].entry_name;
    f->steps += below->len;
    for (size_t i = 0; i < below->len; i++) {
        if (!is_called(&below->items[i], name))
            continue;
        vec_grow(out->items, out->len, out->capacity);
        out->items[out->len++] = (struct kustomize_link){.kustomization = kustomization,
                                                         .entry = entry,
                                                         .workload = below->items[i].workload,
                                                         .container = below->items[i].container};
    }
}

static void link_kustomization(struct following *f, const struct resource *kustomization,
                               struct kustomize_links *out)
{
    const struct source *source = strmap_get(&f->sources, kustomization->file->path);
    struct reached_list below = {.items = NULL};
    strmap_init(&f->visited, NULL);
    follow_all(f, source, 0, &below);
    for (size_t i = 0; i < kustomization->containers_len; i++)
        link_entry(f, kustomization, i, &below, out);
    strmap_release(&f->visited);
    free(below.items);
    f->is_cut = f->is_cut || f->steps > LIMIT_KUSTOMIZE_STEPS;
}

/* The set's resources lie in the order of its files. */
static void index_files(struct following *f)
{
    const struct manifest_set *set = f->set;
    strmap_init(&f->sources, free);
    for (size_t i = 0, first = 0, end; i < set->files_len; i++, first = end) {
        for (end = first; end < set->resources_len && set->resources[end]->file == set->files[i];)
            end++;
        struct source *source = xcalloc(1, sizeof(*source));
        *source = (struct source){set->files[i], set->resources + first, end - first};
        strmap_set(&f->sources, set->files[i]->path, source);
    }
}

void kustomize_links_find(const struct manifest_set *set, struct kustomize_links *out)
{
    *out = (struct kustomize_links){.items = NULL};
    struct following f = {.set = set};
    bool is_indexed = false;
    for (size_t i = 0; i < set->resources_len && !f.is_cut; i++) {
        const struct resource *resource = set->resources[i];
        if (!resource_is_kustomization(resource) || resource->is_duplicate)
            continue;
        if (!is_indexed)
            index_files(&f);
        is_indexed = true;
        link_kustomization(&f, resource, out);
    }
    if (f.is_cut)
        kustomize_links_release(out);
    out->is_cut = f.is_cut;
    if (is_indexed)
        strmap_release(&f.sources);
}

void kustomize_links_release(struct kustomize_links *links)
{
    free(links->items);
    *links = (struct kustomize_links){.items = NULL};
}
