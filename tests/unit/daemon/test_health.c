#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "daemon/health.h"

static int64_t time_ms;

static int64_t read_time(void *context UNUSED)
{
    return time_ms;
}

static const struct clock test_clock = {.wall_ms = read_time, .monotonic_ms = read_time};

static void free_health(struct health **health)
{
    health_free(*health);
}

static struct health *new_health(void)
{
    static const char *const names[] = {"first", "second"};
    time_ms = 1000;
    return health_new(names, 2, &test_clock);
}

static void assert_alive(struct health *health, const char *text)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    assert_int_equal(health_is_alive(health, &out), !strcmp(text, "ok"));
    assert_non_null(strstr(out.buf, text));
}

static void assert_ready(struct health *health, const char *text)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    assert_int_equal(health_is_ready(health, &out), !strcmp(text, "ok"));
    assert_non_null(strstr(out.buf, text));
}

static void test_health_is_ready_when_all_were_fetched(void **state UNUSED)
{
    CLEANUP(free_health) struct health *health = new_health();
    assert_ready(health, "first has not been fetched");
    health_round_ends(health, 0, true);
    assert_ready(health, "second has not been fetched");
    health_round_ends(health, 1, false);
    assert_ready(health, "second has not been fetched");
    health_round_ends(health, 1, true);
    health_round_ends(health, 0, false);
    assert_ready(health, "ok");
}

static void test_health_ends_with_a_scanner_that_is_stuck(void **state UNUSED)
{
    CLEANUP(free_health) struct health *health = new_health();
    time_ms += HEALTH_SCANNER_MS;
    assert_alive(health, "ok");
    time_ms++;
    assert_alive(health, "the scanner's thread");
    health_scanner_beats(health);
    assert_alive(health, "ok");
}

static void test_health_ends_with_a_round_that_is_stuck(void **state UNUSED)
{
    CLEANUP(free_health) struct health *health = new_health();
    health_round_begins(health, 1);
    time_ms += HEALTH_ROUND_MS;
    health_scanner_beats(health);
    assert_alive(health, "ok");
    time_ms++;
    assert_alive(health, "the round of second");
    health_round_ends(health, 1, false);
    assert_alive(health, "ok");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health_is_ready_when_all_were_fetched),
        cmocka_unit_test(test_health_ends_with_a_scanner_that_is_stuck),
        cmocka_unit_test(test_health_ends_with_a_round_that_is_stuck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
