#include "updater/promotion.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strmap.h"
#include "model/kustomize_links.h"
#include "model/manifest_file.h"
#include "model/manifest_kustomization.h"

/* The workloads of one kind and name. */
struct namesakes {
    const struct resource **items;
    size_t len, capacity;
};

static void free_namesakes(void *value)
{
    struct namesakes *namesakes = value;
    free(namesakes->items);
    free(namesakes);
}

static const char *path_within(const char *path, const char *place)
{
    size_t len = strlen(place);
    if (!len || strncmp(path, place, len) != 0)
        return path;
    if (path[len] == '/')
        return path + len + 1;
    const char *slash = strrchr(path, '/'); /* the place is the file */
    return slash ? slash + 1 : path;
}

/* The name; of what is named by its path the name that it would have if the place were the repository. free() it. */
static char *name_within(const struct resource *resource, const char *place)
{
    const char *name = resource->id.name, *path = resource->file->path, *within = path_within(path, place);
    AUTO_FREE char *by_directory = manifest_kustomization_name(path, NULL);
    AUTO_FREE char *by_path = manifest_name_of_path(path);
    AUTO_FREE char *by_path_within = manifest_name_of_path(within);
    if (resource_is_kustomization(resource) && !strcmp(name, by_directory))
        return manifest_kustomization_name(within, NULL);
    if (!strcmp(resource->id.kind, "file") && str_ends_with(name, by_path))
        return xasprintf("%.*s%s", (int)(strlen(name) - strlen(by_path)), name, by_path_within);
    return xstrdup(name);
}

static char *key_of(const struct resource *resource, const char *place)
{
    AUTO_FREE char *name = name_within(resource, place);
    return xasprintf("%s/%s", resource->id.kind, name);
}

static void index_workloads(const struct manifest_set *from, const char *place, struct strmap *index)
{
    for (size_t i = 0; i < from->resources_len; i++) {
        const struct resource *resource = from->resources[i];
        if (!resource->is_workload)
            continue;
        AUTO_FREE char *key = key_of(resource, place);
        struct namesakes *all = strmap_get(index, key);
        if (!all) {
            all = xcalloc(1, sizeof(*all));
            strmap_set(index, key, all);
        }
        vec_grow(all->items, all->len, all->capacity);
        all->items[all->len++] = resource;
    }
}

/* The one that is meant, or NULL with the reason. */
static const struct resource *pick(const struct namesakes *all, const struct resource *to, char **problem)
{
    const struct resource *same = NULL;
    for (size_t i = 0; i < all->len; i++) {
        if (!strcmp(all->items[i]->id.space, to->id.space))
            same = all->items[i];
    }
    if (!same && all->len == 1)
        same = all->items[0];
    if (!same) {
        *problem =
            xasprintf("there are %zu of its kind and name to promote, in the namespaces %s, %s%s", all->len,
                      all->items[0]->id.space, all->items[1]->id.space, all->len > 2 ? ", …" : "");
    } else if (same->is_duplicate) {
        *problem = xasprintf("%s:%d: it is defined more than once", same->file->path, same->line);
        same = NULL;
    }
    return same;
}

/* The name that is there, with tag and digest of the other. */
static char *promoted_image(const struct image_ref *to, const struct image_ref *from)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_add(&text, to->text, to->name_len);
    if (from->tag)
        strbuf_addf(&text, ":%s", image_ref_written_tag(from));
    if (from->digest)
        strbuf_addf(&text, "@%s", from->digest);
    return strbuf_detach(&text, NULL);
}

/* One workload on its way to a result. */
struct step {
    const struct resource *from, *to;
    bool with_names;
    struct target_list *targets;
    size_t paired;
    struct strbuf problem; /* of containers that stay as they are */
};

static void note(struct step *step, const struct container *container, const char *why)
{
    strbuf_addf(&step->problem, "%s%s: %s", step->problem.len ? "; " : "", container->name, why);
}

static void promote_container(struct step *step, const struct container *container)
{
    const struct container *other = resource_container(step->from, container->name);
    if (!other)
        return;
    step->paired++;
    const struct image_ref *have = &container->image, *want = &other->image;
    if (!have->text || !want->text) {
        note(step, container, have->text ? other->problem.text : container->problem.text);
        return;
    }
    bool is_same = !strcmp(have->host, want->host) && !strcmp(have->path, want->path);
    if (!is_same && !step->with_names) {
        AUTO_FREE char *why = xasprintf("another repository: %s; --with-name takes it over", want->text);
        note(step, container, why);
        return;
    }
    if (image_ref_equal(have, want))
        return;
    AUTO_FREE char *where = resource_id_text(&step->from->id);
    target_list_add(step->targets, step->to, container,
                    is_same ? promoted_image(have, want) : xstrdup(want->text),
                    xasprintf("%s of %s has it", step->from->file->path, where));
}

/* `policies` are those of the workload that may be changed. */
static void promote_workload(struct step *step, struct workload_policy *const *policies, size_t len,
                             struct result_list *results)
{
    size_t before = step->targets->len;
    for (size_t i = 0; i < len; i++) {
        for (size_t k = 0; k < policies[i]->containers_len; k++)
            promote_container(step, policies[i]->containers[k].container);
    }
    AUTO_FREE char *id = resource_id_text(&step->to->id);
    if (step->targets->len > before) { /* its result is that of the edit */
        if (step->problem.len)
            target_list_note(step->targets, id, strbuf_detach(&step->problem, NULL));
        return;
    }
    if (step->problem.len)
        result_add(results, id, RESULT_SKIPPED, strbuf_detach(&step->problem, NULL));
    else if (step->paired)
        result_add(results, id, RESULT_SKIPPED, xstrdup("image(s) up to date"));
    else
        result_add(results, id, RESULT_IGNORED, xstrdup("there are no containers of its names to promote"))
            ->is_missing = true;
}

void promotion_targets(const struct promotion *promotion, const struct workload_selection *selection,
                       struct target_list *targets, struct result_list *results)
{
    CLEANUP(strmap_release) struct strmap index = {.free_value = free_namesakes};
    index_workloads(promotion->from, promotion->from_path, &index);
    for (size_t first = 0, end; first < selection->len; first = end) {
        const struct resource *to = selection->items[first]->resource;
        for (end = first + 1; end < selection->len && selection->items[end]->resource == to;)
            end++;
        AUTO_FREE char *key = key_of(to, promotion->to_path);
        AUTO_FREE char *id = resource_id_text(&to->id);
        const struct namesakes *all = strmap_get(&index, key);
        char *problem = NULL;
        const struct resource *source = all ? pick(all, to, &problem) : NULL;
        if (problem) {
            result_add(results, id, RESULT_FAILED, problem);
        } else if (!source) {
            result_add(results, id, RESULT_IGNORED, xstrdup("there is none of its kind and name to promote"))
                ->is_missing = true;
        } else {
            struct step step = {.from = source,
                                .to = to,
                                .with_names = promotion->with_names,
                                .targets = targets,
                                .problem = STRBUF_INIT};
            promote_workload(&step, selection->items + first, end - first, results);
            strbuf_release(&step.problem);
        }
    }
}

char *promotion_message(const char *from, const char *to, const struct result_list *results)
{
    struct strbuf text = STRBUF_INIT;
    strbuf_addf(&text, "Promote %s to %s\n", from, to);
    for (size_t i = 0; i < results->len; i++) {
        const struct workload_result *result = &results->items[i];
        if (result->status != RESULT_SUCCESS)
            continue;
        strbuf_addf(&text, "\n%s", result->workload);
        for (size_t k = 0; k < result->updates_len; k++)
            strbuf_addf(&text, "\n- %s", result->updates[k].target);
        strbuf_addch(&text, '\n');
    }
    return strbuf_detach(&text, NULL);
}
