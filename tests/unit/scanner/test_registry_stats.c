#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "scanner/registry_stats.h"

static void test_registry_stats_count_by_kind_outcome_and_time(void **state)
{
    static const struct {
        enum registry_kind kind;
        int status;
        enum registry_outcome outcome;
        int64_t took_ms;
        size_t bucket;
    } cases[] = {
        {REGISTRY_TAGS, 200, REGISTRY_2XX, 0, 0},        {REGISTRY_TAGS, 304, REGISTRY_3XX, 10, 0},
        {REGISTRY_MANIFEST, 404, REGISTRY_4XX, 11, 1},   {REGISTRY_CONFIG, 429, REGISTRY_429, 100, 2},
        {REGISTRY_TOKEN, 503, REGISTRY_5XX, 999, 4},     {REGISTRY_PING, 0, REGISTRY_FAILED, 30000, 7},
        {REGISTRY_TAGS, 199, REGISTRY_FAILED, 30001, 8}, {REGISTRY_TAGS, 999, REGISTRY_FAILED, -5, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct registry_host_stats stats = {.host = "quay.io"};
        registry_stats_count(&stats, cases[i].kind, cases[i].status, 7, cases[i].took_ms);
        if (stats.requests[cases[i].kind][cases[i].outcome] != 1 ||
            stats.latency_buckets[cases[i].bucket] != 1)
            fail_msg("case %zu", i);
        assert_int_equal(stats.bytes, 7);
        assert_true(stats.latency_sum_s >= 0);
    }
}

static void test_registry_stats_names_are_distinct(void **state)
{
    (void)state;
    for (int i = 0; i < REGISTRY_KINDS; i++) {
        for (int k = 0; k < i; k++)
            assert_string_not_equal(registry_kind_name(i), registry_kind_name(k));
    }
    for (int i = 0; i < REGISTRY_OUTCOMES; i++) {
        for (int k = 0; k < i; k++)
            assert_string_not_equal(registry_outcome_name(i), registry_outcome_name(k));
    }
    for (int i = 1; i < REGISTRY_LATENCY_BOUNDS; i++)
        assert_true(registry_latency_bounds_s[i] > registry_latency_bounds_s[i - 1]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registry_stats_count_by_kind_outcome_and_time),
        cmocka_unit_test(test_registry_stats_names_are_distinct),
    };
    return cmocka_run_group_tests_name("registry_stats", tests, NULL, NULL);
}
