#include "model/workload_lookup.h"

#include <string.h>

#include "base/alloc.h"

/* Names differ by a slip up to here; further away it is another one. */
#define FARTHEST_SLIP 4

/* The same kind and name elsewhere is nearer than any slip. */
static size_t distance(const struct resource_id *wanted, const struct resource_id *there)
{
    if (!strcmp(wanted->kind, there->kind) && !strcmp(wanted->name, there->name))
        return 1;
    return 1 + str_distance(wanted->name, there->name) + (strcmp(wanted->kind, there->kind) != 0) +
           (strcmp(wanted->space, there->space) != 0);
}

static const struct resource *find_nearest(const struct manifest_set *manifests, const struct resource_id *id)
{
    const struct resource *nearest = NULL;
    size_t least = FARTHEST_SLIP;
    for (size_t i = 0; i < manifests->resources_len; i++) {
        const struct resource *each = manifests->resources[i];
        size_t here = each->is_workload ? distance(id, &each->id) : least;
        if (here < least) {
            least = here;
            nearest = each;
        }
    }
    return nearest;
}

static void say_missing(const struct manifest_set *manifests, const struct resource_id *id, struct error *err)
{
    const struct resource *nearest = find_nearest(manifests, id);
    AUTO_FREE char *name = nearest ? resource_id_text(&nearest->id) : NULL;
    if (name)
        error_set(err, ERROR_NOT_FOUND, "not found in repository; did you mean %s?", name);
    else
        error_set(err, ERROR_NOT_FOUND, "not found in repository");
}

/* True if the manifest is there and spoiled. */
static bool say_problem(const struct manifest_set *manifests, const struct resource_id *id, struct error *err)
{
    AUTO_FREE char *name = resource_id_text(id);
    for (size_t i = 0; i < manifests->problems_len; i++) {
        const struct manifest_problem *problem = &manifests->problems[i];
        if (problem->workload && !strcmp(problem->workload, name)) {
            error_set(err, ERROR_INVALID, "%s:%d: %s", problem->file, problem->line, problem->message);
            return true;
        }
    }
    return false;
}

const struct resource *workload_find(const struct manifest_set *manifests, const struct resource_id *id,
                                     struct error *err)
{
    const struct resource *found = manifest_set_find(manifests, id);
    if (found && found->is_workload)
        return found;
    if (found)
        error_set(err, ERROR_UNSUPPORTED, "%s:%d: a %s does not have containers", found->file->path,
                  found->line, found->kind);
    else if (!say_problem(manifests, id, err))
        say_missing(manifests, id, err);
    return NULL;
}
