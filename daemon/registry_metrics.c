#include "daemon/registry_metrics.h"

#include "scanner/registry_stats.h"

static void take_requests(struct metrics *metrics, const struct registry_host_stats *stats)
{
    for (int kind = 0; kind < REGISTRY_KINDS; kind++) {
        for (int outcome = 0; outcome < REGISTRY_OUTCOMES; outcome++) {
            if (stats->requests[kind][outcome])
                metrics_set(metrics, METRIC_REGISTRY_REQUESTS,
                            METRIC_LABELS(stats->host, registry_kind_name((enum registry_kind)kind),
                                          registry_outcome_name((enum registry_outcome)outcome)),
                            (double)stats->requests[kind][outcome]);
        }
    }
}

static void take_host(const struct registry_host_stats *stats, void *context)
{
    struct metrics *metrics = context;
    const char *const *host = METRIC_LABELS(stats->host);
    take_requests(metrics, stats);
    metrics_set(metrics, METRIC_REGISTRY_BYTES, host, (double)stats->bytes);
    metrics_set_histogram(metrics, METRIC_REGISTRY_DURATION, host, stats->latency_buckets,
                          stats->latency_sum_s);
    metrics_set(metrics, METRIC_REGISTRY_IN_FLIGHT, host, (double)stats->in_flight);
    metrics_set(metrics, METRIC_REGISTRY_WAITING, host, (double)stats->waiting);
    metrics_set(metrics, METRIC_REGISTRY_RATE, METRIC_LABELS(stats->host, "now"), stats->rps);
    metrics_set(metrics, METRIC_REGISTRY_RATE, METRIC_LABELS(stats->host, "ceiling"), stats->rps_ceiling);
    metrics_set(metrics, METRIC_REGISTRY_BLOCKED_UNTIL, host, (double)stats->blocked_until_ms / 1000);
    if (stats->quota_remaining >= 0)
        metrics_set(metrics, METRIC_REGISTRY_QUOTA, host, (double)stats->quota_remaining);
    if (stats->quota_limit >= 0)
        metrics_set(metrics, METRIC_REGISTRY_QUOTA_LIMIT, host, (double)stats->quota_limit);
}

void registry_metrics_take(struct metrics *metrics, struct scanner *scanner)
{
    if (metrics)
        scanner_stats_visit(scanner, take_host, metrics);
}
