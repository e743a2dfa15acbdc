#include "daemon/explain.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "model/workload_lookup.h"

/* -- which workloads ----------------------------------------------------------------------------------------- */

struct wanted {
    struct resource_id id; /* without a name: all */
    struct workload_search search;
    bool is_named, is_found;
};

static void release_wanted(struct wanted *wanted)
{
    workload_search_release(&wanted->search);
    resource_id_release(&wanted->id);
}

static bool is_wanted(const struct resource *resource, void *context)
{
    struct wanted *wanted = context;
    if (wanted->is_named && !resource_id_equal(&resource->id, &wanted->id))
        return false;
    wanted->is_found = true;
    return true;
}

static int report_missing(const struct wanted *wanted, struct error *err)
{
    AUTO_FREE char *id = resource_id_text(&wanted->id);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_addf(&text, "there is no workload %s in git", id);
    workload_search_describe(&wanted->search, &text);
    return error_set(err, ERROR_NOT_FOUND, "%s", text.buf);
}

/* -- one repository ------------------------------------------------------------------------------------------ */

static int compare_explanations(const void *a, const void *b)
{
    const struct explanation *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    if (order == 0)
        order = strcmp(x->decision->resource->file->path, y->decision->resource->file->path);
    if (order == 0)
        order = x->decision->resource->line - y->decision->resource->line;
    return order ? order : (x->decision > y->decision) - (x->decision < y->decision);
}

static int make_plan(struct explained *e, struct session *session, const struct explain_options *options,
                     struct wanted *wanted, struct error *err)
{
    struct repository *r = e->repository;
    CLEANUP(repository_unlock) struct mirror *locked = NULL;
    if (repository_lock(r, &locked, err) < 0)
        return -1;
    if (mirror_fetch(locked, err) < 0)
        return -1;
    snprintf(e->head, sizeof(e->head), "%s", mirror_head(locked));
    AUTO_FREE struct image_source *images =
        image_source_direct(session->scanner, options->progress, options->context);
    const struct plan_scope scope = {.includes = is_wanted, .context = wanted};
    if (plan_make(r, e->head, images, &scope, &e->plan, err) < 0)
        return -1;
    if (wanted->is_named)
        workload_search_add(&wanted->search, e->plan.manifests);
    return 0;
}

static int read_name(struct wanted *wanted, const struct explain_options *options, const char *default_space,
                     struct error *err)
{
    if (!options->workload || wanted->is_named)
        return 0;
    if (resource_id_parse(options->workload, options->space ? options->space : default_space, &wanted->id,
                          err) < 0) {
        err->code = ERROR_USAGE;
        return -1;
    }
    wanted->is_named = true;
    workload_search_init(&wanted->search, &wanted->id);
    return 0;
}

static int explain_repository(const struct config *config, struct explained *e, struct session *session,
                              const struct explain_options *options, struct wanted *wanted, struct error *err)
{
    e->repository = repository_open(config, e->settings, &system_clock, err);
    if (!e->repository || read_name(wanted, options, e->repository->default_space, err) < 0)
        return -1;
    e->repository->first_seen = session->first_seen;
    return make_plan(e, session, options, wanted, err);
}

static void fill(struct explained *e, const struct explanation_context *context)
{
    e->items = xcalloc(e->plan.decisions_len + 1, sizeof(*e->items));
    for (; e->len < e->plan.decisions_len; e->len++)
        explanation_init(&e->items[e->len], &e->plan, &e->plan.decisions[e->len], context);
    qsort(e->items, e->len, sizeof(*e->items), compare_explanations);
}

/* -- all of them --------------------------------------------------------------------------------------------- */

int explain(const struct config *config, struct session *session, const struct explain_options *options,
            struct explanations *out, struct error *err)
{
    CLEANUP(release_wanted) struct wanted wanted = {.id = RESOURCE_ID_INIT};
    *out = (struct explanations)EXPLANATIONS_INIT;
    out->repositories = xcalloc(config->repositories_len + 1, sizeof(*out->repositories));
    for (; out->len < config->repositories_len; out->len++) {
        struct explained *e = &out->repositories[out->len];
        *e = (struct explained){.settings = &config->repositories[out->len], .plan = PLAN_INIT};
        if (explain_repository(config, e, session, options, &wanted, err) < 0) {
            out->len++; /* what there is of it is released */
            return err->code == ERROR_USAGE ? -1 : error_wrap(err, "repository %s", e->settings->name);
        }
    }
    if (options->workload && !wanted.is_found)
        return report_missing(&wanted, err);
    scanner_stats_visit(session->scanner, host_budgets_add, &out->budgets);
    const struct explanation_context context = {.budgets = &out->budgets,
                                                .interval_ms = config->registry_poll_interval_ms,
                                                .now_ms = clock_wall_ms(&system_clock)};
    for (size_t i = 0; i < out->len; i++)
        fill(&out->repositories[i], &context);
    return 0;
}

void explanations_release(struct explanations *explanations)
{
    for (size_t i = 0; i < explanations->len; i++) {
        struct explained *e = &explanations->repositories[i];
        for (size_t k = 0; k < e->len; k++)
            explanation_release(&e->items[k]);
        free(e->items);
        plan_release(&e->plan);
        repository_free(e->repository);
    }
    free(explanations->repositories);
    host_budgets_release(&explanations->budgets);
    *explanations = (struct explanations)EXPLANATIONS_INIT;
}

json_t *explanations_json(const struct explanations *explanations)
{
    json_t *list = json_array();
    for (size_t i = 0; i < explanations->len; i++) {
        const struct explained *e = &explanations->repositories[i];
        for (size_t k = 0; k < e->len; k++) {
            json_t *item = explanation_json(&e->items[k]);
            json_object_set_new(item, "git", json_text(e->settings->name));
            json_object_set_new(item, "head", json_text(e->head));
            json_array_append_new(list, item);
        }
    }
    return list;
}
