/*
 * One lock guards everything in struct scan_thread but the scanner, which only the thread itself touches (waking
 * it apart). The thread holds the lock for short steps between runs of the scanner; a round that asks for answers
 * waits no longer than that.
 */
#include "daemon/scan_thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/strmap.h"
#include "daemon/registry_metrics.h"
#include "daemon/scan_entry.h"
#include "daemon/scan_log.h"
#include "daemon/scan_metrics.h"
#include "daemon/scan_pace.h"
#include "daemon/scan_run.h"
#include "model/image_ref.h"

#define CACHE_SAID_AGAIN_MS 600000

/* The owner's view; its address is what rounds hold. */
struct source {
    struct image_source source;
    struct scan_thread *thread;
    size_t owner;
    struct demand_set *demands; /* a reference; what the entries' wanted_by point into */
};

struct scan_thread {
    pthread_t thread;
    pthread_mutex_t lock;
    struct scan_thread_options options;
    struct source *sources;
    struct strmap entries;         /* repository_demand_key -> struct scan_entry * */
    struct push_list early;        /* what was pushed before all owners had said what they want */
    struct label_lookup **lookups; /* to be started; references */
    size_t lookups_len, lookups_capacity;
    struct scan_pace pace;
    bool stopping;
    int64_t cache_said_ms; /* monotonic: when a failing cache was last logged; the thread's own */
};

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

/* -- rounds' side ------------------------------------------------------------------------------------------ */

static struct scan_entry *entry_for(struct scan_thread *t, const struct repository_demand *demand)
{
    AUTO_FREE char *key = repository_demand_key(demand);
    struct scan_entry *entry = strmap_get(&t->entries, key);
    if (entry)
        return entry;
    entry = scan_entry_new(t, demand->repository, t->options.owners, now_of(t));
    entry->credential = pull_credential_ref(demand->credential);
    strmap_set(&t->entries, key, entry);
    return entry;
}

/* Puts the owner's new demands in the place of its old ones. */
static void replace_demands(struct source *source, struct demand_set *demands)
{
    struct scan_thread *t = source->thread;
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *repository;
    void *value;
    while (strmap_next(&t->entries, &cursor, &repository, &value))
        ((struct scan_entry *)value)->wanted_by[source->owner] = NULL;
    for (size_t i = 0; i < demands->len; i++) {
        struct scan_entry *entry = entry_for(t, &demands->items[i]);
        entry->wanted_by[source->owner] = &demands->items[i];
        AUTO_FREE char *asked = scan_entry_question(entry);
        if (!entry->asked || strcmp(asked, entry->asked) != 0)
            entry->next_ms = 0;
    }
    demand_set_unref(source->demands);
    source->demands = demand_set_ref(demands);
}

/* Demands have changed since the last list was asked for, so that what is known may lack what they want. */
static bool is_behind(const struct scan_entry *entry)
{
    return !entry->next_ms || (entry->run == SCAN_RUN_LIST && entry->asks_anew);
}

static void read_answer(struct scan_entry *entry, struct scan_result *result)
{
    bool behind = is_behind(entry);
    entry->is_awaited = entry->is_awaited || behind;
    *result = (struct scan_result){.info = entry->info ? repository_info_ref(entry->info) : NULL,
                                   .is_fresh = entry->is_answered && !entry->error.code,
                                   .is_behind = behind,
                                   .error = entry->error};
}

/* Under the lock. */
static bool push_one(struct scan_thread *t, const struct pushed_image *image, int64_t now)
{
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *name;
    void *value;
    bool is_wanted = false;
    if (!image_tag_is_valid(image->tag))
        return false;
    while (strmap_next(&t->entries, &cursor, &name, &value)) {
        struct scan_entry *entry = value;
        if (!scan_entry_is_named(entry, image->repository) || !scan_entry_is_wanted(entry))
            continue;
        scan_entry_push(entry, image->tag, now);
        is_wanted = true;
    }
    return is_wanted;
}

/* Under the lock. */
static bool have_all_asked(const struct scan_thread *t)
{
    for (size_t i = 0; i < t->options.owners; i++) {
        if (!t->sources[i].demands)
            return false;
    }
    return true;
}

/* For the first demands of an owner: what was pushed before them is looked at all the same. */
static void push_early(struct scan_thread *t)
{
    for (size_t i = 0; i < t->early.len; i++)
        push_one(t, &t->early.items[i], now_of(t));
    if (have_all_asked(t))
        push_list_release(&t->early);
}

static void answer(struct image_source *image_source, struct demand_set *demands, struct scan_result *results)
{
    struct source *source = (struct source *)image_source;
    struct scan_thread *t = source->thread;
    int64_t started_ms = now_of(t);
    pthread_mutex_lock(&t->lock);
    bool is_first = !source->demands;
    replace_demands(source, demands);
    if (is_first)
        push_early(t);
    for (size_t i = 0; i < demands->len; i++) {
        if (!image_source->unchanged || !image_source->unchanged[i])
            read_answer(entry_for(t, &demands->items[i]), &results[i]);
    }
    pthread_mutex_unlock(&t->lock);
    scan_metrics_answers(t->options.metrics, results, demands->len, now_of(t) - started_ms);
    scanner_wake(t->options.scanner);
}

static void read_labels(struct image_source *image_source, struct label_lookup *lookup)
{
    struct scan_thread *t = ((struct source *)image_source)->thread;
    pthread_mutex_lock(&t->lock);
    vec_grow(t->lookups, t->lookups_len, t->lookups_capacity);
    t->lookups[t->lookups_len++] = label_lookup_ref(lookup);
    pthread_mutex_unlock(&t->lock);
    scanner_wake(t->options.scanner);
    label_lookup_wait(lookup);
}

struct image_source *scan_thread_source(struct scan_thread *thread, size_t owner)
{
    return &thread->sources[owner].source;
}

void scan_thread_pushed(struct scan_thread *t, const struct push_list *pushes, bool *wanted)
{
    int64_t now = now_of(t);
    bool is_any_wanted = false;
    pthread_mutex_lock(&t->lock);
    if (!have_all_asked(t))
        push_list_add_all(&t->early, pushes);
    for (size_t i = 0; i < pushes->len; i++) {
        wanted[i] = push_one(t, &pushes->items[i], now);
        is_any_wanted = is_any_wanted || wanted[i];
    }
    pthread_mutex_unlock(&t->lock);
    if (is_any_wanted)
        scanner_wake(t->options.scanner);
}

void scan_thread_measure(struct scan_thread *t)
{
    struct metrics *metrics = t->options.metrics;
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *name;
    void *value;
    size_t overdue = 0;
    CLEANUP(strmap_release) struct strmap shown = STRMAP_INIT;
    metrics_clear(metrics, METRIC_TAGS);
    metrics_clear(metrics, METRIC_ANSWER_AGE);
    pthread_mutex_lock(&t->lock);
    while (strmap_next(&t->entries, &cursor, &name, &value)) {
        struct scan_entry *entry = value;
        overdue += entry->is_overdue;
        if (entry->info)
            scan_metrics_entry(metrics, &shown, entry, clock_wall_ms(t->options.clock));
    }
    pthread_mutex_unlock(&t->lock);
    metrics_set(metrics, METRIC_OVERDUE, NULL, (double)overdue);
}

/* -- the thread's side --------------------------------------------------------------------------------------- */

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
        scan_log_answers_again(answers_again);
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
    scan_log_overdue(&runs.overdue, t->options.interval_ms);
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
        t->sources[i] = (struct source){
            .source = {.answer = answer, .read_labels = read_labels}, .thread = t, .owner = i};
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
