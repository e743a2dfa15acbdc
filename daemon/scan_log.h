/*
 * What the scanner's thread tells people of image repositories: each thing once, when it begins. When a registry fails,
 * all its repositories have the same to say: SCAN_LOG_BURST of them are named in a minute, the others are counted and said
 * in one line at its end.
 */
#ifndef DAEMON_SCAN_LOG_H
#define DAEMON_SCAN_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "daemon/scan_entry.h"

#define SCAN_LOG_BURST     10u
#define SCAN_LOG_MINUTE_MS 60000

enum scan_log_kind { SCAN_LOG_OVERDUE, SCAN_LOG_ANSWERS_AGAIN };
#define SCAN_LOG_KINDS (SCAN_LOG_ANSWERS_AGAIN + 1)

/* The thread's own; zero is empty. Times are monotonic. */
struct scan_log {
    struct {
        int64_t since_ms; /* the first of this minute */
        unsigned named;
        size_t counted;
    } minutes[SCAN_LOG_KINDS];
};

/* A list had so many names that no tag can have; said where it had fewer before. */
void scan_log_bad_tags(struct scan_entry *entry, size_t bad_tags);
/* The watchdog: repositories that were not scanned with success for three intervals, */
void scan_log_overdue(struct scan_log *log, const struct strvec *overdue, int64_t interval_ms,
                      int64_t now_ms);
/* and one of them that was. */
void scan_log_answers_again(struct scan_log *log, const char *repository, int64_t now_ms);
/* To be called now and then: says what was counted in minutes that have ended; INT64_MAX: in all. */
void scan_log_flush(struct scan_log *log, int64_t now_ms);

#endif
