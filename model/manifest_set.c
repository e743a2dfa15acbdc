#include "model/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/kustomize_path.h"
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

/* Paths of what kustomizations use as patches. */
static void find_patches(const struct manifest_set *set, struct strmap *patches)
{
    static char mark;
    for (size_t i = 0; i < set->files_len; i++) {
        const struct manifest_file *file = set->files[i];
        for (size_t k = 0; k < file->patches_len; k++) {
            AUTO_FREE char *directory = kustomize_path_directory(file->path);
            AUTO_FREE char *path = kustomize_path_join(directory, file->patches[k]);
            if (path)
                strmap_set(patches, path, &mark);
        }
    }
}

static bool has_marker(const struct resource *resource)
{
    for (size_t i = 0; i < resource->containers_len; i++) {
        if (resource->containers[i].policy_text)
            return true;
    }
    return false;
}

/* A patch is a part of an object: what it lacks is no problem, and it is no other copy of it. */
static void gather_file(struct manifest_set *set, const struct manifest_file *file, bool is_patch)
{
    bool is_marked = false;
    for (size_t i = 0; i < file->resources_len; i++) {
        const struct resource *resource = &file->resources[i];
        is_marked = is_marked || has_marker(resource);
        if (is_patch && !has_marker(resource))
            continue;
        struct resource *copy = &set->copies[set->resources_len];
        *copy = *resource;
        copy->is_patch = is_patch && resource->is_applied;
        copy->is_applied = resource->is_applied && !is_patch;
        set->resources[set->resources_len++] = copy;
    }
    for (size_t i = 0; i < file->problems_len; i++) {
        const struct manifest_problem *problem = &file->problems[i];
        if (!is_patch || is_marked || !problem->workload)
            manifest_set_add_problem(set, problem->file, problem->line, problem->workload, problem->message);
    }
}

static void gather(struct manifest_set *set)
{
    CLEANUP(strmap_release) struct strmap patches = STRMAP_INIT;
    size_t most = 0;
    for (size_t i = 0; i < set->files_len; i++)
        most += set->files[i]->resources_len;
    set->resources = xcalloc(most, sizeof(struct resource *));
    set->copies = xcalloc(most, sizeof(*set->copies));
    find_patches(set, &patches);
    for (size_t i = 0; i < set->files_len; i++)
        gather_file(set, set->files[i], strmap_has(&patches, set->files[i]->path));
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
        if (resource->is_patch)
            continue;
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
