#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strmap.h"
#include "cache/cache.h"
#include "daemon/metrics.h"
#include "scanner/registry_stats.h"

static void free_metrics(struct metrics **metrics)
{
    metrics_free(*metrics);
}

static char *written(struct metrics *metrics)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    metrics_write(metrics, &out);
    return strbuf_detach(&out, NULL);
}

static void assert_has(const char *text, const char *line)
{
    if (!strstr(text, line))
        fail_msg("no \"%s\" in:\n%s", line, text);
}

static void test_metrics_writes_nothing_before_the_first_value(void **state UNUSED)
{
    CLEANUP(free_metrics) struct metrics *metrics = metrics_new();
    AUTO_FREE char *text = written(metrics);
    assert_string_equal(text, "");
}

static void test_metrics_writes_counters_and_gauges(void **state UNUSED)
{
    CLEANUP(free_metrics) struct metrics *metrics = metrics_new();
    metrics_add(metrics, METRIC_SCANS, METRIC_LABELS("quay.io", "ok"), 2);
    metrics_add(metrics, METRIC_SCANS, METRIC_LABELS("quay.io", "ok"), 1);
    metrics_add(metrics, METRIC_SCANS, METRIC_LABELS("quay.io", "timeout"), 1);
    metrics_set(metrics, METRIC_GIT_READY, NULL, 1);
    metrics_set(metrics, METRIC_GIT_READY, NULL, 0);
    AUTO_FREE char *text = written(metrics);
    assert_has(text, "# TYPE pawl_scans_total counter\npawl_scans_total{host=\"quay.io\",result=\"ok\"} 3\n"
                     "pawl_scans_total{host=\"quay.io\",result=\"timeout\"} 1\n");
    assert_has(text, "# TYPE flux_git_ready gauge\nflux_git_ready 0\n");
}

static void test_metrics_writes_cumulative_buckets(void **state UNUSED)
{
    CLEANUP(free_metrics) struct metrics *metrics = metrics_new();
    static const double values[] = {0.5, 0.6, 300, 5};
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        metrics_observe(metrics, METRIC_SYNC_DURATION, METRIC_LABELS("true"), values[i]);
    AUTO_FREE char *text = written(metrics);
    assert_has(text, "# TYPE flux_daemon_sync_duration_seconds histogram\n"
                     "flux_daemon_sync_duration_seconds_bucket{success=\"true\",le=\"0.5\"} 1\n"
                     "flux_daemon_sync_duration_seconds_bucket{success=\"true\",le=\"5\"} 3\n"
                     "flux_daemon_sync_duration_seconds_bucket{success=\"true\",le=\"10\"} 3\n");
    assert_has(text, "{success=\"true\",le=\"240\"} 3\n"
                     "flux_daemon_sync_duration_seconds_bucket{success=\"true\",le=\"+Inf\"} 4\n"
                     "flux_daemon_sync_duration_seconds_sum{success=\"true\"} 306.1\n"
                     "flux_daemon_sync_duration_seconds_count{success=\"true\"} 4\n");
}

/* Scanner and cache count by their own bounds; they must be the row's. */
static void test_metrics_takes_a_histogram_that_somebody_else_counted(void **state UNUSED)
{
    const double *bounds = metric_rows[METRIC_REGISTRY_DURATION].buckets;
    for (size_t i = 0; i < REGISTRY_LATENCY_BOUNDS; i++)
        assert_true(bounds[i] == registry_latency_bounds_s[i]);
    assert_true(bounds[REGISTRY_LATENCY_BOUNDS] == 0);
    bounds = metric_rows[METRIC_CACHE_REQUEST_DURATION].buckets;
    for (size_t i = 0; i < CACHE_DURATION_BOUNDS; i++)
        assert_true(bounds[i] == cache_duration_bounds_s[i]);
    assert_true(bounds[CACHE_DURATION_BOUNDS] == 0);

    struct registry_host_stats stats = {.host = "quay.io"};
    static const int64_t took_ms[] = {5, 10, 11, 2000, 31000};
    for (size_t i = 0; i < ARRAY_LEN(took_ms); i++)
        registry_stats_count(&stats, REGISTRY_TAGS, 200, 100, took_ms[i]);
    CLEANUP(free_metrics) struct metrics *metrics = metrics_new();
    static const uint64_t none[REGISTRY_LATENCY_BOUNDS + 1];
    metrics_set_histogram(metrics, METRIC_REGISTRY_DURATION, METRIC_LABELS("idle.test"), none, 0);
    for (int twice = 0; twice < 2; twice++)
        metrics_set_histogram(metrics, METRIC_REGISTRY_DURATION, METRIC_LABELS("quay.io"),
                              stats.latency_buckets, stats.latency_sum_s);
    AUTO_FREE char *text = written(metrics);
    assert_has(text, "_bucket{host=\"quay.io\",le=\"0.01\"} 2\n");
    assert_has(text, "_bucket{host=\"quay.io\",le=\"30\"} 4\n");
    assert_has(text, "_bucket{host=\"quay.io\",le=\"+Inf\"} 5\n");
    assert_has(text, "_sum{host=\"quay.io\"} 33.026\n");
    assert_has(text, "_count{host=\"quay.io\"} 5\n");
    assert_null(strstr(text, "idle.test"));
}

static void test_metrics_escapes_label_values(void **state UNUSED)
{
    CLEANUP(free_metrics) struct metrics *metrics = metrics_new();
    metrics_set(metrics, METRIC_TAGS, METRIC_LABELS("a\"b\\c\nd"), 1);
    AUTO_FREE char *text = written(metrics);
    assert_has(text, "pawl_image_tags{image=\"a\\\"b\\\\c\\nd\"} 1\n");
}

static void test_metrics_forgets_what_is_cleared(void **state UNUSED)
{
    CLEANUP(free_metrics) struct metrics *metrics = metrics_new();
    metrics_set(metrics, METRIC_TAGS, METRIC_LABELS("a"), 1);
    metrics_clear(metrics, METRIC_TAGS);
    metrics_set(metrics, METRIC_TAGS, METRIC_LABELS("b"), 1);
    AUTO_FREE char *text = written(metrics);
    assert_null(strstr(text, "image=\"a\""));
    assert_has(text, "image=\"b\"");
}

static void test_metrics_bounds_the_number_of_series(void **state UNUSED)
{
    CLEANUP(free_metrics) struct metrics *metrics = metrics_new();
    for (unsigned i = 0; i < LIMIT_METRIC_SERIES + 10; i++) {
        char name[32];
        snprintf(name, sizeof(name), "image-%u", i);
        metrics_set(metrics, METRIC_TAGS, METRIC_LABELS(name), 1);
    }
    AUTO_FREE char *text = written(metrics);
    unsigned lines = 0;
    for (const char *at = text; (at = strstr(at, "\npawl_image_tags{")) != NULL; at++)
        lines++;
    assert_int_equal(lines, LIMIT_METRIC_SERIES);
}

static void test_metrics_has_a_whole_row_for_each(void **state UNUSED)
{
    CLEANUP(strmap_release) struct strmap names = STRMAP_INIT;
    for (size_t i = 0; i < METRICS_LEN; i++) {
        const struct metric_row *row = &metric_rows[i];
        assert_non_null(row->name);
        assert_false(strmap_has(&names, row->name));
        strmap_set(&names, row->name, NULL);
        assert_true(str_starts_with(row->name, "flux_") || str_starts_with(row->name, "pawl_"));
        assert_non_null(row->labels);
        assert_int_equal(row->buckets != NULL, row->type == METRIC_HISTOGRAM);
        assert_true(str_ends_with(row->help, "."));
        assert_null(strpbrk(row->help, "\\\n")); /* it is written as it is */
        assert_int_equal(row->type == METRIC_COUNTER, str_ends_with(row->name, "_total"));
    }
}

#define FETCH_BUCKETS ".005 .01 .025 .05 .1 .25 .5 1 2.5 5 10"

/* Flux v1's own, as its dashboards and alerts know them. */
static void test_metrics_keeps_to_flux_v1(void **state UNUSED)
{
    static const struct {
        const char *name;
        enum metric_type type;
        const char *labels, *buckets;
    } wanted[] = {
        {"flux_daemon_sync_duration_seconds", METRIC_HISTOGRAM, "success",
         ".5 5 10 20 30 40 50 60 75 90 120 240"},
        {"flux_daemon_job_duration_seconds", METRIC_HISTOGRAM, "success",
         ".1 .5 1 2 5 10 15 20 30 45 60 120"},
        {"flux_daemon_sync_manifests", METRIC_GAUGE, "success", ""},
        {"flux_git_ready", METRIC_GAUGE, "", ""},
        {"flux_registry_fetch_duration_seconds", METRIC_HISTOGRAM, "success", FETCH_BUCKETS},
        {"flux_client_fetch_duration_seconds", METRIC_HISTOGRAM, "kind success", FETCH_BUCKETS},
        {"flux_cache_request_duration_seconds", METRIC_HISTOGRAM, "method success", FETCH_BUCKETS},
        {"flux_fluxsvc_release_duration_seconds", METRIC_HISTOGRAM, "release_type release_kind success",
         FETCH_BUCKETS},
        {"flux_fluxsvc_release_stage_duration_seconds", METRIC_HISTOGRAM, "stage", FETCH_BUCKETS},
    };
    size_t found = 0;
    for (size_t i = 0; i < METRICS_LEN; i++) {
        const struct metric_row *row = &metric_rows[i];
        for (size_t k = 0; k < ARRAY_LEN(wanted); k++) {
            if (strcmp(row->name, wanted[k].name) != 0)
                continue;
            found++;
            assert_int_equal(row->type, wanted[k].type);
            assert_string_equal(row->labels, wanted[k].labels);
            const char *text = wanted[k].buckets;
            for (const double *bound = row->buckets; bound && *bound > 0; bound++) {
                char *end;
                assert_true(strtod(text, &end) == *bound);
                text = end;
            }
            assert_string_equal(text, "");
        }
        found += str_starts_with(row->name, "pawl_");
    }
    assert_int_equal(found, METRICS_LEN); /* no flux_ name but these */
}

static void test_metrics_takes_none_for_no_metrics(void **state UNUSED)
{
    metrics_add(NULL, METRIC_OVERDUE, NULL, 1);
    metrics_observe(NULL, METRIC_SYNC_DURATION, METRIC_LABELS("true"), 1);
    metrics_clear(NULL, METRIC_OVERDUE);
    AUTO_FREE char *text = written(NULL);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics_writes_nothing_before_the_first_value),
        cmocka_unit_test(test_metrics_writes_counters_and_gauges),
        cmocka_unit_test(test_metrics_writes_cumulative_buckets),
        cmocka_unit_test(test_metrics_takes_a_histogram_that_somebody_else_counted),
        cmocka_unit_test(test_metrics_escapes_label_values),
        cmocka_unit_test(test_metrics_forgets_what_is_cleared),
        cmocka_unit_test(test_metrics_bounds_the_number_of_series),
        cmocka_unit_test(test_metrics_has_a_whole_row_for_each),
        cmocka_unit_test(test_metrics_keeps_to_flux_v1),
        cmocka_unit_test(test_metrics_takes_none_for_no_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
