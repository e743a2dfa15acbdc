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
#include "model/image_ref.h"

/* A first failure is asked again after this; it doubles with each further one. */
#define FIRST_PAUSE_MS      5000
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
    struct label_lookup **lookups; /* to be started; references */
    size_t lookups_len, lookups_capacity;
    unsigned random;
    bool stopping;
    int64_t cache_said_ms; /* monotonic: when a failing cache was last logged; the thread's own */
};

static int64_t now_of(const struct scan_thread *t)
{
    return clock_monotonic_ms(t->options.clock);
}

/* 0.9 to 1.1 times: pawls that started together do not stay together. */
static int64_t jittered(struct scan_thread *t, int64_t ms)
{
    return ms * (900 + rand_r(&t->random) % 201) / 1000;
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

/* Each repository's share of the time that a round waited for all of its answers. */
static void measure_answers(struct scan_thread *t, const struct scan_result *results, size_t len,
                            int64_t waited_ms)
{
    double share_s = len ? (double)waited_ms / 1000 / (double)len : 0;
    for (size_t i = 0; i < len; i++) {
        bool is_good = results[i].info && !results[i].error.code;
        metrics_observe(t->options.metrics, METRIC_REGISTRY_FETCH_DURATION,
                        METRIC_LABELS(is_good ? "true" : "false"), share_s);
    }
}

static void answer(struct image_source *image_source, struct demand_set *demands, struct scan_result *results)
{
    struct source *source = (struct source *)image_source;
    struct scan_thread *t = source->thread;
    int64_t started_ms = now_of(t);
    pthread_mutex_lock(&t->lock);
    replace_demands(source, demands);
    for (size_t i = 0; i < demands->len; i++) {
        if (!image_source->unchanged || !image_source->unchanged[i])
            read_answer(entry_for(t, &demands->items[i]), &results[i]);
    }
    pthread_mutex_unlock(&t->lock);
    measure_answers(t, results, demands->len, now_of(t) - started_ms);
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

bool scan_thread_pushed(struct scan_thread *t, const char *repository, const char *tag)
{
    if (!image_tag_is_valid(tag))
        return false;
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *name;
    void *value;
    bool is_wanted = false;
    pthread_mutex_lock(&t->lock);
    while (strmap_next(&t->entries, &cursor, &name, &value)) {
        struct scan_entry *entry = value;
        if (!scan_entry_is_named(entry, repository) || !scan_entry_is_wanted(entry))
            continue;
        scan_entry_push(entry, tag, now_of(t));
        is_wanted = true;
    }
    pthread_mutex_unlock(&t->lock);
    if (is_wanted)
        scanner_wake(t->options.scanner);
    return is_wanted;
}

/* Of entries that ask for one repository with several log-ins the oldest answer is shown. */
static void measure_answer(struct metrics *metrics, struct strmap *shown, struct scan_entry *entry,
                           int64_t now_ms)
{
    const struct scan_entry *other = strmap_get(shown, entry->repository);
    if (other && other->info->scanned_ms <= entry->info->scanned_ms)
        return;
    strmap_set(shown, entry->repository, entry);
    double age_s = (double)(now_ms - entry->info->scanned_ms) / 1000;
    metrics_set(metrics, METRIC_TAGS, METRIC_LABELS(entry->repository), (double)entry->info->images_len);
    metrics_set(metrics, METRIC_ANSWER_AGE, METRIC_LABELS(entry->repository), age_s);
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
            measure_answer(metrics, &shown, entry, clock_wall_ms(t->options.clock));
    }
    pthread_mutex_unlock(&t->lock);
    metrics_set(metrics, METRIC_OVERDUE, NULL, (double)overdue);
}

/* -- the thread's side --------------------------------------------------------------------------------------- */

/* A list is due when it is an interval old, whoever read it. A pawl that found another's answer in a shared cache lets
 * the other be first the next time too, so that they do not both ask. */
static int64_t until_due(struct scan_thread *t, const struct scan_entry *entry, bool is_our_own)
{
    int64_t interval_ms = t->options.interval_ms;
    if (is_our_own || !entry->info)
        return jittered(t, interval_ms);
    int64_t age = clock_wall_ms(t->options.clock) - entry->info->scanned_ms;
    int64_t due = jittered(t, interval_ms) + interval_ms / 5;
    int64_t least = interval_ms / 10;
    int64_t pause = age > 0 ? due - age : due;
    return pause > least ? pause : least;
}

static int64_t next_pause(struct scan_thread *t, const struct scan_entry *entry, bool is_our_own)
{
    int64_t interval_ms = t->options.interval_ms;
    if (!entry->failures)
        return until_due(t, entry, is_our_own);
    if (entry->error.retry_after_s)
        return jittered(t, (int64_t)entry->error.retry_after_s * 1100);
    int64_t pause = (int64_t)FIRST_PAUSE_MS << (entry->failures > 16 ? 16 : entry->failures - 1);
    return jittered(t, pause < interval_ms ? pause : interval_ms);
}

/* Unless new demands came while it ran: then it is due. */
static void plan_next(struct scan_thread *t, struct scan_entry *entry, bool was_pushed, bool failed,
                      bool is_our_own)
{
    if (!entry->next_ms)
        return;
    int64_t early = now_of(t) + FIRST_PAUSE_MS;
    if (!was_pushed)
        entry->next_ms = now_of(t) + next_pause(t, entry, is_our_own);
    else if (failed && early < entry->next_ms && !entry->error.retry_after_s)
        entry->next_ms = early;
    else if (!failed)
        scan_entry_put_off_list(entry, t->options.interval_ms, jittered(t, t->options.interval_ms),
                                now_of(t));
}

static void measure_run(struct scan_thread *t, const struct scan_entry *entry,
                        const struct scan_result *result)
{
    struct metrics *metrics = t->options.metrics;
    AUTO_FREE char *host = xmemdupz(entry->repository, strcspn(entry->repository, "/"));
    const char *kind = entry->run == SCAN_RUN_PUSHED ? "metadata" : "tags";
    const char *outcome = result->error.code ? error_code_name(result->error.code) : "ok";
    double seconds = (double)(now_of(t) - entry->started_ms) / 1000;
    metrics_add(metrics, METRIC_SCANS, METRIC_LABELS(host, outcome), 1);
    if (result->error.code == ERROR_RATE_LIMITED)
        metrics_add(metrics, METRIC_REGISTRY_RATE_LIMITED, METRIC_LABELS(host), 1);
    if (result->requests)
        metrics_observe(metrics, METRIC_CLIENT_FETCH_DURATION,
                        METRIC_LABELS(kind, result->error.code ? "false" : "true"), seconds);
}

static void log_bad_tags(struct scan_entry *entry, size_t bad_tags)
{
    if (bad_tags <= entry->bad_tags)
        return;
    entry->bad_tags = bad_tags;
    AUTO_FREE char *count = xasprintf("%zu", bad_tags);
    log_event(LOG_WARN, "scanner", "event", "bad-tags", "image", entry->repository, "count", count, "msg",
              "the registry lists names that no tag can have; they are skipped", NULL);
}

static void scan_is_done(const struct demand *demand UNUSED, struct scan_result *result, void *context)
{
    struct scan_entry *entry = context;
    struct scan_thread *t = entry->thread;
    log_bad_tags(entry, result->bad_tags);
    pthread_mutex_lock(&t->lock);
    measure_run(t, entry, result);
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
        log_event(LOG_INFO, "scanner", "event", "answers-again", "image", answers_again, NULL);
    for (size_t i = 0; i < t->options.owners; i++) {
        if (wake[i])
            t->options.wake(i, t->options.context);
    }
}

/* What a run needs, taken out of the entry under the lock. */
struct run {
    struct scan_entry *entry;
    struct repository_info *base; /* NULL: list the repository */
    struct strvec pushed;
    bool dates_by_labels;
    int64_t max_age_ms;
    bool has_questions; /* or else names are enough. Demands that come while it runs have it run again. */
};

struct run_list {
    struct run *items;
    size_t len;
    struct label_lookup **lookups; /* references */
    size_t lookups_len;
    struct strvec overdue; /* what the watchdog has to say */
    int64_t timeout_ms;    /* to the next thing to do */
};

static void release_runs(struct run_list *runs)
{
    for (size_t i = 0; i < runs->len; i++) {
        repository_info_unref(runs->items[i].base);
        strvec_release(&runs->items[i].pushed);
    }
    for (size_t i = 0; i < runs->lookups_len; i++)
        label_lookup_unref(runs->lookups[i]);
    free(runs->lookups);
    free(runs->items);
    strvec_release(&runs->overdue);
}

static void submit(struct scan_thread *t, const struct run *run)
{
    const struct pull_credential *pull = run->entry->credential;
    const struct demand demand = {
        .repository = run->entry->repository,
        .credential = pull ? &pull->credential : NULL,
        .wants = run->has_questions ? wants : NULL,
        .context = run->entry,
        .known = run->entry->info, /* which nobody else replaces, and not before this run has ended */
        .dates_by_labels = run->dates_by_labels};
    if (run->base)
        scanner_submit_pushed(t->options.scanner, &demand, run->base, &run->pushed, scan_is_done, run->entry);
    else
        scanner_submit(t->options.scanner, &demand, run->max_age_ms, scan_is_done, run->entry);
}

/* The oldest answer in the cache that will do: one that another pawl has read since ours, and of late. Our own is due
 * again at nine tenths of the interval at the earliest, and never answers itself. A list that is forced, because of a
 * push or a new demand, may have changed since anybody's. What another log-in of the same pull secret was told is not
 * taken for an answer to this one. */
static int64_t longest_age(const struct scan_thread *t, const struct scan_entry *entry)
{
    int64_t limit = t->options.interval_ms / 10 * 9;
    if (!entry->info)
        return entry->credential ? 0 : limit;
    if (!entry->next_ms)
        return 0;
    int64_t known = clock_wall_ms(t->options.clock) - entry->info->scanned_ms;
    return known < limit ? known : limit;
}

static struct run start_list(struct scan_thread *t, struct scan_entry *entry, int64_t now)
{
    const struct run run = {.entry = entry,
                            .dates_by_labels = scan_entry_dates_by_labels(entry),
                            .max_age_ms = longest_age(t, entry),
                            .has_questions = scan_entry_has_questions(entry)};
    entry->run = SCAN_RUN_LIST;
    entry->started_ms = now;
    entry->next_ms = now + t->options.interval_ms;
    AUTO_FREE char *before = steal(&entry->asked);
    entry->asked = scan_entry_question(entry);
    entry->asks_anew = !before || strcmp(before, entry->asked) != 0;
    return run;
}

static struct run start_pushed(struct scan_entry *entry, int64_t now)
{
    struct run run = {.entry = entry,
                      .base = repository_info_ref(entry->info),
                      .pushed = entry->pushed,
                      .dates_by_labels = scan_entry_dates_by_labels(entry),
                      .has_questions = scan_entry_has_questions(entry)};
    entry->pushed = (struct strvec)STRVEC_INIT;
    entry->run = SCAN_RUN_PUSHED;
    entry->started_ms = now;
    return run;
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
    if (pushed_ms <= now)
        runs->items[runs->len++] = start_pushed(entry, now);
    else if (entry->next_ms <= now)
        runs->items[runs->len++] = start_list(t, entry, now);
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

static void log_overdue(const struct scan_thread *t, const struct strvec *overdue)
{
    char interval[CLOCK_DURATION_SIZE];
    clock_format_duration(t->options.interval_ms, interval);
    for (size_t i = 0; i < overdue->len; i++)
        log_event(LOG_WARN, "scanner", "event", "overdue", "image", overdue->items[i], "interval", interval,
                  "msg", "not scanned successfully for three intervals", NULL);
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

static void measure_cache_durations(struct metrics *metrics, const struct cache_stats *stats)
{
    static const char *const methods[CACHE_OPERATIONS] = {[CACHE_GET] = "GetKey", [CACHE_PUT] = "SetKey"};
    for (size_t i = 0; i < CACHE_OPERATIONS; i++) {
        for (int success = 0; success < 2; success++) {
            const struct cache_durations *durations = &stats->durations[i][success];
            metrics_set_histogram(metrics, METRIC_CACHE_REQUEST_DURATION,
                                  METRIC_LABELS(methods[i], success ? "true" : "false"), durations->buckets,
                                  durations->sum_s);
        }
    }
}

/* The cache belongs to this thread, so its counts are handed on here. */
static void measure_cache(struct scan_thread *t)
{
    if (!t->options.cache)
        return;
    const struct cache_stats stats = cache_stats(t->options.cache);
    struct metrics *metrics = t->options.metrics;
    metrics_set(metrics, METRIC_CACHE_OPERATIONS, METRIC_LABELS("hit"), (double)stats.hits);
    metrics_set(metrics, METRIC_CACHE_OPERATIONS, METRIC_LABELS("miss"), (double)stats.misses);
    metrics_set(metrics, METRIC_CACHE_OPERATIONS, METRIC_LABELS("write"), (double)stats.writes);
    metrics_set(metrics, METRIC_CACHE_OPERATIONS, METRIC_LABELS("failure"), (double)stats.failures);
    measure_cache_durations(metrics, &stats);
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
    log_overdue(t, &runs.overdue);
    for (size_t i = 0; i < runs.len; i++)
        submit(t, &runs.items[i]);
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
    t->random = (unsigned)clock_wall_ms(options->clock);
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
    pthread_mutex_destroy(&t->lock);
    free(t);
}
