#include "daemon/scan_metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Each repository's share of the time that a round waited for all of its answers. */
void scan_metrics_answers(struct metrics *metrics, const struct scan_result *results, size_t len,
                          int64_t waited_ms)
{
    double share_s = len ? (double)waited_ms / 1000 / (double)len : 0;
    for (size_t i = 0; i < len; i++) {
        bool is_good = results[i].info && !results[i].error.code;
        metrics_observe(metrics, METRIC_REGISTRY_FETCH_DURATION, METRIC_LABELS(is_good ? "true" : "false"),
                        share_s);
    }
}

/* Of entries that ask for one repository with several log-ins the oldest answer is shown. */
void scan_metrics_entry(struct metrics *metrics, struct strmap *shown, struct scan_entry *entry,
                        int64_t now_ms)
{
    const struct scan_entry *other = strmap_get(shown, entry->repository);
    if (other && other->info->scanned_ms <= entry->info->scanned_ms)
        return;
    strmap_set(shown, entry->repository, entry);
    double age_s = (double)(now_ms - entry->info->scanned_ms) / 1000;
    metrics_set(metrics, METRIC_TAGS, METRIC_LABELS(entry->repository), (double)entry->info->images_len);
    metrics_set(metrics, METRIC_ANSWER_AGE, METRIC_LABELS(entry->repository), age_s);
}

void scan_metrics_run(struct metrics *metrics, const struct scan_entry *entry,
                      const struct scan_result *result, int64_t now_ms)
{
    AUTO_FREE char *host = xmemdupz(entry->repository, strcspn(entry->repository, "/"));
    const char *kind = entry->run == SCAN_RUN_PUSHED ? "metadata" : "tags";
    const char *outcome = result->error.code ? error_code_name(result->error.code) : "ok";
    double seconds = (double)(now_ms - entry->started_ms) / 1000;
    metrics_add(metrics, METRIC_SCANS, METRIC_LABELS(host, outcome), 1);
    if (result->error.code == ERROR_RATE_LIMITED)
        metrics_add(metrics, METRIC_REGISTRY_RATE_LIMITED, METRIC_LABELS(host), 1);
    if (result->requests)
        metrics_observe(metrics, METRIC_CLIENT_FETCH_DURATION,
                        METRIC_LABELS(kind, result->error.code ? "false" : "true"), seconds);
}

static void measure_cache_durations(struct metrics *metrics, const struct cache_stats *stats)
{
    static const char *const methods[CACHE_OPERATIONS] = {[CACHE_GET] = "GetKey", [CACHE_PUT] = "SetKey"};
    for (size_t i = 0; i < CACHE_OPERATIONS; i++) {
        for (int success = 0; success < 2; success++) {
            const struct cache_durations *durations = &stats->durations[i][success];
            metrics_set_histogram(metrics, METRIC_CACHE_REQUEST_DURATION,
                                  METRIC_LABELS(methods[i], success ? "true" : "false"), durations->buckets,
                                  durations->sum_s);
        }
    }
}

void scan_metrics_cache(struct metrics *metrics, const struct cache_stats *stats)
{
    metrics_set(metrics, METRIC_CACHE_OPERATIONS, METRIC_LABELS("hit"), (double)stats->hits);
    metrics_set(metrics, METRIC_CACHE_OPERATIONS, METRIC_LABELS("miss"), (double)stats->misses);
    metrics_set(metrics, METRIC_CACHE_OPERATIONS, METRIC_LABELS("write"), (double)stats->writes);
    metrics_set(metrics, METRIC_CACHE_OPERATIONS, METRIC_LABELS("failure"), (double)stats->failures);
    measure_cache_durations(metrics, stats);
}
