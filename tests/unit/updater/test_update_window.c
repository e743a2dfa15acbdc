#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "base/time_zone.h"
#include "updater/update_window.h"

static int64_t at(const char *time)
{
    int64_t ms = 0;
    assert_int_equal(clock_parse_rfc3339(time, &ms), 0);
    return ms;
}

static struct update_window *window(const char *text)
{
    struct error err = ERROR_INIT;
    struct update_window *w = update_window_new(text, TIME_ZONE_DIRECTORY, &err);
    if (!w)
        fail_msg("%s: %s", text, err.text);
    return w;
}

/* 2026-01-12 is a Monday; clocks go forward in Berlin on Sunday, March 29, and back on October 25. */
static void test_update_window_is_open_when_it_says(void **state)
{
    (void)state;
    static const struct {
        const char *window, *now;
        bool is_open;
        const char *changes; /* when next; NULL: never */
    } cases[] = {
        {"Mon-Fri 09:00-16:00 Europe/Berlin", "2026-01-12T07:59:59Z", false, "2026-01-12T08:00:00Z"},
        {"Mon-Fri 09:00-16:00 Europe/Berlin", "2026-01-12T08:00:00Z", true, "2026-01-12T15:00:00Z"},
        {"Mon-Fri 09:00-16:00 Europe/Berlin", "2026-01-16T15:00:00Z", false, "2026-01-19T08:00:00Z"},
        {"Mon-Fri 09:00-16:00 Europe/Berlin", "2026-07-13T07:00:00Z", true, "2026-07-13T14:00:00Z"},
        {"mon-friday 9:00-16:00", "2026-01-12T09:00:00Z", true, "2026-01-12T16:00:00Z"},
        {"09:00-16:00", "2026-01-11T09:30:15Z", true, "2026-01-11T16:00:00Z"},
        {"00:00-24:00", "2026-01-11T09:30:15Z", true, NULL},
        {"Sat 00:00-24:00", "2026-01-12T00:00:00Z", false, "2026-01-17T00:00:00Z"},
        {"Sat 00:00-24:00", "2026-01-17T00:00:00Z", true, "2026-01-18T00:00:00Z"},
        {"Sat-Mon 10:00-11:00", "2026-01-12T10:30:00Z", true, "2026-01-12T11:00:00Z"},
        {"Sat-Mon 10:00-11:00", "2026-01-13T10:30:00Z", false, "2026-01-17T10:00:00Z"},
        /* overnight: of the day on which it begins */
        {"Fri 22:00-04:00", "2026-01-16T21:59:59Z", false, "2026-01-16T22:00:00Z"},
        {"Fri 22:00-04:00", "2026-01-17T03:59:59Z", true, "2026-01-17T04:00:00Z"},
        {"Fri 22:00-04:00", "2026-01-16T03:00:00Z", false, "2026-01-16T22:00:00Z"},
        {"Sun 22:00-00:00", "2026-01-18T23:59:59Z", true, "2026-01-19T00:00:00Z"},
        /* several */
        {"Mon 09:00-10:00; Tue 11:00-12:00", "2026-01-12T09:30:00Z", true, "2026-01-12T10:00:00Z"},
        {"Mon 09:00-10:00; Tue 11:00-12:00", "2026-01-12T10:00:00Z", false, "2026-01-13T11:00:00Z"},
        {"Mon 09:00-10:00;10:00-11:00", "2026-01-12T09:30:00Z", true, "2026-01-12T11:00:00Z"},
        {"Mon,Wed 09:00-10:00", "2026-01-14T09:30:00Z", true, "2026-01-14T10:00:00Z"},
        {"Mon,Wed 09:00-10:00", "2026-01-13T09:30:00Z", false, "2026-01-14T09:00:00Z"},
        {"Mon-Fri 09:00-12:00,13:00-16:00 Europe/Berlin", "2026-01-12T08:30:00Z", true,
         "2026-01-12T11:00:00Z"},
        {"Mon-Fri 09:00-12:00,13:00-16:00 Europe/Berlin", "2026-01-18T13:30:00Z", false,
         "2026-01-19T08:00:00Z"},
        {"Mon 09:00-10:00 Europe/Berlin, Tue 09:00-10:00", "2026-01-13T08:30:00Z", true,
         "2026-01-13T09:00:00Z"},
        /* clocks go forward: 02:30 is no time of that day; and back: it is twice */
        {"02:00-02:30 Europe/Berlin", "2026-03-29T00:59:00Z", false, "2026-03-30T00:00:00Z"},
        {"Sun 01:00-03:30 Europe/Berlin", "2026-03-29T00:30:00Z", true, "2026-03-29T01:30:00Z"},
        {"Sun 02:30-04:00 Europe/Berlin", "2026-03-29T00:30:00Z", false, "2026-03-29T01:00:00Z"},
        {"Sun 02:00-03:00 Europe/Berlin", "2026-10-25T00:30:00Z", true, "2026-10-25T02:00:00Z"},
        {"Sun 02:15-02:30 Europe/Berlin", "2026-10-25T00:30:00Z", false, "2026-10-25T01:15:00Z"},
        {"Sun 02:15-02:30 Europe/Berlin", "2026-10-25T01:15:00Z", true, "2026-10-25T01:30:00Z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct update_window *w = window(cases[i].window);
        int64_t changes = update_window_next_change_ms(w, at(cases[i].now));
        int64_t expected = cases[i].changes ? at(cases[i].changes) : INT64_MAX;
        char text[CLOCK_RFC3339_SIZE] = "never";
        if (changes != INT64_MAX)
            clock_format_rfc3339(changes, text);
        if (update_window_is_open(w, at(cases[i].now)) != cases[i].is_open || changes != expected)
            fail_msg("%s at %s: open %d, changes %s", cases[i].window, cases[i].now,
                     update_window_is_open(w, at(cases[i].now)), text);
        update_window_free(w);
    }
}

/* -- against the C library's own idea of local time ------------------------------------------------------------- */

#define MINUTE_MS INT64_C(60000)
#define MINUTES   (3 * 24 * 60) /* looked at one by one, around a change of the clocks */

/* One span; start > end: overnight. */
struct span {
    int first_day, last_day; /* from Sunday */
    int start, end;
};

static bool is_day_of(const struct span *span, int day)
{
    return (day - span->first_day + 7) % 7 <= (span->last_day - span->first_day + 7) % 7;
}

static bool is_open_by_libc(const struct span *span, int64_t at_ms)
{
    const time_t seconds = (time_t)(at_ms / 1000);
    struct tm there;
    assert_non_null(localtime_r(&seconds, &there));
    int minute = there.tm_hour * 60 + there.tm_min;
    if (span->start < span->end)
        return is_day_of(span, there.tm_wday) && minute >= span->start && minute < span->end;
    return (is_day_of(span, there.tm_wday) && minute >= span->start) ||
           (is_day_of(span, (there.tm_wday + 6) % 7) && minute < span->end);
}

static void check_span(const struct span *span, const char *zone, int64_t from_ms)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    AUTO_FREE char *text =
        xasprintf("%s-%s %02d:%02d-%02d:%02d %s", days[span->first_day], days[span->last_day],
                  span->start / 60, span->start % 60, span->end / 60, span->end % 60, zone);
    struct update_window *w = window(text);
    int64_t expected = INT64_MAX; /* the next change, seen from the minute after */
    for (int i = MINUTES; i-- > 0;) {
        int64_t at_ms = from_ms + i * MINUTE_MS;
        bool is_open = is_open_by_libc(span, at_ms);
        if (update_window_is_open(w, at_ms) != is_open)
            fail_msg("%s at %lld", text, (long long)at_ms);
        if (is_open_by_libc(span, at_ms + MINUTE_MS) != is_open)
            expected = at_ms + MINUTE_MS;
        if (i % 97 == 0 && expected != INT64_MAX && update_window_next_change_ms(w, at_ms) != expected)
            fail_msg("%s at %lld: the next change is not %lld", text, (long long)at_ms, (long long)expected);
    }
    update_window_free(w);
}

static void test_update_window_agrees_with_libc_when_clocks_change(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *from; /* a day before the clocks change */
    } places[] = {
        {"Europe/Berlin", "2026-03-28T00:00:00Z"},       {"Europe/Berlin", "2026-10-24T00:00:00Z"},
        {"America/New_York", "2026-03-07T00:00:00Z"},    {"America/New_York", "2026-10-31T00:00:00Z"},
        {"Australia/Lord_Howe", "2026-04-03T00:00:00Z"}, {"Australia/Lord_Howe", "2026-10-02T00:00:00Z"},
        {"America/Nuuk", "2026-03-27T12:00:00Z"},        {"Asia/Kolkata", "2026-03-28T00:00:00Z"},
        {"Pacific/Apia", "2011-12-29T00:00:00Z"}, /* which left out a whole day */
    };
    static const struct span spans[] = {
        {0, 6, 0, 24 * 60},      {0, 0, 2 * 60, 3 * 60},      {6, 0, 22 * 60, 4 * 60},
        {1, 5, 9 * 60, 16 * 60}, {0, 0, 2 * 60 + 15, 150},    {6, 6, 23 * 60 + 59, 1},
        {5, 1, 60, 2 * 60},      {0, 6, 3 * 60, 2 * 60 + 30},
    };
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        assert_int_equal(setenv("TZ", places[i].zone, 1), 0);
        tzset();
        for (size_t k = 0; k < ARRAY_LEN(spans); k++)
            check_span(&spans[k], places[i].zone, at(places[i].from));
    }
}

static void test_update_window_refuses_what_it_cannot_read(void **state)
{
    (void)state;
    static const struct {
        const char *window, *words;
    } cases[] = {
        {"", "empty"},
        {" ; ", "empty"},
        {"Mon 09:00-10:00;", "empty"},
        {"Mon", "without times"},
        {"Mon 09:00-10:00,Tue", "without times"},
        {"Mon 09:00", "span of time"},
        {"Mon 09:00-09:00", "span of time"},
        {"Mon 24:00-09:00", "span of time"},
        {"Mon 09:00-24:30", "span of time"},
        {"Mon 09:60-10:30", "span of time"},
        {"Mon 9-17", "span of time"},
        {"Mon 09:00-10:00-11:00", "span of time"},
        {"Mon-Fry 09:00-10:00", "Mon-Fry"},
        {"09:00-10:00 Mon", "Mon"},
        {"09:00-10:00 11:00-12:00", "11:00-12:00"},
        {"Mon 09:00-10:00 Europe/Atlantis", "Europe/Atlantis"},
        {"Mon 09:00-10:00 ../passwd", "../passwd"},
        {"Mon 09:00-10:00 Europe/Berlin Europe/Paris", "Europe/Paris"},
        {"* 09:00-10:00", "*"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        if (update_window_new(cases[i].window, TIME_ZONE_DIRECTORY, &err))
            fail_msg("%s was taken", cases[i].window);
        if (!strstr(err.text, cases[i].words))
            fail_msg("%s: %s", cases[i].window, err.text);
    }
    CLEANUP(strbuf_release) struct strbuf many = STRBUF_INIT;
    for (int i = 0; i < 65; i++)
        strbuf_addf(&many, "%sMon 09:00-10:00", i ? ";" : "");
    struct error err = ERROR_INIT;
    assert_null(update_window_new(many.buf, TIME_ZONE_DIRECTORY, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_update_window_is_open_when_it_says),
        cmocka_unit_test(test_update_window_agrees_with_libc_when_clocks_change),
        cmocka_unit_test(test_update_window_refuses_what_it_cannot_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
