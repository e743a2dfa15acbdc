/*
 * What the scanner's thread tells people of image repositories: each thing once, when it begins.
 */
#ifndef DAEMON_SCAN_LOG_H
#define DAEMON_SCAN_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "daemon/scan_entry.h"

/* A list had so many names that no tag can have; said where it had fewer before. */
void scan_log_bad_tags(struct scan_entry *entry, size_t bad_tags);
/* The watchdog: repositories that were not scanned with success for three intervals, */
void scan_log_overdue(const struct strvec *overdue, int64_t interval_ms);
/* and one of them that was. */
void scan_log_answers_again(const char *repository);

#endif
