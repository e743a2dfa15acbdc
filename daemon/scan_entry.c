#include "daemon/scan_entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "daemon/scan_thread.h"
#include "model/image_ref.h"

#define OVERDUE_INTERVALS 3

struct scan_entry *scan_entry_new(struct scan_thread *thread, const char *repository, size_t owners,
                                  int64_t now_ms)
{
    struct scan_entry *entry = xcalloc(1, sizeof(*entry));
    entry->thread = thread;
    entry->repository = xstrdup(repository);
    entry->owners = owners;
    entry->wanted_by = xcalloc(owners, sizeof(struct repository_demand *));
    entry->good_ms = now_ms;
    return entry;
}

void scan_entry_free(void *pointer)
{
    struct scan_entry *entry = pointer;
    repository_info_unref(entry->info);
    strvec_release(&entry->pushed);
    pull_credential_unref(entry->credential);
    free(entry->wanted_by);
    free(entry->repository);
    free(entry->asked);
    free(entry);
}

bool scan_entry_is_wanted(const struct scan_entry *entry)
{
    for (size_t i = 0; i < entry->owners; i++) {
        if (entry->wanted_by[i])
            return true;
    }
    return false;
}

bool scan_entry_has_questions(const struct scan_entry *entry)
{
    for (size_t i = 0; i < entry->owners; i++) {
        if (entry->wanted_by[i] && repository_demand_has_questions(entry->wanted_by[i]))
            return true;
    }
    return false;
}

bool scan_entry_is_named(const struct scan_entry *entry, const char *repository)
{
    return repository[0] == '/' ? str_ends_with(entry->repository, repository)
                                : !strcmp(entry->repository, repository);
}

bool scan_entry_dates_by_labels(const struct scan_entry *entry)
{
    for (size_t i = 0; i < entry->owners; i++) {
        if (entry->wanted_by[i])
            return entry->wanted_by[i]->dates_by_labels;
    }
    return false;
}

bool scan_entry_wants_push_times(const struct scan_entry *entry)
{
    for (size_t i = 0; i < entry->owners; i++) {
        if (entry->wanted_by[i] && entry->wanted_by[i]->wants_push_times)
            return true;
    }
    return false;
}

char *scan_entry_question(const struct scan_entry *entry)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < entry->owners; i++) {
        if (entry->wanted_by[i])
            demand_add_text(entry->wanted_by[i], &text);
    }
    return strbuf_detach(&text, NULL);
}

void scan_entry_push(struct scan_entry *entry, const char *tag, int64_t now_ms)
{
    if (!entry->info && !entry->error.retry_after_s)
        entry->next_ms = 0;
    if (!entry->pushed.len && !entry->is_flooded)
        entry->first_push_ms = now_ms;
    entry->last_push_ms = now_ms;
    if (!entry->is_flooded && !strvec_contains(&entry->pushed, tag))
        strvec_push(&entry->pushed, tag);
    if (entry->pushed.len > LIMIT_PUSHED_TAGS) {
        strvec_release(&entry->pushed);
        entry->is_flooded = true;
    }
}

int64_t scan_entry_push_due_ms(const struct scan_entry *entry)
{
    if (!entry->info || (!entry->pushed.len && !entry->is_flooded))
        return INT64_MAX;
    if (entry->is_flooded && entry->error.retry_after_s)
        return entry->next_ms;
    int64_t quiet = entry->last_push_ms + SCAN_PUSH_QUIET_MS;
    int64_t latest = entry->first_push_ms + SCAN_PUSH_WAIT_MS;
    return quiet < latest ? quiet : latest;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

/* When it was looked at, and why it could not be read, change no choice. */
static bool same_details(const struct image_details *a, const struct image_details *b)
{
    return a == b || (a->created_ms == b->created_ms && a->pushed_ms == b->pushed_ms &&
                      same_text(a->digest, b->digest) && same_text(a->platforms, b->platforms) &&
                      same_text(a->labels, b->labels));
}

static bool same_answer(const struct repository_info *a, const struct repository_info *b)
{
    if (!a || !b || a == b || a->images_len != b->images_len || a->is_truncated != b->is_truncated ||
        a->is_shrunken != b->is_shrunken)
        return a == b;
    for (size_t i = 0; i < a->images_len; i++) {
        if (strcmp(repository_info_tag(a, i), repository_info_tag(b, i)) != 0 ||
            !same_details(repository_info_details(a, i), repository_info_details(b, i)))
            return false;
    }
    return true;
}

/* Whether a list brings a tag that neither the answer before it has nor a webhook told of meanwhile. */
static bool brings_untold(const struct scan_entry *entry, const struct repository_info *list)
{
    const struct repository_info *before = entry->info;
    size_t at = 0;
    for (size_t i = 0; before && i < list->images_len; i++) { /* both are sorted */
        const char *tag = repository_info_tag(list, i);
        while (at < before->images_len && strcmp(repository_info_tag(before, at), tag) < 0)
            at++;
        bool is_known = at < before->images_len && !strcmp(repository_info_tag(before, at), tag);
        if (!is_known && !strvec_contains(&entry->pushed, tag))
            return true;
    }
    return false;
}

static void take_info(struct scan_entry *entry, struct scan_result *result)
{
    if (!result->info)
        return;
    repository_info_unref(entry->info);
    entry->info = steal(&result->info);
}

bool scan_entry_take(struct scan_entry *entry, struct scan_result *result, int64_t now_ms)
{
    bool differs = result->info && !same_answer(entry->info, result->info);
    bool was_pushed = entry->run == SCAN_RUN_PUSHED;
    entry->run = SCAN_RUN_NONE;
    if (was_pushed) { /* the list stays as good or as bad as it was */
        take_info(entry, result);
        return differs;
    }
    if (result->info && !result->error.code)
        entry->is_half_told = brings_untold(entry, result->info);
    differs = differs || !entry->is_answered || entry->error.code != result->error.code;
    take_info(entry, result);
    entry->error = result->error;
    entry->failures = result->error.code ? entry->failures + 1 : 0;
    entry->is_answered = true;
    if (!result->error.code) {
        entry->good_ms = entry->listed_ms = now_ms;
        entry->is_overdue = false;
    }
    return differs;
}

static bool wants_names_only(const struct scan_entry *entry)
{
    AUTO_FREE char *question = scan_entry_question(entry);
    return !*question;
}

static int64_t lower(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void scan_entry_put_off_list(struct scan_entry *entry, int64_t interval_ms, int64_t pause_ms, int64_t now_ms)
{
    const struct repository_info *info = entry->info;
    if (!info || !entry->next_ms || !entry->is_answered || entry->error.code || entry->is_half_told ||
        info->is_truncated || info->is_shrunken || !wants_names_only(entry))
        return;
    int64_t longest = lower(PUSHES_LAST_INTERVALS * interval_ms, PUSHES_LAST_MS);
    if (longest < 2 * interval_ms)
        longest = 2 * interval_ms;
    int64_t next_ms = lower(now_ms + pause_ms, entry->listed_ms + longest);
    if (next_ms > entry->next_ms)
        entry->next_ms = next_ms;
    entry->good_ms = now_ms;
}

bool scan_entry_became_overdue(struct scan_entry *entry, int64_t interval_ms, int64_t now_ms)
{
    if (entry->is_overdue || now_ms - entry->good_ms <= OVERDUE_INTERVALS * interval_ms)
        return false;
    entry->is_overdue = true;
    return true;
}
