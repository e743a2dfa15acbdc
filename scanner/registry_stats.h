/*
 * What was asked of each registry host, and how much of it may be used: numbers for metrics and for people.
 *
 * Counters only grow and begin with the scanner. A request is counted once, when it ends: by what it was for and
 * by how it ended, so requests[k][o] over all k and o is the number of latency observations, too. Redirects to
 * where blobs are kept count as part of the request that led there.
 */
#ifndef SCANNER_REGISTRY_STATS_H
#define SCANNER_REGISTRY_STATS_H

#include <stddef.h>
#include <stdint.h>

/* What a request was for. REGISTRY_PING is one that only found out whether the host speaks https or http. */
enum registry_kind {
    REGISTRY_TAGS,
    REGISTRY_MANIFEST,
    REGISTRY_CONFIG,
    REGISTRY_TOKEN,
    REGISTRY_PING,
    REGISTRY_KINDS
};
/* "tags", "manifest", "config", "token", "ping" */
const char *registry_kind_name(enum registry_kind kind);

/* How it ended. A 304 is a 3xx; a 429 is counted apart from the other 4xx; REGISTRY_FAILED had no status at all:
 * not connected, timed out, broken off, cancelled. */
enum registry_outcome {
    REGISTRY_2XX,
    REGISTRY_3XX,
    REGISTRY_4XX,
    REGISTRY_429,
    REGISTRY_5XX,
    REGISTRY_FAILED,
    REGISTRY_OUTCOMES
};
/* "2xx", "3xx", "4xx", "429", "5xx", "failed" */
const char *registry_outcome_name(enum registry_outcome outcome);

/* Upper bounds of the latency buckets in seconds; a last bucket without bound follows them. */
#define REGISTRY_LATENCY_BOUNDS 8
extern const double registry_latency_bounds_s[REGISTRY_LATENCY_BOUNDS];

struct registry_host_stats {
    /* As in repository names: "index.docker.io", "reg:5000"; borrowed until visit returns. */
    const char *host;

    /* the budget (rate_limit.h) */
    double rps, rps_ceiling; /* requests a second that it may get now, and at most; 0: no limit */
    size_t in_flight, waiting;
    int64_t blocked_until_ms;             /* wall time; 0: not blocked */
    int64_t quota_limit, quota_remaining; /* as the host last said, of the log-in that has the fewest left;
                                             -1: it says nothing */

    /* counters */
    uint64_t requests[REGISTRY_KINDS][REGISTRY_OUTCOMES];
    uint64_t bytes;                                        /* of bodies that were received whole */
    double latency_sum_s;                                  /* from sending to the end of the body */
    uint64_t latency_buckets[REGISTRY_LATENCY_BOUNDS + 1]; /* each its own, not cumulated */
};

/* Counts one request that ended after `took_ms` with an HTTP status (0: without one) and so many bytes of body. */
void registry_stats_count(struct registry_host_stats *stats, enum registry_kind kind, int status,
                          size_t bytes, int64_t took_ms);

/* `stats` is valid until it returns. It may not call the scanner. */
typedef void (*registry_stats_visit)(const struct registry_host_stats *stats, void *context);

#endif
