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
#include "base/strmap.h"

/* A first failure is asked again after this; it doubles with each further one. */
#define FIRST_PAUSE_MS 5000
#define IDLE_MS        3600000

/* One image repository in a registry, wanted by one or more owners. */
struct entry {
    struct scan_thread *thread;
    char *repository;
    const struct repository_demand *
        *wanted_by;               /* by owner; NULL: not wanted. Borrowed from the owners' sets. */
    char *asked;                  /* what the last scan was asked for, as text; NULL before the first */
    struct repository_info *info; /* the last whole answer, or NULL */
    struct error error;
    bool is_answered, is_running;
    unsigned failures; /* in a row */
    int64_t next_ms;   /* monotonic: when to ask next */
};

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
    struct scanner *scanner;
    const struct clock *clock;
    int64_t interval_ms;
    void (*wake)(size_t owner, void *context);
    void *context;
    struct source *sources;
    size_t owners;
    struct strmap entries; /* repository -> struct entry * */
    unsigned random;
    bool stopping;
};

static void free_entry(void *pointer)
{
    struct entry *entry = pointer;
    repository_info_unref(entry->info);
    free(entry->wanted_by);
    free(entry->repository);
    free(entry->asked);
    free(entry);
}

/* 0.9 to 1.1 times: pawls that started together do not stay together. */
static int64_t jittered(struct scan_thread *t, int64_t ms)
{
    return ms * (900 + rand_r(&t->random) % 201) / 1000;
}

static bool is_wanted(const struct entry *entry)
{
    for (size_t i = 0; i < entry->thread->owners; i++) {
        if (entry->wanted_by[i])
            return true;
    }
    return false;
}

/* Everything that an answer to the entry's demands depends on, as text. */
static char *what_is_asked(const struct entry *entry)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < entry->thread->owners; i++) {
        const struct repository_demand *demand = entry->wanted_by[i];
        for (size_t k = 0; demand && k < demand->dated_len; k++)
            strbuf_addf(&text, "%s\n", tag_policy_text(demand->dated[k]));
    }
    return strbuf_detach(&text, NULL);
}

/* Called by the scanner, on its thread and without the lock. */
static bool wants_created(const char *tag, void *context)
{
    struct entry *entry = context;
    struct scan_thread *t = entry->thread;
    bool wants = false;
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < t->owners && !wants; i++) {
        if (!entry->wanted_by[i])
            continue;
        const struct demand demand = demand_of(entry->wanted_by[i]);
        wants = demand.wants_created && demand.wants_created(tag, demand.context);
    }
    pthread_mutex_unlock(&t->lock);
    return wants;
}

/* -- rounds' side ------------------------------------------------------------------------------------------ */

static struct entry *entry_for(struct scan_thread *t, const char *repository)
{
    struct entry *entry = strmap_get(&t->entries, repository);
    if (entry)
        return entry;
    entry = xcalloc(1, sizeof(*entry));
    entry->thread = t;
    entry->repository = xstrdup(repository);
    entry->wanted_by = xcalloc(t->owners, sizeof(struct repository_demand *));
    strmap_set(&t->entries, repository, entry);
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
        ((struct entry *)value)->wanted_by[source->owner] = NULL;
    for (size_t i = 0; i < demands->len; i++) {
        struct entry *entry = entry_for(t, demands->items[i].repository);
        entry->wanted_by[source->owner] = &demands->items[i];
        AUTO_FREE char *asked = what_is_asked(entry);
        if (!entry->asked || strcmp(asked, entry->asked) != 0)
            entry->next_ms = 0;
    }
    demand_set_unref(source->demands);
    source->demands = demand_set_ref(demands);
}

static void read_answer(const struct entry *entry, struct scan_result *result)
{
    *result = (struct scan_result){.info = entry->info ? repository_info_ref(entry->info) : NULL,
                                   .is_fresh = entry->is_answered && !entry->error.code,
                                   .error = entry->error};
}

static void answer(struct image_source *image_source, struct demand_set *demands, struct scan_result *results)
{
    struct source *source = (struct source *)image_source;
    struct scan_thread *t = source->thread;
    pthread_mutex_lock(&t->lock);
    replace_demands(source, demands);
    for (size_t i = 0; i < demands->len; i++)
        read_answer(entry_for(t, demands->items[i].repository), &results[i]);
    pthread_mutex_unlock(&t->lock);
    scanner_wake(t->scanner);
}

struct image_source *scan_thread_source(struct scan_thread *thread, size_t owner)
{
    return &thread->sources[owner].source;
}

/* -- the thread's side --------------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static bool same_answer(const struct repository_info *a, const struct repository_info *b)
{
    if (!a || !b || a->images_len != b->images_len || a->is_truncated != b->is_truncated)
        return a == b;
    for (size_t i = 0; i < a->images_len; i++) {
        const struct image_info *x = &a->images[i], *y = &b->images[i];
        if (strcmp(x->tag, y->tag) != 0 || x->created_ms != y->created_ms || !same_text(x->digest, y->digest))
            return false;
    }
    return true;
}

/* A list is due when it is an interval old, whoever read it. A pawl that found another's answer in a shared cache lets
 * the other be first the next time too, so that they do not both ask. */
static int64_t until_due(struct scan_thread *t, const struct entry *entry, bool is_our_own)
{
    int64_t age = clock_wall_ms(t->clock) - entry->info->scanned_ms;
    int64_t due = jittered(t, t->interval_ms) + (is_our_own ? 0 : t->interval_ms / 5);
    int64_t least = t->interval_ms / 10;
    int64_t pause = age > 0 ? due - age : due;
    return pause > least ? pause : least;
}

static int64_t next_pause(struct scan_thread *t, const struct entry *entry, bool is_our_own)
{
    if (!entry->failures)
        return until_due(t, entry, is_our_own);
    if (entry->error.retry_after_s)
        return jittered(t, (int64_t)entry->error.retry_after_s * 1100);
    int64_t pause = (int64_t)FIRST_PAUSE_MS << (entry->failures > 16 ? 16 : entry->failures - 1);
    return jittered(t, pause < t->interval_ms ? pause : t->interval_ms);
}

static void scan_is_done(const struct demand *demand UNUSED, struct scan_result *result, void *context)
{
    struct entry *entry = context;
    struct scan_thread *t = entry->thread;
    pthread_mutex_lock(&t->lock);
    bool changed = !entry->is_answered || entry->error.code != result->error.code ||
                   (result->info && !same_answer(entry->info, result->info));
    if (result->info) {
        repository_info_unref(entry->info);
        entry->info = steal(&result->info);
    }
    entry->error = result->error;
    entry->failures = result->error.code ? entry->failures + 1 : 0;
    entry->is_answered = true;
    entry->is_running = false;
    if (entry->next_ms) /* else new demands came while it ran */
        entry->next_ms = clock_monotonic_ms(t->clock) + next_pause(t, entry, result->requests > 0);
    AUTO_FREE bool *wake = xcalloc(t->owners, sizeof(*wake));
    for (size_t i = 0; i < t->owners; i++)
        wake[i] = changed && entry->wanted_by[i] && !t->stopping;
    pthread_mutex_unlock(&t->lock);
    for (size_t i = 0; i < t->owners; i++) {
        if (wake[i])
            t->wake(i, t->context);
    }
}

/* The oldest answer in the cache that will do: one that another pawl has read since ours, and of late. Our own is due
 * again at nine tenths of the interval at the earliest, and never answers itself. */
static int64_t longest_age(const struct scan_thread *t, const struct entry *entry)
{
    int64_t limit = t->interval_ms / 10 * 9;
    if (!entry->info)
        return limit;
    int64_t known = clock_wall_ms(t->clock) - entry->info->scanned_ms;
    return known < limit ? known : limit;
}

static void submit(struct scan_thread *t, struct entry *entry)
{
    const struct demand demand = {
        .repository = entry->repository, .wants_created = wants_created, .context = entry};
    scanner_submit(t->scanner, &demand, longest_age(t, entry), scan_is_done, entry);
}

/* Takes the entries that are due, marks them running, and drops those that nobody wants; *timeout_ms is the time
 * to the next. */
static struct entry **take_due(struct scan_thread *t, size_t *len, int64_t *timeout_ms)
{
    int64_t now = clock_monotonic_ms(t->clock);
    struct entry **due = xcalloc(strmap_size(&t->entries), sizeof(struct entry *));
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *repository;
    void *value;
    *len = 0;
    *timeout_ms = IDLE_MS;
    while (strmap_next(&t->entries, &cursor, &repository, &value)) {
        struct entry *entry = value;
        if (entry->is_running)
            continue;
        if (!is_wanted(entry)) {
            strmap_remove(&t->entries, repository);
        } else if (entry->next_ms <= now) {
            entry->is_running = true;
            entry->next_ms = now + t->interval_ms;
            free(entry->asked);
            entry->asked = what_is_asked(entry);
            due[(*len)++] = entry;
        } else if (entry->next_ms - now < *timeout_ms) {
            *timeout_ms = entry->next_ms - now;
        }
    }
    return due;
}

static void *run(void *argument)
{
    struct scan_thread *t = argument;
    for (;;) {
        size_t len;
        int64_t timeout_ms;
        pthread_mutex_lock(&t->lock);
        bool stopping = t->stopping;
        AUTO_FREE struct entry **due = take_due(t, &len, &timeout_ms);
        pthread_mutex_unlock(&t->lock);
        if (stopping)
            break;
        for (size_t i = 0; i < len; i++)
            submit(t, due[i]);
        scanner_run(t->scanner, len ? 0 : timeout_ms);
    }
    scanner_cancel(t->scanner);
    return NULL;
}

struct scan_thread *scan_thread_new(struct scanner *scanner, size_t owners, int64_t interval_ms,
                                    const struct clock *clock, void (*wake)(size_t owner, void *context),
                                    void *context)
{
    struct scan_thread *t = xcalloc(1, sizeof(*t));
    pthread_mutex_init(&t->lock, NULL);
    t->scanner = scanner;
    t->clock = clock;
    t->interval_ms = interval_ms;
    t->wake = wake;
    t->context = context;
    t->owners = owners;
    t->random = (unsigned)clock_wall_ms(clock);
    strmap_init(&t->entries, free_entry);
    t->sources = xcalloc(owners, sizeof(*t->sources));
    for (size_t i = 0; i < owners; i++)
        t->sources[i] = (struct source){.source = {.answer = answer}, .thread = t, .owner = i};
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
    scanner_wake(t->scanner);
    pthread_join(t->thread, NULL);
    strmap_release(&t->entries);
    for (size_t i = 0; i < t->owners; i++)
        demand_set_unref(t->sources[i].demands);
    free(t->sources);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
