#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "scanner/rate_quota.h"

#define WALL_MS INT64_C(1767323045000) /* Fri, 02 Jan 2026 03:04:05 GMT */
#define HOUR_MS INT64_C(3600000)

static void read_fields(struct rate_quota *quota, const char *fields, enum registry_kind kind, bool is_head,
                        int64_t now_ms)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    strbuf_addf(&response.headers, "HTTP/1.1 200 OK\r\n%s\r\n", fields);
    rate_quota_read(quota, &response, kind, is_head, now_ms, WALL_MS);
    http_response_release(&response);
}

static void test_rate_quota_reads_what_hosts_send(void **state)
{
    static const struct {
        const char *fields;
        int limit, remaining, window_s; /* limit 0: nothing is read */
    } cases[] = {
        {"ratelimit-limit: 100;w=21600\r\nratelimit-remaining: 76;w=21600\r\n", 100, 76, 21600},
        {"RateLimit-Limit: 200;w=21600\r\nRateLimit-Remaining: 0;w=21600\r\n", 200, 0, 21600},
        {"RateLimit-Limit: 10, 10;w=60\r\nRateLimit-Remaining: 9\r\nRateLimit-Reset: 30\r\n", 10, 9, 30},
        {"X-RateLimit-Limit: 500\r\nX-RateLimit-Remaining: 499\r\nX-RateLimit-Reset: 1767323105\r\n", 500,
         499, 60},
        /* its clock is a day behind ours: the time is its own */
        {"Date: Thu, 01 Jan 2026 03:04:05 GMT\r\nRateLimit-Limit: 5\r\nRateLimit-Remaining: 5\r\n"
         "RateLimit-Reset: 1767236675\r\n",
         5, 5, 30},
        {"RateLimit-Limit: 5\r\nRateLimit-Remaining: 4\r\n", 5, 4, 3600},
        {"RateLimit-Remaining: 40\r\nRateLimit-Reset: 10\r\n", 40, 40, 10},
        {"RateLimit-Limit: 5;w=99999999\r\nRateLimit-Remaining: 4\r\n", 5, 4, 86400},
        {"RateLimit-Limit: 100;w=21600\r\n", 0, 0, 0},
        {"RateLimit-Remaining: many\r\n", 0, 0, 0},
        {"RateLimit-Remaining: -1\r\nRateLimit-Limit: 3\r\n", 0, 0, 0},
        {"RateLimit-Remaining: 7\r\nRateLimit-Limit: 3\r\n", 0, 0, 0},
        {"RateLimit-Remaining: 0\r\nRateLimit-Limit: 0\r\n", 0, 0, 0},
        {"RateLimit-Remaining: 9999999999999999999\r\nRateLimit-Limit: 99999999999999999999\r\n", 0, 0, 0},
        {"", 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rate_quota quota;
        rate_quota_init(&quota, 1000);
        read_fields(&quota, cases[i].fields, REGISTRY_MANIFEST, false, 1000);
        int window_s = quota.limit ? (int)((quota.window_end_ms - 1000) / 1000) : 0;
        if (quota.limit != cases[i].limit || quota.remaining != cases[i].remaining ||
            window_s != cases[i].window_s)
            fail_msg("case %zu: %d of %d for %d s", i, (int)quota.remaining, (int)quota.limit, window_s);
        assert_int_equal(rate_quota_counts(&quota, REGISTRY_MANIFEST), cases[i].limit > 0);
    }
}

/* Six hours, 100: half at once, then evenly, and ten stay. */
static void test_rate_quota_lasts_for_its_window(void **state)
{
    (void)state;
    struct rate_quota quota;
    int64_t now = 0, longest_ms = 0;
    int at_once = 0, spread = 0;
    rate_quota_init(&quota, 0);
    read_fields(&quota, "RateLimit-Limit: 100;w=21600\r\nRateLimit-Remaining: 100;w=21600\r\n",
                REGISTRY_MANIFEST, false, 0);
    while (now < 6 * HOUR_MS - 1) {
        int64_t wait_ms = rate_quota_wait(&quota, REGISTRY_MANIFEST, false, now);
        if (!wait_ms) {
            rate_quota_spend(&quota, REGISTRY_MANIFEST, false, now);
            at_once += now == 0;
            spread += now > 0;
            continue;
        }
        longest_ms = quota.remaining > 11 && wait_ms > longest_ms ? wait_ms : longest_ms;
        now += wait_ms < 6 * HOUR_MS - 1 - now ? wait_ms : 6 * HOUR_MS - 1 - now;
    }
    assert_int_equal(at_once, 50);
    assert_in_range(spread, 36, 40);
    assert_in_range(quota.remaining, 10, 14);
    assert_in_range(longest_ms, 6 * HOUR_MS / 42, 6 * HOUR_MS / 30);
    /* the next window is full */
    assert_int_equal(rate_quota_wait(&quota, REGISTRY_MANIFEST, false, 6 * HOUR_MS), 0);
    assert_int_equal(quota.remaining, 100);
}

static void test_rate_quota_holds_back_only_what_counts(void **state)
{
    static const struct {
        int remaining;
        enum registry_kind kind;
        bool is_head, may_go;
    } cases[] = {
        {60, REGISTRY_MANIFEST, false, true}, {9, REGISTRY_MANIFEST, false, false},
        {9, REGISTRY_MANIFEST, true, true},   {0, REGISTRY_MANIFEST, true, false},
        {0, REGISTRY_TAGS, false, true},      {0, REGISTRY_CONFIG, false, true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rate_quota quota;
        AUTO_FREE char *fields = xasprintf(
            "RateLimit-Limit: 100;w=21600\r\nRateLimit-Remaining: %d;w=21600\r\n", cases[i].remaining);
        rate_quota_init(&quota, 0);
        read_fields(&quota, fields, REGISTRY_MANIFEST, false, 0);
        bool may_go = rate_quota_wait(&quota, cases[i].kind, cases[i].is_head, 1) == 0;
        if (may_go != cases[i].may_go)
            fail_msg("case %zu", i);
        rate_quota_spend(&quota, cases[i].kind, cases[i].is_head, 1);
        bool is_counted = cases[i].kind == REGISTRY_MANIFEST && !cases[i].is_head;
        assert_int_equal(quota.remaining, cases[i].remaining - (is_counted ? 1 : 0));
    }
}

/* A HEAD tells what is left, and does not make a kind count. */
static void test_rate_quota_head_reads_without_counting(void **state)
{
    (void)state;
    struct rate_quota quota;
    rate_quota_init(&quota, 0);
    read_fields(&quota, "RateLimit-Limit: 100;w=60\r\nRateLimit-Remaining: 1\r\n", REGISTRY_MANIFEST, true,
                0);
    assert_int_equal(quota.remaining, 1);
    assert_false(rate_quota_counts(&quota, REGISTRY_MANIFEST));
    assert_int_equal(rate_quota_wait(&quota, REGISTRY_MANIFEST, false, 0), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate_quota_reads_what_hosts_send),
        cmocka_unit_test(test_rate_quota_lasts_for_its_window),
        cmocka_unit_test(test_rate_quota_holds_back_only_what_counts),
        cmocka_unit_test(test_rate_quota_head_reads_without_counting),
    };
    return cmocka_run_group_tests_name("rate_quota", tests, NULL, NULL);
}
