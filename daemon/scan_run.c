#include "daemon/scan_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct scan_run scan_run_of_list(struct scan_entry *entry, const struct scan_pace *pace, int64_t now_ms)
{
    const struct scan_run run = {.entry = entry,
                                 .dates_by_labels = scan_entry_dates_by_labels(entry),
                                 .wants_push_times = scan_entry_wants_push_times(entry),
                                 .max_age_ms = scan_pace_longest_age(pace, entry),
                                 .has_questions = scan_entry_has_questions(entry)};
    entry->run = SCAN_RUN_LIST;
    entry->is_flooded = false;
    entry->started_ms = now_ms;
    entry->next_ms = now_ms + pace->interval_ms;
    AUTO_FREE char *before = steal(&entry->asked);
    entry->asked = scan_entry_question(entry);
    entry->asks_anew = !before || strcmp(before, entry->asked) != 0;
    return run;
}

struct scan_run scan_run_of_pushes(struct scan_entry *entry, int64_t now_ms)
{
    const struct scan_run run = {.entry = entry,
                                 .base = repository_info_ref(entry->info),
                                 .pushed = entry->pushed,
                                 .dates_by_labels = scan_entry_dates_by_labels(entry),
                                 .wants_push_times = scan_entry_wants_push_times(entry),
                                 .has_questions = scan_entry_has_questions(entry)};
    entry->pushed = (struct strvec)STRVEC_INIT;
    entry->run = SCAN_RUN_PUSHED;
    entry->started_ms = now_ms;
    return run;
}

void scan_run_release(struct scan_run *run)
{
    repository_info_unref(run->base);
    strvec_release(&run->pushed);
}

void scan_run_submit(const struct scan_run *run, struct scanner *scanner,
                     unsigned (*wants)(const char *tag, void *context), scan_done done)
{
    const struct pull_credential *pull = run->entry->credential;
    const struct demand demand = {
        .repository = run->entry->repository,
        .credential = pull ? &pull->credential : NULL,
        .wants = run->has_questions ? wants : NULL,
        .context = run->entry,
        .known = run->entry->info, /* which nobody else replaces, and not before this run has ended */
        .dates_by_labels = run->dates_by_labels,
        .wants_push_times = run->wants_push_times};
    if (run->base)
        scanner_submit_pushed(scanner, &demand, run->base, &run->pushed, done, run->entry);
    else
        scanner_submit(scanner, &demand, run->max_age_ms, done, run->entry);
}
