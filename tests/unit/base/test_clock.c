#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/strbuf.h"

static void test_clock_parses_rfc3339(void **state UNUSED)
{
    static const struct {
        const char *text;
        int64_t wall_ms; /* -1: refused */
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-01-02T03:04:05Z", 1767323045000},
        {"2026-01-02t03:04:05z", 1767323045000},
        {"2026-01-02 03:04:05Z", 1767323045000},
        {"2026-01-02T03:04:05.6Z", 1767323045600},
        {"2026-01-02T03:04:05.678901234Z", 1767323045678},
        {"2026-01-02T03:04:05+00:00", 1767323045000},
        {"2026-01-02T05:04:05+02:00", 1767323045000},
        {"2026-01-01T21:34:05-05:30", 1767323045000},
        {"2026-01-01T21:34:05-0530", 1767323045000},
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"2016-12-31T23:59:60Z", 1483228800000},
        {"", -1},
        {"2026", -1},
        {"2026-01-02", -1},
        {"2026-01-02T03:04:05", -1},
        {"2026-01-02T03:04:05Zx", -1},
        {"2026-01-02T03:04:05.Z", -1},
        {"2026-01-02T03:04:05,6Z", -1},
        {"2026-1-02T03:04:05Z", -1},
        {"26-01-02T03:04:05Z", -1},
        {"-026-01-02T03:04:05Z", -1},
        {"2026-13-02T03:04:05Z", -1},
        {"2026-00-02T03:04:05Z", -1},
        {"2026-01-32T03:04:05Z", -1},
        {"2026-04-31T03:04:05Z", -1},
        {"2026-02-29T03:04:05Z", -1},
        {"1900-02-29T03:04:05Z", -1},
        {"2026-01-00T03:04:05Z", -1},
        {"2026-01-02T24:04:05Z", -1},
        {"2026-01-02T03:60:05Z", -1},
        {"2026-01-02T03:04:61Z", -1},
        {"2026-01-02T03:04:05+24:00", -1},
        {"2026-01-02T03:04:05+02:60", -1},
        {"2026-01-02T03:04:05+2:00", -1},
        {" 2026-01-02T03:04:05Z", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t wall_ms = -1;
        int result = clock_parse_rfc3339(cases[i].text, &wall_ms);
        if (result != (cases[i].wall_ms == -1 ? -1 : 0) || wall_ms != cases[i].wall_ms)
            fail_msg("%s: %d, %lld", cases[i].text, result, (long long)wall_ms);
    }
}

static void test_clock_formats_rfc3339_as_it_is_read(void **state UNUSED)
{
    static const struct {
        int64_t wall_ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-1000, "1969-12-31T23:59:59Z"},
        {1767323045600, "2026-01-02T03:04:05.600Z"},
        {-62135596800000, "0001-01-01T00:00:00Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[CLOCK_RFC3339_SIZE];
        int64_t again = -5;
        clock_format_rfc3339(cases[i].wall_ms, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(clock_parse_rfc3339(text, &again), 0);
        assert_true(again == cases[i].wall_ms);
    }
}

static void test_clock_parses_durations_as_go_does(void **state UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf endless = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf huge = STRBUF_INIT;
    strbuf_addf(&endless, "1%0999d.%0999ds", 1, 1);
    strbuf_addf(&huge, "9%0399dh", 1);
    const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } cases[] = {
        {"0", 0},           {"0s", 0},           {"5m", 300000},
        {"1h30m", 5400000}, {"300ms", 300},      {"1.5h", 5400000},
        {".5s", 500},       {"1.s", 1000},       {"1.001s", 1001},
        {"0.3s", 300},      {"2d", 172800000},   {"1s1ms", 1001},
        {"1500us", 1},      {"1\xc2\xb5s", 0},   {"2000000ns", 2},
        {"1h1h", 7200000},  {"1m30s5ms", 90005}, {"", -1},
        {"5", -1},          {"m", -1},           {"-5m", -1},
        {"5 m", -1},        {"5m ", -1},         {"1.2.3s", -1},
        {".s", -1},         {"5M", -1},          {"1h30", -1},
        {"1e3s", -1},       {"0x5s", -1},        {"5mm", -1},
        {huge.buf, -1},     {endless.buf, -1},   {"99999999999999h", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ms = -1;
        int result = clock_parse_duration(cases[i].text, &ms);
        if (result != (cases[i].ms == -1 ? -1 : 0) || ms != cases[i].ms)
            fail_msg("%s: %d, %lld", cases[i].text, result, (long long)ms);
    }
}

static void test_clock_formats_durations_as_they_are_read(void **state UNUSED)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {1, "1ms"},
        {999, "999ms"},
        {1000, "1s"},
        {1500, "1s500ms"},
        {60000, "1m"},
        {60001, "1m1ms"},
        {90000, "1m30s"},
        {3600000, "1h"},
        {5400000, "1h30m"},
        {172800000, "48h"},
        {3661001, "1h1m1s1ms"},
        {1000000000000000, "277777777h46m40s"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[CLOCK_DURATION_SIZE];
        int64_t again = -1;
        clock_format_duration(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(clock_parse_duration(text, &again), 0);
        assert_true(again == cases[i].ms);
    }
}

static void test_clock_of_the_system_moves_forward(void **state UNUSED)
{
    int64_t before = clock_monotonic_ms(&system_clock);
    const struct timespec pause = {.tv_nsec = 3000000};
    nanosleep(&pause, NULL);
    assert_true(clock_monotonic_ms(&system_clock) > before);
    assert_true(clock_wall_ms(&system_clock) > 1700000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_parses_rfc3339),
        cmocka_unit_test(test_clock_formats_rfc3339_as_it_is_read),
        cmocka_unit_test(test_clock_parses_durations_as_go_does),
        cmocka_unit_test(test_clock_formats_durations_as_they_are_read),
        cmocka_unit_test(test_clock_of_the_system_moves_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
