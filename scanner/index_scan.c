#include "scanner/index_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cache/records.h"
#include "scanner/index_source.h"
#include "scanner/list_trust.h"

struct index_scan {
    struct scan_task task; /* first, so that a task is a scan */
    int64_t max_age_ms;
    struct repository_info *last, *info;
};

static void end(struct index_scan *scan)
{
    repository_info_unref(scan->last);
    repository_info_unref(scan->info);
    scan_task_end(&scan->task);
}

static void fail(struct index_scan *scan, const struct error *err)
{
    scan->task.result->info = steal(&scan->last);
    scan_task_fail(&scan->task, "scanning", err);
    end(scan);
}

static void succeed(struct index_scan *scan)
{
    scan->task.result->info = steal(&scan->info);
    scan->task.result->is_fresh = true;
    end(scan);
}

/* -- the index ----------------------------------------------------------------------------------------------- */

static const char *chart_of(const struct index_scan *scan)
{
    return scan->task.demand->repository + strcspn(scan->task.demand->repository, "#") + 1;
}

static int read_versions(struct index_scan *scan, const struct index_answer *answer, struct error *err)
{
    int64_t now_ms = scan_task_now(&scan->task);
    scan->info = repository_info_new(scan->task.demand->repository);
    if (chart_index_read(&answer->slice, chart_of(scan), scan->task.env->tag_limit, now_ms, scan->info,
                         &scan->task.result->bad_tags, err) < 0)
        return -1;
    repository_info_finish(scan->info);
    repository_info_set_etag(scan->info, answer->validator, now_ms);
    return 0;
}

static void keep(struct index_scan *scan, int64_t age_ms)
{
    scan->info->scanned_ms = scan_task_now(&scan->task) - age_ms;
    if (!list_trust_believes(scan->last, scan->info)) {
        struct repository_info *kept = repository_info_copy(scan->last);
        list_trust_mark(kept, scan->last, scan->info);
        repository_info_unref(scan->info);
        scan->info = kept;
    }
    scan->info->is_label_dated = scan->task.demand->dates_by_labels;
    record_put_repository(scan->task.env->cache, scan->info, scan->task.scope);
    succeed(scan);
}

static void on_index(const struct index_answer *answer, void *context)
{
    struct index_scan *scan = context;
    struct error problem = ERROR_INIT;
    if (answer->error) {
        fail(scan, answer->error);
        return;
    }
    if (answer->is_unchanged)
        scan->info = repository_info_copy(scan->last);
    else if (read_versions(scan, answer, &problem) < 0) {
        fail(scan, &problem);
        return;
    }
    keep(scan, clock_monotonic_ms(scan->task.env->clock) - answer->checked_ms);
}

/* The validator of the last answer, if one that the index is still the same would be all there is to know. */
static const char *usable_validator(const struct index_scan *scan)
{
    const struct repository_info *last = scan->last;
    bool is_usable = last && last->etag && !last->is_truncated && !last->is_shrunken &&
                     last->images_len <= scan->task.env->tag_limit &&
                     clock_is_near(scan_task_now(&scan->task), last->etag_ms, LIST_UNCHANGED_TRUSTED_MS);
    return is_usable ? last->etag : NULL;
}

/* -- the beginning ------------------------------------------------------------------------------------------- */

static void on_log_in(struct scan_task *task, const struct error *err)
{
    struct index_scan *scan = (struct index_scan *)task;
    const struct scan_environment *env = task->env;
    const struct demand *demand = task->demand;
    if (err) {
        fail(scan, err);
        return;
    }
    scan->last = record_get_repository_again(env->cache, demand->repository, task->scope, demand->known);
    if (scan->last && clock_is_near(scan_task_now(task), scan->last->scanned_ms, scan->max_age_ms)) {
        scan->info = steal(&scan->last);
        succeed(scan);
        return;
    }
    index_source_want(env->indexes,
                      &(struct index_request){.repository = demand->repository,
                                              .credential = &task->credential,
                                              .validator = usable_validator(scan),
                                              .max_age_ms = scan->max_age_ms,
                                              .requests = &task->result->requests},
                      on_index, scan);
}

void index_scan_start(const struct scan_environment *env, const struct demand *demand, int64_t max_age_ms,
                      struct scan_result *result, void (*finished)(void *context), void *context)
{
    struct index_scan *scan = xcalloc(1, sizeof(*scan));
    *scan = (struct index_scan){
        .task = {.env = env, .demand = demand, .result = result, .finished = finished, .context = context},
        .max_age_ms = max_age_ms};
    scan_task_log_in(&scan->task, on_log_in);
}
