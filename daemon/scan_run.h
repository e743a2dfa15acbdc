/*
 * One run of the scanner for an entry: its list, or its pushed tags. What the run needs is taken out of the entry under the
 * lock of the scanner's thread; the run is submitted without it.
 */
#ifndef DAEMON_SCAN_RUN_H
#define DAEMON_SCAN_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/strbuf.h"
#include "daemon/scan_entry.h"
#include "daemon/scan_pace.h"
#include "scanner/scanner.h"

struct scan_run {
    struct scan_entry *entry;
    struct repository_info *base; /* a reference; NULL: list the repository */
    struct strvec pushed;
    bool dates_by_labels, wants_push_times;
    int64_t max_age_ms;
    bool has_questions; /* or else names are enough. Demands that come while it runs have it run again. */
};

/* Both begin: the entry is noted as running since `now_ms`. Release them. */
struct scan_run scan_run_of_list(struct scan_entry *entry, const struct scan_pace *pace, int64_t now_ms)
    MUST_CHECK;
/* The entry's pushed tags move into the run. */
struct scan_run scan_run_of_pushes(struct scan_entry *entry, int64_t now_ms) MUST_CHECK;
void scan_run_release(struct scan_run *run);

/* `wants` and `done` get the entry as their context. */
void scan_run_submit(const struct scan_run *run, struct scanner *scanner,
                     unsigned (*wants)(const char *tag, void *context), scan_done done);

#endif
