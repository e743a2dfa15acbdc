#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scanner/rate_limit.h"

#define MINUTE_MS INT64_C(60000)

static void test_rate_limit_burst_then_rate(void **state)
{
    (void)state;
    struct rate_limit limit;
    rate_limit_init(&limit, 10, 3, 1000);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rate_limit_take(&limit, 1000), 0);
    int64_t wait_ms = rate_limit_take(&limit, 1000);
    assert_in_range(wait_ms, 100, 111);
    assert_true(rate_limit_take(&limit, 1000 + 90) > 0);
    assert_int_equal(rate_limit_take(&limit, 1000 + wait_ms), 0);
    assert_true(rate_limit_take(&limit, 1000 + wait_ms) > 0);
}

static void test_rate_limit_rest_fills_to_burst_only(void **state)
{
    (void)state;
    struct rate_limit limit;
    rate_limit_init(&limit, 100, 2, 0);
    int taken = 0;
    while (rate_limit_take(&limit, 3600000) == 0)
        taken++;
    assert_int_equal(taken, 2);
    rate_limit_give_back(&limit);
    assert_int_equal(rate_limit_take(&limit, 3600000), 0);
    for (int i = 0; i < 5; i++)
        rate_limit_give_back(&limit);
    for (taken = 0; rate_limit_take(&limit, 3600000) == 0;)
        taken++;
    assert_int_equal(taken, 2);
}

static void test_rate_limit_counts_over_time(void **state)
{
    (void)state;
    struct rate_limit limit;
    rate_limit_init(&limit, 50, 10, 0);
    int taken = 0;
    for (int64_t now = 0; now < 10000; now++)
        taken += rate_limit_take(&limit, now) == 0;
    assert_in_range(taken, 505, 511);
}

/* A cold start: a thousand repositories are asked for in one moment, and no second gets more than its share. */
static void test_rate_limit_spreads_a_cold_start(void **state)
{
    (void)state;
    struct rate_limit limit;
    rate_limit_init(&limit, 50, 10, 0);
    int waiting = 1000, in_second = 0;
    int64_t now = 0, second = 0;
    while (waiting) {
        if (now / 1000 != second) {
            second = now / 1000;
            in_second = 0;
        }
        int64_t wait_ms = rate_limit_take(&limit, now);
        now += wait_ms;
        if (wait_ms)
            continue;
        waiting--;
        if (++in_second > 60)
            fail_msg("%d in second %d", in_second, (int)second);
    }
    assert_in_range(now, 19000, 21000);
}

static void test_rate_limit_waits_are_not_all_alike(void **state)
{
    (void)state;
    struct rate_limit limit;
    int64_t least = INT64_MAX, most = 0;
    rate_limit_init(&limit, 1, 1, 0);
    rate_limit_take(&limit, 0);
    for (int i = 0; i < 50; i++) {
        int64_t wait_ms = rate_limit_take(&limit, 0);
        least = wait_ms < least ? wait_ms : least;
        most = wait_ms > most ? wait_ms : most;
    }
    assert_in_range(least, 1000, 1050);
    assert_in_range(most, 1050, 1101);
}

static void test_rate_limit_refusal_halves_once_per_burst(void **state)
{
    static const struct {
        int64_t sent_ms, now_ms;
        double rps; /* afterwards, rounded down */
    } cases[] = {
        {100, 200, 25}, {150, 210, 25}, {200, 220, 25}, /* all sent before the first refusal came */
        {201, 300, 12}, {202, 310, 12}, {400, 500, 6},
    };
    (void)state;
    struct rate_limit limit;
    rate_limit_init(&limit, 50, 10, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rate_limit_refused(&limit, cases[i].sent_ms, cases[i].now_ms);
        assert_int_equal((int)rate_limit_rps(&limit, cases[i].now_ms), (int)cases[i].rps);
        assert_true(rate_limit_take(&limit, cases[i].now_ms) > 0);
    }
}

static void test_rate_limit_halves_down_to_a_floor(void **state)
{
    (void)state;
    struct rate_limit limit;
    rate_limit_init(&limit, 50, 10, 0);
    for (int64_t now = 1; now < 100; now++)
        rate_limit_refused(&limit, now, now);
    assert_in_range(rate_limit_rps(&limit, 99) * 1000, 100, 101);
    assert_in_range(rate_limit_take(&limit, 99), 10000, 11001);
    rate_limit_init(&limit, 0.01, 1, 0);
    assert_true(rate_limit_refused(&limit, 1, 2));
    assert_in_range(rate_limit_rps(&limit, 2) * 1000, 10, 10);
}

static void test_rate_limit_recovers_slowly(void **state)
{
    static const struct {
        int minutes, rps;
    } cases[] = {{0, 20}, {1, 22}, {5, 30}, {9, 38}, {10, 40}, {11, 40}, {100000, 40}};
    (void)state;
    struct rate_limit limit;
    rate_limit_init(&limit, 40, 10, 0);
    assert_true(rate_limit_refused(&limit, 0, 1000));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal((int)(rate_limit_rps(&limit, 1000 + cases[i].minutes * MINUTE_MS) + 0.001),
                         cases[i].rps);
    /* what may go at once recovers with it: five of ten at half the rate */
    int taken = 0;
    rate_limit_refused(&limit, INT64_C(4000000), INT64_C(4000000));
    while (rate_limit_take(&limit, INT64_C(4000000) + 2000) == 0)
        taken++;
    assert_int_equal(taken, 5);
}

static void test_rate_limit_odd_values(void **state)
{
    (void)state;
    struct rate_limit limit;
    rate_limit_init(&limit, 0, 0, 0);
    assert_true(rate_limit_refused(&limit, 0, 0));
    for (int i = 0; i < 100; i++)
        assert_int_equal(rate_limit_take(&limit, 0), 0);
    rate_limit_init(&limit, 1, 0, 0);
    assert_int_equal(rate_limit_take(&limit, 0), 0);
    assert_true(rate_limit_take(&limit, -5000) > 0);
    assert_in_range(rate_limit_take(&limit, -5000), 1, 1101);
    rate_limit_init(&limit, 1e-9, 1, 0);
    assert_int_equal(rate_limit_take(&limit, 0), 0);
    assert_int_equal(rate_limit_take(&limit, 0), 3600000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate_limit_burst_then_rate),
        cmocka_unit_test(test_rate_limit_rest_fills_to_burst_only),
        cmocka_unit_test(test_rate_limit_counts_over_time),
        cmocka_unit_test(test_rate_limit_spreads_a_cold_start),
        cmocka_unit_test(test_rate_limit_waits_are_not_all_alike),
        cmocka_unit_test(test_rate_limit_refusal_halves_once_per_burst),
        cmocka_unit_test(test_rate_limit_halves_down_to_a_floor),
        cmocka_unit_test(test_rate_limit_recovers_slowly),
        cmocka_unit_test(test_rate_limit_odd_values),
    };
    return cmocka_run_group_tests_name("rate_limit", tests, NULL, NULL);
}
