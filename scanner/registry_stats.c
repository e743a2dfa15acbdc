#include "scanner/registry_stats.h"

/* A cached list takes some ten milliseconds, a token from afar some hundred; a registry that needs ten seconds is
 * about to fail. */
const double registry_latency_bounds_s[REGISTRY_LATENCY_BOUNDS] = {0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30};

const char *registry_kind_name(enum registry_kind kind)
{
    static const char *const names[REGISTRY_KINDS] = {
        [REGISTRY_TAGS] = "tags",   [REGISTRY_MANIFEST] = "manifest", [REGISTRY_CONFIG] = "config",
        [REGISTRY_TOKEN] = "token", [REGISTRY_PING] = "ping",
    };
    return names[kind];
}

const char *registry_outcome_name(enum registry_outcome outcome)
{
    static const char *const names[REGISTRY_OUTCOMES] = {
        [REGISTRY_2XX] = "2xx", [REGISTRY_3XX] = "3xx", [REGISTRY_4XX] = "4xx",
        [REGISTRY_429] = "429", [REGISTRY_5XX] = "5xx", [REGISTRY_FAILED] = "failed",
    };
    return names[outcome];
}

static enum registry_outcome outcome_of(int status)
{
    static const enum registry_outcome by_hundreds[] = {REGISTRY_FAILED, REGISTRY_FAILED, REGISTRY_2XX,
                                                        REGISTRY_3XX,    REGISTRY_4XX,    REGISTRY_5XX};
    if (status == 429)
        return REGISTRY_429;
    return status < 200 || status > 599 ? REGISTRY_FAILED : by_hundreds[status / 100];
}

void registry_stats_count(struct registry_host_stats *stats, enum registry_kind kind, int status,
                          size_t bytes, int64_t took_ms)
{
    double took_s = took_ms > 0 ? (double)took_ms / 1000 : 0;
    size_t bucket = 0;
    while (bucket < REGISTRY_LATENCY_BOUNDS && took_s > registry_latency_bounds_s[bucket])
        bucket++;
    stats->requests[kind][outcome_of(status)]++;
    stats->bytes += bytes;
    stats->latency_sum_s += took_s;
    stats->latency_buckets[bucket]++;
}
