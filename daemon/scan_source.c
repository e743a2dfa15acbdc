/*
 * The rounds' side of the scanner's thread: they say what they want, and read what is known.
 */
#include <string.h>

#include "base/alloc.h"
#include "daemon/scan_entry.h"
#include "daemon/scan_metrics.h"
#include "daemon/scan_thread_state.h"
#include "model/image_ref.h"

static struct scan_entry *entry_for(struct scan_thread *t, const struct repository_demand *demand)
{
    AUTO_FREE char *key = repository_demand_key(demand);
    struct scan_entry *entry = strmap_get(&t->entries, key);
    if (entry)
        return entry;
    entry = scan_entry_new(t, demand->repository, t->options.owners, clock_monotonic_ms(t->options.clock));
    entry->credential = pull_credential_ref(demand->credential);
    strmap_set(&t->entries, key, entry);
    return entry;
}

/* Puts the owner's new demands in the place of its old ones. */
static void replace_demands(struct scan_source *source, struct demand_set *demands)
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
static bool push_one(struct scan_thread *t, const struct pushed_image *image, int64_t now_ms)
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
        scan_entry_push(entry, image->tag, now_ms);
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
        push_one(t, &t->early.items[i], clock_monotonic_ms(t->options.clock));
    if (have_all_asked(t))
        push_list_release(&t->early);
}

static void answer(struct image_source *image_source, struct demand_set *demands, struct scan_result *results)
{
    struct scan_source *source = (struct scan_source *)image_source;
    struct scan_thread *t = source->thread;
    int64_t started_ms = clock_monotonic_ms(t->options.clock);
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
    scan_metrics_answers(t->options.metrics, results, demands->len,
                         clock_monotonic_ms(t->options.clock) - started_ms);
    scanner_wake(t->options.scanner);
}

static void read_labels(struct image_source *image_source, struct label_lookup *lookup)
{
    struct scan_thread *t = ((struct scan_source *)image_source)->thread;
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
    int64_t now_ms = clock_monotonic_ms(t->options.clock);
    bool is_any_wanted = false;
    pthread_mutex_lock(&t->lock);
    if (!have_all_asked(t))
        push_list_add_all(&t->early, pushes);
    for (size_t i = 0; i < pushes->len; i++) {
        wanted[i] = push_one(t, &pushes->items[i], now_ms);
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

struct scan_source scan_source_of(struct scan_thread *thread, size_t owner)
{
    return (struct scan_source){
        .source = {.answer = answer, .read_labels = read_labels}, .thread = thread, .owner = owner};
}
