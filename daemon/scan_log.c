#include "daemon/scan_log.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"

void scan_log_bad_tags(struct scan_entry *entry, size_t bad_tags)
{
    if (bad_tags <= entry->bad_tags)
        return;
    entry->bad_tags = bad_tags;
    AUTO_FREE char *count = xasprintf("%zu", bad_tags);
    log_event(LOG_WARN, "scanner", "event", "bad-tags", "image", entry->repository, "count", count, "msg",
              "the registry lists names that no tag can have; they are skipped", NULL);
}

static const struct {
    enum log_level level;
    const char *event, *msg, *msg_of_more;
} kinds[] = {
    [SCAN_LOG_OVERDUE] = {LOG_WARN, "overdue", "not scanned successfully for three intervals",
                          "as many more were not scanned successfully for three intervals"},
    [SCAN_LOG_ANSWERS_AGAIN] = {LOG_INFO, "answers-again", NULL, "as many more answer again"},
};

static void flush(struct scan_log *log, enum scan_log_kind kind, int64_t now_ms)
{
    if (now_ms - log->minutes[kind].since_ms < SCAN_LOG_MINUTE_MS)
        return;
    if (log->minutes[kind].counted) {
        AUTO_FREE char *count = xasprintf("%zu", log->minutes[kind].counted);
        log_event(kinds[kind].level, "scanner", "event", kinds[kind].event, "count", count, "msg",
                  kinds[kind].msg_of_more, NULL);
    }
    log->minutes[kind].since_ms = now_ms;
    log->minutes[kind].named = 0;
    log->minutes[kind].counted = 0;
}

static void say(struct scan_log *log, enum scan_log_kind kind, const char *repository, const char *interval,
                int64_t now_ms)
{
    flush(log, kind, now_ms);
    if (log->minutes[kind].named == SCAN_LOG_BURST) {
        log->minutes[kind].counted++;
        return;
    }
    log->minutes[kind].named++;
    log_event(kinds[kind].level, "scanner", "event", kinds[kind].event, "image", repository, "interval",
              interval, "msg", kinds[kind].msg, NULL);
}

void scan_log_overdue(struct scan_log *log, const struct strvec *overdue, int64_t interval_ms, int64_t now_ms)
{
    char interval[CLOCK_DURATION_SIZE];
    clock_format_duration(interval_ms, interval);
    for (size_t i = 0; i < overdue->len; i++)
        say(log, SCAN_LOG_OVERDUE, overdue->items[i], interval, now_ms);
}

void scan_log_answers_again(struct scan_log *log, const char *repository, int64_t now_ms)
{
    say(log, SCAN_LOG_ANSWERS_AGAIN, repository, NULL, now_ms);
}

void scan_log_flush(struct scan_log *log, int64_t now_ms)
{
    for (int kind = 0; kind < SCAN_LOG_KINDS; kind++) {
        if (log->minutes[kind].counted)
            flush(log, (enum scan_log_kind)kind, now_ms);
    }
}
