#include "daemon/metrics.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strmap.h"

/* One combination of label values. */
struct series {
    double value; /* of a histogram: the sum */
    uint64_t count;
    uint64_t buckets[]; /* one per bound, not cumulative */
};

struct metrics {
    pthread_mutex_t lock;
    struct strmap series[METRICS_LEN]; /* 'host="quay.io"' -> struct series * */
};

static void lock(struct metrics *metrics)
{
    pthread_mutex_lock(&metrics->lock);
}

static void unlock(struct metrics *metrics)
{
    pthread_mutex_unlock(&metrics->lock);
}

static size_t bounds_len(const struct metric_row *row)
{
    size_t len = 0;
    while (row->buckets && row->buckets[len] > 0)
        len++;
    return len;
}

/* Backslash, quote and line end are escaped in a label's value. */
static void add_label_value(struct strbuf *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '\n')
            strbuf_addstr(out, "\\n");
        else if (*value == '"' || *value == '\\')
            strbuf_addf(out, "\\%c", *value);
        else
            strbuf_addch(out, *value);
    }
}

static void add_labels(struct strbuf *out, const struct metric_row *row, const char *const *values)
{
    const char *name = row->labels;
    for (size_t i = 0; *name; i++) {
        size_t len = strcspn(name, " ");
        strbuf_addf(out, "%s%.*s=\"", i ? "," : "", (int)len, name);
        add_label_value(out, values[i]);
        strbuf_addch(out, '"');
        name += len + (name[len] == ' ');
    }
}

/* NULL where there are too many already. */
static struct series *series_for(struct metrics *metrics, enum metric metric, const char *const *labels)
{
    const struct metric_row *row = &metric_rows[metric];
    struct strmap *all = &metrics->series[metric];
    CLEANUP(strbuf_release) struct strbuf key = STRBUF_INIT;
    add_labels(&key, row, labels);
    struct series *series = strmap_get(all, key.buf);
    if (series || strmap_size(all) >= LIMIT_METRIC_SERIES)
        return series;
    series = xcalloc(1, sizeof(*series) + bounds_len(row) * sizeof(uint64_t));
    strmap_set(all, key.buf, series);
    return series;
}

struct metrics *metrics_new(void)
{
    struct metrics *metrics = xcalloc(1, sizeof(*metrics));
    pthread_mutex_init(&metrics->lock, NULL);
    for (size_t i = 0; i < METRICS_LEN; i++)
        strmap_init(&metrics->series[i], free);
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (!metrics)
        return;
    for (size_t i = 0; i < METRICS_LEN; i++)
        strmap_release(&metrics->series[i]);
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

void metrics_add(struct metrics *metrics, enum metric metric, const char *const *labels, double value)
{
    if (!metrics)
        return;
    lock(metrics);
    struct series *series = series_for(metrics, metric, labels);
    if (series)
        series->value += value;
    unlock(metrics);
}

void metrics_set(struct metrics *metrics, enum metric metric, const char *const *labels, double value)
{
    if (!metrics)
        return;
    lock(metrics);
    struct series *series = series_for(metrics, metric, labels);
    if (series)
        series->value = value;
    unlock(metrics);
}

void metrics_observe(struct metrics *metrics, enum metric metric, const char *const *labels, double value)
{
    if (!metrics)
        return;
    lock(metrics);
    struct series *series = series_for(metrics, metric, labels);
    if (series) {
        const double *bounds = metric_rows[metric].buckets;
        size_t i = 0;
        while (bounds[i] > 0 && value > bounds[i])
            i++;
        if (bounds[i] > 0)
            series->buckets[i]++;
        series->value += value;
        series->count++;
    }
    unlock(metrics);
}

void metrics_set_histogram(struct metrics *metrics, enum metric metric, const char *const *labels,
                           const uint64_t *counts, double sum)
{
    size_t bounds = bounds_len(&metric_rows[metric]);
    uint64_t count = 0;
    for (size_t i = 0; i <= bounds; i++)
        count += counts[i];
    if (!metrics || !count)
        return;
    lock(metrics);
    struct series *series = series_for(metrics, metric, labels);
    if (series) {
        memcpy(series->buckets, counts, bounds * sizeof(*counts));
        series->value = sum;
        series->count = count;
    }
    unlock(metrics);
}

void metrics_clear(struct metrics *metrics, enum metric metric)
{
    if (!metrics)
        return;
    lock(metrics);
    strmap_release(&metrics->series[metric]);
    strmap_init(&metrics->series[metric], free);
    unlock(metrics);
}

/* -- text -------------------------------------------------------------------------------------------------- */

static void write_value(struct strbuf *out, const char *name, const char *labels, double value)
{
    const char *open = *labels ? "{" : "", *close = *labels ? "}" : "";
    strbuf_addf(out, "%s%s%s%s %.15g\n", name, open, labels, close, value);
}

static void write_histogram(struct strbuf *out, const struct metric_row *row, const char *labels,
                            const struct series *series)
{
    const char *comma = *labels ? "," : "", *open = *labels ? "{" : "", *close = *labels ? "}" : "";
    uint64_t below = 0;
    for (size_t i = 0; i < bounds_len(row); i++) {
        below += series->buckets[i];
        strbuf_addf(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", row->name, labels, comma, row->buckets[i],
                    (unsigned long long)below);
    }
    unsigned long long count = series->count;
    strbuf_addf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", row->name, labels, comma, count);
    strbuf_addf(out, "%s_sum%s%s%s %.15g\n", row->name, open, labels, close, series->value);
    strbuf_addf(out, "%s_count%s%s%s %llu\n", row->name, open, labels, close, count);
}

static void write_metric(const struct metric_row *row, const struct strmap *all, struct strbuf *out)
{
    static const char *const types[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
    strbuf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name, types[row->type]);
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *labels;
    void *series;
    while (strmap_next(all, &cursor, &labels, &series)) {
        if (row->type == METRIC_HISTOGRAM)
            write_histogram(out, row, labels, series);
        else
            write_value(out, row->name, labels, ((struct series *)series)->value);
    }
}

void metrics_write(struct metrics *metrics, struct strbuf *out)
{
    if (!metrics)
        return;
    lock(metrics);
    for (size_t i = 0; i < METRICS_LEN; i++) {
        if (strmap_size(&metrics->series[i]))
            write_metric(&metric_rows[i], &metrics->series[i], out);
    }
    unlock(metrics);
}
