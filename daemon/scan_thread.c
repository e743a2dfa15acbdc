#include "daemon/scan_thread.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "daemon/registry_metrics.h"
#include "daemon/scan_entry.h"
#include "daemon/scan_log.h"
#include "daemon/scan_metrics.h"
#include "daemon/scan_run.h"
#include "daemon/scan_thread_state.h"

#define CACHE_SAID_AGAIN_MS 600000

static int64_t now_of(const struct scan_thread *t)
{
    return clock_monotonic_ms(t->options.clock);
}

/* Called by the scanner, on its thread and without the lock. */
static unsigned wants(const char *tag, void *context)
{
    struct scan_entry *entry = context;
    struct scan_thread *t = entry->thread;
    unsigned all = 0;
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < entry->owners; i++) {
        if (!entry->wanted_by[i])
            continue;
        const struct demand demand = demand_of(entry->wanted_by[i]);
        all |= demand_wants(&demand, tag);
    }
    pthread_mutex_unlock(&t->lock);
    return all;
}

/* Unless new demands came while it ran: then it is due. */
static void plan_next(struct scan_thread *t, struct scan_entry *entry, bool was_pushed, bool failed,
                      bool is_our_own)
{
    if (!entry->next_ms)
        return;
    int64_t early = now_of(t) + SCAN_PACE_FIRST_PAUSE_MS;
    if (!was_pushed)
        entry->next_ms = now_of(t) + scan_pace_next(&t->pace, entry, is_our_own);
    else if (failed && early < entry->next_ms && !entry->error.retry_after_s)
        entry->next_ms = early;
    else if (!failed)
        scan_entry_put_off_list(entry, t->options.interval_ms,
                                scan_pace_jitter(&t->pace, t->options.interval_ms), now_of(t));
}

static void scan_is_done(const struct demand *demand UNUSED, struct scan_result *result, void *context)
{
    struct scan_entry *entry = context;
    struct scan_thread *t = entry->thread;
    scan_log_bad_tags(entry, result->bad_tags);
    pthread_mutex_lock(&t->lock);
    scan_metrics_run(t->options.metrics, entry, result, now_of(t));
    bool was_pushed = entry->run == SCAN_RUN_PUSHED, was_overdue = entry->is_overdue;
    bool changed = scan_entry_take(entry, result, now_of(t));
    if (!was_pushed) {
        changed = changed || entry->is_awaited;
        entry->is_awaited = false;
    }
    plan_next(t, entry, was_pushed, result->error.code != ERROR_NONE, result->requests > 0);
    AUTO_FREE char *answers_again = was_overdue && !entry->is_overdue ? xstrdup(entry->repository) : NULL;
    AUTO_FREE bool *wake = xcalloc(t->options.owners, sizeof(*wake));
    for (size_t i = 0; i < t->options.owners; i++)
        wake[i] = changed && entry->wanted_by[i] && !t->stopping;
    pthread_mutex_unlock(&t->lock);
    if (answers_again)
        scan_log_answers_again(&t->log, answers_again, now_of(t));
    for (size_t i = 0; i < t->options.owners; i++) {
        if (wake[i])
            t->options.wake(i, t->options.context);
    }
}

struct run_list {
    struct scan_run *items;
    size_t len;
    struct label_lookup **lookups; /* references */
    size_t lookups_len;
    struct strvec overdue; /* what the watchdog has to say */
    int64_t timeout_ms;    /* to the next thing to do */
};

static void release_runs(struct run_list *runs)
{
    for (size_t i = 0; i < runs->len; i++)
        scan_run_release(&runs->items[i]);
    for (size_t i = 0; i < runs->lookups_len; i++)
        label_lookup_unref(runs->lookups[i]);
    free(runs->lookups);
    free(runs->items);
    strvec_release(&runs->overdue);
}

/* Starts what is due of one entry, or notes when it will be. */
static void take_turn(struct scan_thread *t, struct scan_entry *entry, int64_t now, struct run_list *runs)
{
    int64_t pushed_ms = scan_entry_push_due_ms(entry);
    int64_t due_ms = pushed_ms < entry->next_ms ? pushed_ms : entry->next_ms;
    if (scan_entry_became_overdue(entry, t->options.interval_ms, now))
        strvec_push(&runs->overdue, entry->repository);
    if (entry->run != SCAN_RUN_NONE)
        return;
    if (pushed_ms <= now && !entry->is_flooded)
        runs->items[runs->len++] = scan_run_of_pushes(entry, now);
    else if (due_ms <= now)
        runs->items[runs->len++] = scan_run_of_list(entry, &t->pace, now);
    else if (due_ms - now < runs->timeout_ms)
        runs->timeout_ms = due_ms - now;
}

/* Takes what is due, and drops the entries that nobody wants. */
static void take_due(struct scan_thread *t, struct run_list *runs)
{
    int64_t now = now_of(t);
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *repository;
    void *value;
    runs->items = xcalloc(strmap_size(&t->entries), sizeof(*runs->items));
    runs->timeout_ms = HEALTH_BEAT_MS;
    while (strmap_next(&t->entries, &cursor, &repository, &value)) {
        struct scan_entry *entry = value;
        if (scan_entry_is_wanted(entry) || entry->run != SCAN_RUN_NONE)
            take_turn(t, entry, now, runs);
        else
            strmap_remove(&t->entries, repository);
    }
}

/* A cache that fails costs requests and nothing else, so it is said now and then. */
static void log_cache_problem(struct scan_thread *t)
{
    const char *problem = cache_problem(t->options.cache);
    int64_t now = now_of(t);
    if (!problem || (t->cache_said_ms && now - t->cache_said_ms < CACHE_SAID_AGAIN_MS))
        return;
    t->cache_said_ms = now;
    log_event(LOG_WARN, "cache", "event", "failing", "err", problem, NULL);
}

/* The cache belongs to this thread, so its counts are handed on here. */
static void measure_cache(struct scan_thread *t)
{
    if (!t->options.cache)
        return;
    const struct cache_stats stats = cache_stats(t->options.cache);
    scan_metrics_cache(t->options.metrics, &stats);
    log_cache_problem(t);
}

/* Under the lock. */
static void take_lookups(struct scan_thread *t, struct run_list *runs)
{
    runs->lookups = steal(&t->lookups);
    runs->lookups_len = t->lookups_len;
    t->lookups_len = t->lookups_capacity = 0;
}

/* False when it is to stop. */
static bool turn(struct scan_thread *t)
{
    CLEANUP(release_runs) struct run_list runs = {0};
    if (t->options.health)
        health_scanner_beats(t->options.health);
    pthread_mutex_lock(&t->lock);
    bool stopping = t->stopping;
    take_lookups(t, &runs);
    if (!stopping)
        take_due(t, &runs);
    pthread_mutex_unlock(&t->lock);
    scan_log_overdue(&t->log, &runs.overdue, t->options.interval_ms, now_of(t));
    scan_log_flush(&t->log, now_of(t));
    if (t->options.docker_config)
        docker_config_renew(t->options.docker_config, t->options.scanner);
    for (size_t i = 0; i < runs.len; i++)
        scan_run_submit(&runs.items[i], t->options.scanner, wants, scan_is_done);
    for (size_t i = 0; !stopping && i < runs.lookups_len; i++)
        label_lookup_start(runs.lookups[i], t->options.scanner);
    if (!stopping)
        scanner_run(t->options.scanner, runs.len ? 0 : runs.timeout_ms);
    measure_cache(t);
    registry_metrics_take(t->options.metrics, t->options.scanner);
    return !stopping;
}

static void *run(void *argument)
{
    struct scan_thread *t = argument;
    while (turn(t)) {
    }
    scanner_cancel(t->options.scanner);
    scan_log_flush(&t->log, INT64_MAX);
    return NULL;
}

struct scan_thread *scan_thread_new(const struct scan_thread_options *options)
{
    struct scan_thread *t = xcalloc(1, sizeof(*t));
    pthread_mutex_init(&t->lock, NULL);
    t->options = *options;
    t->pace = (struct scan_pace){.interval_ms = options->interval_ms,
                                 .clock = options->clock,
                                 .random = (unsigned)clock_wall_ms(options->clock)};
    strmap_init(&t->entries, scan_entry_free);
    t->sources = xcalloc(options->owners, sizeof(*t->sources));
    for (size_t i = 0; i < options->owners; i++)
        t->sources[i] = scan_source_of(t, i);
    if (pthread_create(&t->thread, NULL, run, t) != 0)
        abort(); /* as for memory: there is nothing to go on with */
    return t;
}

void scan_thread_free(struct scan_thread *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->stopping = true;
    pthread_mutex_unlock(&t->lock);
    scanner_wake(t->options.scanner);
    pthread_join(t->thread, NULL);
    strmap_release(&t->entries);
    for (size_t i = 0; i < t->lookups_len; i++)
        label_lookup_unref(t->lookups[i]);
    free(t->lookups);
    for (size_t i = 0; i < t->options.owners; i++)
        demand_set_unref(t->sources[i].demands);
    free(t->sources);
    push_list_release(&t->early);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
