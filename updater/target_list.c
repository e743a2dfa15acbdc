#include "updater/target_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strmap.h"

void target_list_add(struct target_list *list, const struct resource *resource,
                     const struct container *container, char *image, char *reason)
{
    vec_grow(list->items, list->len, list->capacity);
    list->items[list->len++] =
        (struct image_target){.resource = resource, .container = container, .image = image, .reason = reason};
    strvec_push_owned(&list->texts, image);
    strvec_push_owned(&list->texts, reason);
}

void target_list_note(struct target_list *list, const char *workload, char *text)
{
    strvec_push(&list->notes, workload);
    strvec_push_owned(&list->notes, text);
}

static const char *find_note(const struct target_list *list, const char *workload)
{
    for (size_t i = 0; i < list->notes.len; i += 2) {
        if (!strcmp(list->notes.items[i], workload))
            return list->notes.items[i + 1];
    }
    return NULL;
}

void target_list_release(struct target_list *list)
{
    free(list->items);
    strvec_release(&list->texts);
    strvec_release(&list->notes);
    *list = (struct target_list){.items = NULL};
}

/* A failure for each workload that has a problem; of several the first counts. */
static void fail(const struct release *release, struct strmap *failed, struct result_list *results)
{
    for (size_t i = 0; i < release->problems_len; i++) {
        const struct manifest_problem *problem = &release->problems[i];
        if (strmap_has(failed, problem->workload))
            continue;
        strmap_set(failed, problem->workload, NULL);
        result_add(results, problem->workload, RESULT_FAILED,
                   xasprintf("%s:%d: %s", problem->file, problem->line, problem->message));
    }
}

static void drop(struct target_list *list, const struct strmap *failed)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->len; i++) {
        AUTO_FREE char *id = resource_id_text(&list->items[i].resource->id);
        if (!strmap_has(failed, id))
            list->items[kept++] = list->items[i];
    }
    list->len = kept;
}

static void succeed(const struct target_list *list, struct result_list *results)
{
    struct workload_result *result = NULL;
    for (size_t i = 0; i < list->len; i++) {
        const struct image_target *target = &list->items[i];
        AUTO_FREE char *id = resource_id_text(&target->resource->id);
        if (i == 0 || list->items[i - 1].resource != target->resource)
            result = result_add(results, id, RESULT_SUCCESS, xstrdup(find_note(list, id)));
        const char *current = target->container->image.text;
        result_add_update(result, target->container->name, current ? current : "", target->image);
    }
}

struct release *target_list_make(struct target_list *list, struct result_list *results)
{
    CLEANUP(strmap_release) struct strmap failed = STRMAP_INIT;
    struct release *release = release_new(list->items, list->len);
    while (release->problems_len) {
        /* Without these, others may not be possible either: those that share a scalar with them. */
        fail(release, &failed, results);
        drop(list, &failed);
        release_free(release);
        release = release_new(list->items, list->len);
    }
    succeed(list, results);
    return release;
}
