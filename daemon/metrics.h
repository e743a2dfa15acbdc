/*
 * Metrics: counters, gauges and histograms, written as Prometheus text (exposition format 0.0.4).
 *
 * Every metric is one row of the table in daemon/metrics_table.c: name, type, names of its labels, buckets, help.
 * Flux v1's names mean what they meant there, so its dashboards and alerts go on working; pawl's own begin with
 * "pawl_". As there, a metric with labels appears with its first value.
 *
 * All functions may be called from any thread; each holds one lock for a moment. A NULL `metrics` takes everything
 * and keeps nothing.
 */
#ifndef DAEMON_METRICS_H
#define DAEMON_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/strbuf.h"

enum metric {
    METRIC_SYNC_DURATION,
    METRIC_SYNC_MANIFESTS,
    METRIC_GIT_READY,
    METRIC_JOB_DURATION,
    METRIC_RELEASE_DURATION,
    METRIC_RELEASE_STAGE_DURATION,
    METRIC_CLIENT_FETCH_DURATION,
    METRIC_REGISTRY_FETCH_DURATION,
    METRIC_ROUNDS,
    METRIC_ROUND_DURATION,
    METRIC_UPDATES,
    METRIC_CONTAINERS,
    METRIC_CONTAINERS_HELD,
    METRIC_SCANS,
    METRIC_REGISTRY_REQUESTS,
    METRIC_REGISTRY_RATE_LIMITED,
    METRIC_REGISTRY_BYTES,
    METRIC_REGISTRY_DURATION,
    METRIC_REGISTRY_IN_FLIGHT,
    METRIC_REGISTRY_WAITING,
    METRIC_REGISTRY_RATE,
    METRIC_REGISTRY_BLOCKED_UNTIL,
    METRIC_REGISTRY_QUOTA,
    METRIC_REGISTRY_QUOTA_LIMIT,
    METRIC_TAGS,
    METRIC_ANSWER_AGE,
    METRIC_OVERDUE,
    METRIC_CACHE_OPERATIONS,
    METRIC_CACHE_REQUEST_DURATION,
    METRIC_HOOKS,
    METRIC_HOOK_IMAGES,
    METRIC_BUILD_INFO,
    METRICS_LEN,
};

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_row {
    const char *name;
    enum metric_type type;
    const char *labels;    /* names, separated by blanks; "" none */
    const double *buckets; /* upper bounds, ascending, ended by 0; NULL: no histogram */
    const char *help;
};
extern const struct metric_row metric_rows[METRICS_LEN];

struct metrics;
struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics); /* NULL does nothing */

/* The values of a metric's labels, in the order of its row: METRIC_LABELS("quay.io", "failed"). NULL: it has none. */
#define METRIC_LABELS(...)                                                                                   \
    ((const char *const[]){                                                                                  \
        __VA_ARGS__,                                                                                         \
    })

/* Adds to a counter. */
void metrics_add(struct metrics *metrics, enum metric metric, const char *const *labels, double value);
/* Sets a gauge (or a counter that somebody else counts). */
void metrics_set(struct metrics *metrics, enum metric metric, const char *const *labels, double value);
/* Puts a value into a histogram. */
void metrics_observe(struct metrics *metrics, enum metric metric, const char *const *labels, double value);
/* Sets a histogram that somebody else counts: `counts` has one number per bound of the row, not cumulative, and one
 * more for what is above all of them. Where nothing was counted yet, it does nothing. */
void metrics_set_histogram(struct metrics *metrics, enum metric metric, const char *const *labels,
                           const uint64_t *counts, double sum);
/* Forgets all values, so that gauges of what is gone do not stay. */
void metrics_clear(struct metrics *metrics, enum metric metric);

/* Appends everything. */
void metrics_write(struct metrics *metrics, struct strbuf *out);

#endif
