#include "model/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/manifest_chart.h"
#include "model/manifest_file.h"

struct manifest_set *manifest_set_new(void)
{
    return xcalloc(1, sizeof(struct manifest_set));
}

void manifest_set_add(struct manifest_set *set, struct manifest_file *file)
{
    vec_grow(set->files, set->files_len, set->files_capacity);
    set->files[set->files_len++] = file;
}

static int compare_files(const void *a, const void *b)
{
    const struct manifest_file *left = *(struct manifest_file *const *)a;
    const struct manifest_file *right = *(struct manifest_file *const *)b;
    return strcmp(left->path, right->path);
}

void manifest_set_add_problem(struct manifest_set *set, const char *file, int line, const char *workload,
                              const char *message)
{
    vec_grow(set->problems, set->problems_len, set->problems_capacity);
    set->problems[set->problems_len++] = (struct manifest_problem){
        .file = xstrdup(file), .line = line, .workload = xstrdup(workload), .message = xstrdup(message)};
}

static void gather(struct manifest_set *set)
{
    for (size_t i = 0; i < set->files_len; i++)
        set->resources_len += set->files[i]->resources_len;
    set->resources = xcalloc(set->resources_len, sizeof(struct resource *));
    set->copies = xcalloc(set->resources_len, sizeof(*set->copies));
    size_t at = 0;
    for (size_t i = 0; i < set->files_len; i++) {
        const struct manifest_file *file = set->files[i];
        for (size_t k = 0; k < file->resources_len; k++, at++) {
            set->copies[at] = file->resources[k];
            set->resources[at] = &set->copies[at];
        }
        for (size_t k = 0; k < file->problems_len; k++) {
            const struct manifest_problem *problem = &file->problems[k];
            manifest_set_add_problem(set, problem->file, problem->line, problem->workload, problem->message);
        }
    }
}

static void report_duplicate(struct manifest_set *set, struct resource *resource, const char *id,
                             const struct resource *other)
{
    AUTO_FREE char *message =
        xasprintf("defined more than once, also in %s:%d; no copy is used", other->file->path, other->line);
    resource->is_duplicate = true;
    manifest_set_add_problem(set, resource->file->path, resource->line, id, message);
}

/* A file of a tool or with markers that is called as an object: the object stays, and only the other is out. */
static void report_shadowed(struct manifest_set *set, struct resource *first, struct resource *second,
                            const char *id)
{
    struct resource *stays = first->is_applied ? first : second, *goes = first->is_applied ? second : first;
    AUTO_FREE char *message =
        xasprintf("%s:%d is called so, too; give this one another metadata.name, or move "
                  "the file",
                  stays->file->path, stays->line);
    goes->is_duplicate = true;
    manifest_set_add_problem(set, goes->file->path, goes->line, id, message);
    strmap_set(&set->by_id, id, stays);
}

/* The first of each id goes into the map; at the second both are reported, later ones each for themselves. */
static void index_resources(struct manifest_set *set)
{
    for (size_t i = 0; i < set->resources_len; i++) {
        struct resource *resource = set->resources[i];
        AUTO_FREE char *id = resource_id_text(&resource->id);
        struct resource *first = strmap_get(&set->by_id, id);
        if (!first) {
            strmap_set(&set->by_id, id, resource);
            continue;
        }
        if (first->is_applied != resource->is_applied) {
            report_shadowed(set, first, resource, id);
            continue;
        }
        if (!first->is_duplicate)
            report_duplicate(set, first, id, resource);
        report_duplicate(set, resource, id, first);
    }
    for (size_t i = 0; i < set->resources_len; i++) {
        if (!set->resources[i]->is_duplicate)
            continue;
        AUTO_FREE char *id = resource_id_text(&set->resources[i]->id);
        const struct resource *known = strmap_get(&set->by_id, id);
        if (known && known->is_duplicate)
            strmap_remove(&set->by_id, id);
    }
}

void manifest_set_finish(struct manifest_set *set)
{
    if (set->files_len)
        qsort(set->files, set->files_len, sizeof(struct manifest_file *), compare_files);
    gather(set);
    index_resources(set);
    manifest_charts_resolve(set);
}

void manifest_set_free(struct manifest_set *set)
{
    if (!set)
        return;
    strmap_release(&set->by_id);
    manifest_charts_release(set);
    for (size_t i = 0; i < set->problems_len; i++)
        manifest_problem_release(&set->problems[i]);
    free(set->problems);
    free(set->resources);
    free(set->copies);
    for (size_t i = 0; i < set->files_len; i++)
        manifest_file_unref(set->files[i]);
    free(set->files);
    free(set);
}

void manifest_set_release(struct manifest_set **set)
{
    manifest_set_free(*set);
    *set = NULL;
}

const struct resource *manifest_set_find(const struct manifest_set *set, const struct resource_id *id)
{
    AUTO_FREE char *text = resource_id_text(id);
    return strmap_get(&set->by_id, text);
}

const struct container *resource_container(const struct resource *resource, const char *name)
{
    for (size_t i = 0; resource && i < resource->containers_len; i++) {
        if (!strcmp(resource->containers[i].name, name))
            return &resource->containers[i];
    }
    return NULL;
}
