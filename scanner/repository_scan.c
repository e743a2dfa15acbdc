#include "scanner/repository_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cache/records.h"
#include "scanner/detail_order.h"
#include "scanner/list_scan.h"
#include "scanner/list_trust.h"
#include "scanner/tag_answer.h"
#include "scanner/tag_details.h"

/* Tags asked for at a time; the host's own limit is what decides with several repositories. */
#define DETAILS_IN_FLIGHT 8
/* After so many tags in a row without an answer the host is down, and not the tags broken. */
#define FAILURES_TO_STOP 3
/* A tag can be moved. That is noticed after this long by one HEAD a tag and day: policies by date pick among
 * tags that are written once, and the few that move are followed by digest policies, which look each time. */
#define RECHECK_AFTER_MS INT64_C(86400000)

struct scan {
    struct scan_task task; /* first, so that a task is a scan */
    int64_t max_age_ms;
    struct repository_info *last, *info;

    uint32_t *order;  /* of the images; NULL: their own */
    size_t next;      /* image to look at, by its place in the order */
    bool is_starting; /* more details are being asked for */
    size_t in_flight; /* details asked for */
    unsigned failures;
    struct error stopped; /* why no more details are asked for */
};

struct tag_slot {
    struct scan *scan;
    size_t index;
};

/* -- the end --------------------------------------------------------------------------------------------- */

static void end(struct scan *scan)
{
    repository_info_unref(scan->last);
    repository_info_unref(scan->info);
    free(scan->order);
    scan_task_end(&scan->task);
}

static void fail(struct scan *scan, const struct error *err)
{
    scan->task.result->info = steal(&scan->last);
    scan_task_fail(&scan->task, "scanning", err);
    end(scan);
}

static void keep(struct scan *scan)
{
    repository_info_finish(scan->info); /* for what details were given room that they did not need */
    record_put_repository(scan->task.env->cache, scan->info, scan->task.scope);
}

static void succeed(struct scan *scan)
{
    if (scan->task.result->requests)
        keep(scan);
    scan->task.result->info = steal(&scan->info);
    scan->task.result->is_fresh = scan->stopped.code == ERROR_NONE;
    if (!scan->task.result->is_fresh)
        scan_task_fail(&scan->task, "scanning", &scan->stopped);
    end(scan);
}

/* -- details --------------------------------------------------------------------------------------------- */

/* What is to be fetched of a tag: DEMAND_… or 0. `is_current` then says that its digest need not be looked at. */
static unsigned lacks(const struct scan *scan, const struct repository_info *info, size_t index,
                      bool *is_current)
{
    unsigned wants = demand_wants(scan->task.demand, repository_info_tag(info, index));
    const struct image_details *details = repository_info_details(info, index);
    bool looks_each_time = wants & DEMAND_DIGEST && scan->max_age_ms < RECHECK_AFTER_MS;
    int64_t limit_ms = looks_each_time ? scan->max_age_ms : RECHECK_AFTER_MS;
    *is_current = false;
    if (!wants || (!details->digest && details->problem))
        return 0;
    if (!details->digest || !clock_is_near(scan_task_now(&scan->task), details->checked_ms, limit_ms))
        return wants;
    *is_current = true;
    return wants & ~tag_answer_known(details);
}

static void start_details(struct scan *scan);

/* True if the error says that the next tag would fare no better. */
static bool is_of_host(struct scan *scan, enum error_code code)
{
    bool is_refused = code == ERROR_RATE_LIMITED || code == ERROR_UNAUTHORIZED || code == ERROR_FORBIDDEN ||
                      code == ERROR_CANCELLED;
    bool is_broken = code == ERROR_NETWORK || code == ERROR_TIMEOUT || code == ERROR_TLS;
    return is_refused || (is_broken && ++scan->failures >= FAILURES_TO_STOP);
}

static void on_details(const char *digest, struct image_facts *facts, const struct error *err, void *context)
{
    struct tag_slot *slot = context;
    struct scan *scan = slot->scan;
    size_t index = slot->index;
    const struct tag_answer answer = {.digest = digest,
                                      .facts = facts,
                                      .problem = err ? err->text : NULL,
                                      .now_ms = scan_task_now(&scan->task)};
    free(slot);
    scan->in_flight--;
    if (!err)
        scan->failures = 0;
    if (err && is_of_host(scan, err->code))
        scan->stopped = *err;
    else if (!err || digest || !repository_info_details(scan->info, index)->digest ||
             err->code == ERROR_NOT_FOUND)
        tag_answer_put(scan->info, index, scan->task.demand, &answer);
    /* else what was known yesterday is the best there is, and asked for again next time */
    if (!scan->is_starting)
        start_details(scan);
}

static void fetch_details(struct scan *scan, size_t index, unsigned wants, bool is_current)
{
    struct image_info image = repository_info_image(scan->info, index);
    struct tag_slot *slot = xcalloc(1, sizeof(*slot));
    *slot = (struct tag_slot){scan, index};
    scan->in_flight++;
    tag_details_fetch(&(struct tag_details_request){.registry = scan->task.env->registry,
                                                    .cache = scan->task.env->cache,
                                                    .repository = scan->task.demand->repository,
                                                    .credential = &scan->task.credential,
                                                    .platform = scan->task.env->platform,
                                                    .tag = image.tag,
                                                    .wants = wants,
                                                    .known_digest = image.details->digest,
                                                    .known = tag_answer_known(image.details),
                                                    .is_current = is_current,
                                                    .requests = &scan->task.result->requests},
                      on_details, slot);
}

/* Asks for as many as may be in flight; ends the scan when all are there. What is on record is answered within it. */
static void start_details(struct scan *scan)
{
    if (!scan->task.demand->wants)
        scan->next = scan->info->images_len;
    else if (!scan->order && !scan->next)
        scan->order = detail_order(scan->info, scan->task.demand);
    scan->is_starting = true;
    while (scan->stopped.code == ERROR_NONE && scan->in_flight < DETAILS_IN_FLIGHT &&
           scan->next < scan->info->images_len) {
        size_t at = scan->next++, index = scan->order ? scan->order[at] : at;
        bool is_current;
        unsigned wants = lacks(scan, scan->info, index, &is_current);
        if (wants)
            fetch_details(scan, index, wants, is_current);
    }
    scan->is_starting = false;
    if (!scan->in_flight)
        succeed(scan);
}

/* -- what is known already --------------------------------------------------------------------------------- */

/* What is known of a tag outlives the list; a problem only if it is one of the content. When it was pushed is for the new
 * list to say. */
static void carry_over(struct scan *scan)
{
    if (!scan->last || !scan->last->details_len)
        return;
    for (size_t i = 0; i < scan->info->images_len; i++) {
        size_t at = repository_info_find(scan->last, repository_info_tag(scan->info, i));
        const struct image_details *before =
            at == SIZE_MAX ? &image_details_unknown : repository_info_details(scan->last, at);
        if (!before->digest)
            continue;
        int64_t pushed_ms = repository_info_details(scan->info, i)->pushed_ms;
        repository_info_copy_details(scan->info, i, before);
        repository_info_edit_details(scan->info, i)->pushed_ms = pushed_ms;
    }
}

/* -- the list ---------------------------------------------------------------------------------------------- */

/* One that cannot be believed leaves the last one in its place. */
static void on_list(struct repository_info *list, size_t bad_tags, const struct error *err, void *context)
{
    struct scan *scan = context;
    scan->task.result->bad_tags = bad_tags;
    if (err) {
        fail(scan, err);
        return;
    }
    list->is_label_dated = scan->task.demand->dates_by_labels;
    if (list_trust_believes(scan->last, list)) {
        scan->info = list;
        carry_over(scan);
        start_details(scan);
        return;
    }
    scan->info = repository_info_copy(scan->last);
    list_trust_mark(scan->info, scan->last, list);
    repository_info_unref(list);
    succeed(scan);
}

static void read_list(struct scan *scan)
{
    list_scan_start(&(struct list_scan_request){.registry = scan->task.env->registry,
                                                .clock = scan->task.env->clock,
                                                .repository = scan->task.demand->repository,
                                                .credential = &scan->task.credential,
                                                .last = scan->last,
                                                .tag_limit = scan->task.env->tag_limit,
                                                .wants_push_times = scan->task.demand->wants_push_times,
                                                .requests = &scan->task.result->requests},
                    on_list, scan);
}

/* -- the beginning --------------------------------------------------------------------------------------- */

static bool lacks_details(const struct scan *scan)
{
    bool is_current;
    for (size_t i = 0; scan->task.demand->wants && !scan->last->is_shrunken && i < scan->last->images_len;
         i++) {
        if (lacks(scan, scan->last, i, &is_current))
            return true;
    }
    return false;
}

static bool is_young(const struct scan *scan, int64_t max_age_ms)
{
    return scan->last && clock_is_near(scan_task_now(&scan->task), scan->last->scanned_ms, max_age_ms);
}

/* They are in the list alone. */
static bool lacks_push_times(const struct scan *scan)
{
    return scan->task.demand->wants_push_times && !scan->last->has_push_times;
}

static void begin(struct scan *scan)
{
    const struct scan_environment *env = scan->task.env;
    scan->last = record_get_repository_again(env->cache, scan->task.demand->repository, scan->task.scope,
                                             scan->task.demand->known);
    scan->last = tag_answer_date_all(scan->last, scan->task.demand, env->cache, env->platform);
    bool keeps_list = is_young(scan, scan->max_age_ms) && !lacks_push_times(scan);
    if (keeps_list && !lacks_details(scan)) {
        scan->info = steal(&scan->last);
        succeed(scan);
    } else if (keeps_list) {
        scan->info = repository_info_copy(scan->last);
        start_details(scan);
    } else {
        read_list(scan);
    }
}

static void on_log_in(struct scan_task *task, const struct error *err)
{
    struct scan *scan = (struct scan *)task;
    if (err)
        fail(scan, err);
    else
        begin(scan);
}

void repository_scan_start(const struct scan_environment *env, const struct demand *demand,
                           int64_t max_age_ms, struct scan_result *result, void (*finished)(void *context),
                           void *context)
{
    struct scan *scan = xcalloc(1, sizeof(*scan));
    *scan = (struct scan){
        .task = {.env = env, .demand = demand, .result = result, .finished = finished, .context = context},
        .max_age_ms = max_age_ms};
    const char *slash = strchr(demand->repository, '/');
    if (!slash || slash == demand->repository || !slash[1]) {
        struct error err = ERROR_INIT;
        error_set(&err, ERROR_INVALID, "not the name of a repository: host/path is expected");
        fail(scan, &err);
        return;
    }
    scan_task_log_in(&scan->task, on_log_in);
}
