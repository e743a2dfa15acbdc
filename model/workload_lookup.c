#include "model/workload_lookup.h"

#include <stdlib.h>
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

void workload_search_init(struct workload_search *search, const struct resource_id *id)
{
    *search = (struct workload_search){.id = id, .distance = FARTHEST_SLIP};
}

void workload_search_release(struct workload_search *search)
{
    free(search->nearest);
    free(search->unread_first);
}

static void find_nearest(struct workload_search *search, const struct manifest_set *manifests)
{
    const struct resource *nearest = NULL;
    for (size_t i = 0; i < manifests->resources_len; i++) {
        const struct resource *each = manifests->resources[i];
        size_t here = each->is_workload ? distance(search->id, &each->id) : search->distance;
        if (here < search->distance) {
            search->distance = here;
            nearest = each;
        }
    }
    if (!nearest)
        return;
    free(search->nearest);
    search->nearest = resource_id_text(&nearest->id);
}

static void count_unread(struct workload_search *search, const struct manifest_set *manifests)
{
    for (size_t i = 0; i < manifests->problems_len; i++) {
        const struct manifest_problem *each = &manifests->problems[i];
        if (each->workload || search->unread++)
            continue;
        search->unread_first = each->line ? xasprintf("%s:%d", each->file, each->line) : xstrdup(each->file);
    }
}

void workload_search_add(struct workload_search *search, const struct manifest_set *manifests)
{
    find_nearest(search, manifests);
    count_unread(search, manifests);
}

void workload_search_describe(const struct workload_search *search, struct strbuf *out)
{
    const char *plural = search->unread == 1 ? "" : "s";
    if (search->nearest)
        strbuf_addf(out, "; did you mean %s?", search->nearest);
    if (search->unread)
        strbuf_addf(out, "; %zu file%s or document%s could not be read (%s first), see `pawl once --dry-run`",
                    search->unread, plural, plural, search->unread_first);
}

static void say_missing(const struct manifest_set *manifests, const struct resource_id *id, struct error *err)
{
    CLEANUP(workload_search_release) struct workload_search search;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    workload_search_init(&search, id);
    workload_search_add(&search, manifests);
    strbuf_addstr(&text, "not found in repository");
    workload_search_describe(&search, &text);
    error_set(err, ERROR_NOT_FOUND, "%s", text.buf);
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
