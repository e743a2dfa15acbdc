#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/time_zone.h"
#include "base/time_zone_rule.h"

static void test_time_zone_knows_the_offset_of_a_moment(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t at_s, offset_s;
    } cases[] = {
        {"UTC", 0, 0},
        {"Europe/Berlin", 1768435200, 3600},
        {"Europe/Berlin", 1774745999, 3600}, /* a second before summer time */
        {"Europe/Berlin", 1774746000, 7200},
        {"Europe/Berlin", 1792889999, 7200}, /* and before its end */
        {"Europe/Berlin", 1792890000, 3600},
        {"Europe/Berlin", -2195942400, 3600}, /* 1900 */
        {"Europe/Berlin", 2855865600, 7200},  /* 2060, after the table */
        {"Europe/Berlin", 2869084800, 3600},
        {"America/New_York", 1772953199, -18000},
        {"America/New_York", 1772953200, -14400},
        {"America/New_York", 1793512799, -14400},
        {"America/New_York", 1793512800, -18000},
        {"Australia/Lord_Howe", 2682374400, 39600}, /* half an hour, and summer over the new year */
        {"Australia/Lord_Howe", 2698012800, 37800},
        {"Asia/Kolkata", 3155760000, 19800},
        {"America/Sao_Paulo", 2840140800, -10800},
        {"Europe/Dublin", 2840140800, 0}, /* whose winter is the exception */
        {"Europe/Dublin", 2855865600, 3600},
        {"America/Nuuk", 2855865600, -3600}, /* changes on the day before, at -1 */
        {"America/Nuuk", 2869084800, -7200},
        {"Etc/GMT+3", 1767225600, -10800},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        struct time_zone *zone = time_zone_load(TIME_ZONE_DIRECTORY, cases[i].name, &err);
        if (!zone)
            fail_msg("%s", err.text);
        int64_t offset_ms = time_zone_offset_ms(zone, cases[i].at_s * 1000);
        if (offset_ms != cases[i].offset_s * 1000)
            fail_msg("%s at %lld: %lld", cases[i].name, (long long)cases[i].at_s, (long long)offset_ms);
        time_zone_free(zone);
    }
}

static void test_time_zone_refuses_what_is_no_name(void **state)
{
    (void)state;
    static const char *const names[] = {"",
                                        "../../etc/passwd",
                                        "/etc/localtime",
                                        "Europe/../../x",
                                        "a b",
                                        "Europe//Berlin",
                                        "Mars/Olympus",
                                        "Europe",
                                        "zone.tab",
                                        "."};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct error err = ERROR_INIT;
        assert_null(time_zone_load(TIME_ZONE_DIRECTORY, names[i], &err));
        assert_true(err.code == ERROR_INVALID || err.code == ERROR_NOT_FOUND);
        assert_non_null(strstr(err.text, "Europe/Berlin"));
    }
}

static void test_time_zone_refuses_what_is_no_table(void **state)
{
    (void)state;
    char bytes[200] = "TZif2";
    bytes[39] = 1; /* one type in the first part */
    memcpy(bytes + 44 + 6, "TZif2", 5);
    bytes[44 + 6 + 39] = 1;
    size_t end = (size_t)(44 + 6 + 44 + 6);
    memcpy(bytes + end, "\nUTC0\n", 6);
    struct time_zone *zone = time_zone_parse(bytes, end + 6, NULL);
    assert_non_null(zone); /* whole it is one */
    assert_int_equal(time_zone_offset_ms(zone, 0), 0);
    time_zone_free(zone);
    for (size_t len = 0; len < end + 6; len++)
        assert_null(time_zone_parse(bytes, len, NULL));
    bytes[4] = '\0'; /* version 1 */
    assert_null(time_zone_parse(bytes, end + 6, NULL));
    bytes[4] = '2';
    memset(bytes + 44 + 6 + 20, 0xff, 24); /* counts beyond the end */
    assert_null(time_zone_parse(bytes, end + 6, NULL));
}

static void test_time_zone_rule_reads_what_posix_writes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t winter_s, summer_s; /* 2026-01-15 and 2026-07-15, 12:00 UTC */
    } good[] = {
        {"UTC0", 0, 0},
        {"<+0330>-3:30", 12600, 12600},
        {"EST5EDT,M3.2.0,M11.1.0", -18000, -14400},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 3600, 7200},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", 39600, 36000},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", 0, 3600},
        {"EST5EDT4:30,J60/2:30:15,J300", -18000, -16200},
        {"XXX3EDT4,0/0,J365/23", -14400, -14400},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", -7200, -3600},
    };
    static const char *const bad[] = {"",
                                      "U0",
                                      "UTC",
                                      "UTC0x",
                                      "EST5EDT",
                                      "EST5EDT,M3.2.0",
                                      "EST5EDT,M13.2.0,M11.1.0",
                                      "EST5EDT,M3.6.0,M11.1.0",
                                      "<EST5",
                                      "EST25",
                                      "EST5EDT,J0,J9",
                                      "EST5EDT,M3.2.0,M11.1.0,",
                                      "EST5:"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct time_zone_rule rule;
        if (!time_zone_rule_parse(good[i].text, &rule))
            fail_msg("%s", good[i].text);
        assert_int_equal(time_zone_rule_offset_s(&rule, 1768478400), good[i].winter_s);
        assert_int_equal(time_zone_rule_offset_s(&rule, 1784116800), good[i].summer_s);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct time_zone_rule rule;
        if (time_zone_rule_parse(bad[i], &rule))
            fail_msg("%s was taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_zone_knows_the_offset_of_a_moment),
        cmocka_unit_test(test_time_zone_refuses_what_is_no_name),
        cmocka_unit_test(test_time_zone_refuses_what_is_no_table),
        cmocka_unit_test(test_time_zone_rule_reads_what_posix_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
