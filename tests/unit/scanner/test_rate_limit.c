#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scanner/rate_limit.h"

static void test_rate_limit_burst_then_rate(void **state)
{
    (void)state;
    struct rate_limit limit;
    rate_limit_init(&limit, 10, 3, 1000);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rate_limit_take(&limit, 1000), 0);
    int64_t wait_ms = rate_limit_take(&limit, 1000);
    assert_in_range(wait_ms, 100, 101);
    assert_true(rate_limit_take(&limit, 1000 + wait_ms - 10) > 0);
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

static void test_rate_limit_odd_values(void **state)
{
    (void)state;
    struct rate_limit limit;
    rate_limit_init(&limit, 0, 0, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(rate_limit_take(&limit, 0), 0);
    rate_limit_init(&limit, 1, 0, 0);
    assert_int_equal(rate_limit_take(&limit, 0), 0);
    assert_true(rate_limit_take(&limit, -5000) > 0);
    assert_in_range(rate_limit_take(&limit, -5000), 1, 1001);
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
        cmocka_unit_test(test_rate_limit_odd_values),
    };
    return cmocka_run_group_tests_name("rate_limit", tests, NULL, NULL);
}
