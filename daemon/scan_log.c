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

void scan_log_overdue(const struct strvec *overdue, int64_t interval_ms)
{
    char interval[CLOCK_DURATION_SIZE];
    clock_format_duration(interval_ms, interval);
    for (size_t i = 0; i < overdue->len; i++)
        log_event(LOG_WARN, "scanner", "event", "overdue", "image", overdue->items[i], "interval", interval,
                  "msg", "not scanned successfully for three intervals", NULL);
}

void scan_log_answers_again(const char *repository)
{
    log_event(LOG_INFO, "scanner", "event", "answers-again", "image", repository, NULL);
}
