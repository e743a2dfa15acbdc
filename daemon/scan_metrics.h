/*
 * The numbers of the scanner's thread: what it asked, what it knows, and what its cache did. NULL for the metrics
 * measures nothing.
 */
#ifndef DAEMON_SCAN_METRICS_H
#define DAEMON_SCAN_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/strmap.h"
#include "cache/cache.h"
#include "daemon/metrics.h"
#include "daemon/scan_entry.h"
#include "scanner/scanner.h"

/* A round took its answers, and waited so long for all of them. */
void scan_metrics_answers(struct metrics *metrics, const struct scan_result *results, size_t len,
                          int64_t waited_ms);
/* A run of the entry has ended at now_ms (monotonic). */
void scan_metrics_run(struct metrics *metrics, const struct scan_entry *entry,
                      const struct scan_result *result, int64_t now_ms);
/* What is known of an entry's repository, which has an answer, at now_ms (wall time). `shown` has those that were measured
 * before, by repository. */
void scan_metrics_entry(struct metrics *metrics, struct strmap *shown, struct scan_entry *entry,
                        int64_t now_ms);
void scan_metrics_cache(struct metrics *metrics, const struct cache_stats *stats);

#endif
