#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "daemon/scan_pace.h"

#define INTERVAL 100000
#define NOW_MS   INT64_C(1700000000000)

static int64_t fixed_ms(void *context)
{
    (void)context;
    return NOW_MS;
}

static const struct clock fixed_clock = {.wall_ms = fixed_ms, .monotonic_ms = fixed_ms};

/* An entry whose answer is of that age; -1: it has none. */
static struct scan_entry *entry_of_age(int64_t age_ms)
{
    struct scan_entry *entry = scan_entry_new(NULL, "h/a", 1, 0);
    entry->next_ms = 1;
    if (age_ms < 0)
        return entry;
    entry->info = repository_info_new("h/a");
    entry->info->scanned_ms = NOW_MS - age_ms;
    return entry;
}

struct range {
    int64_t least, most;
};

/* Of many asked. */
static struct range pauses_of(const struct scan_entry *entry, bool is_our_own)
{
    struct scan_pace pace = {.interval_ms = INTERVAL, .clock = &fixed_clock, .random = 7};
    struct range range = {INT64_MAX, INT64_MIN};
    for (int i = 0; i < 1000; i++) {
        int64_t pause = scan_pace_next(&pace, entry, is_our_own);
        range.least = pause < range.least ? pause : range.least;
        range.most = pause > range.most ? pause : range.most;
    }
    return range;
}

static void check(struct range got, int64_t least, int64_t most)
{
    /* spread over the whole, and nowhere beside it */
    int64_t slack = (most - least) / 20;
    if (got.least < least || got.least > least + slack || got.most > most || got.most < most - slack)
        fail_msg("%lld to %lld instead of %lld to %lld", (long long)got.least, (long long)got.most,
                 (long long)least, (long long)most);
}

static void test_scan_pace_is_an_interval_spread_by_a_tenth(void **state)
{
    (void)state;
    struct scan_entry *entry = entry_of_age(0);
    check(pauses_of(entry, true), 90000, 110000);
    scan_entry_free(entry);
}

static void test_scan_pace_doubles_after_failures_up_to_the_interval(void **state)
{
    static const int64_t pauses[] = {5000, 10000, 20000, 40000, 80000, INTERVAL, INTERVAL};
    (void)state;
    struct scan_entry *entry = entry_of_age(0);
    for (size_t i = 0; i < ARRAY_LEN(pauses); i++) {
        entry->failures = (unsigned)i + 1;
        check(pauses_of(entry, true), pauses[i] / 10 * 9, pauses[i] / 10 * 11);
    }
    entry->failures = 4000000000;
    check(pauses_of(entry, true), 90000, 110000);
    scan_entry_free(entry);
}

static void test_scan_pace_keeps_to_what_the_registry_asked_for(void **state)
{
    (void)state;
    struct scan_entry *entry = entry_of_age(0);
    entry->failures = 1;
    entry->error.retry_after_s = 600;
    check(pauses_of(entry, true), 594000, 726000);
    scan_entry_free(entry);
}

/* Who found another's answer in a shared cache comes after it the next time. */
static void test_scan_pace_lets_the_other_be_first(void **state)
{
    static const struct {
        int64_t age_ms;
        struct range range;
    } cases[] = {
        {0, {110000, 130000}},    {40000, {70000, 90000}}, {90000, {20000, 40000}},
        {500000, {10000, 10000}}, {-1, {90000, 110000}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scan_entry *entry = entry_of_age(cases[i].age_ms);
        check(pauses_of(entry, false), cases[i].range.least, cases[i].range.most);
        scan_entry_free(entry);
    }
}

static void test_scan_pace_takes_answers_that_are_newer_than_its_own(void **state)
{
    static const struct {
        int64_t age_ms, next_ms, longest_ms;
    } cases[] = {
        {-1, 1, 90000},    /* none yet: whoever read it of late */
        {30000, 1, 30000}, /* newer than ours */
        {95000, 1, 90000},
        {30000, 0, 0}, /* forced: it may have changed since anybody's */
    };
    (void)state;
    const struct scan_pace pace = {.interval_ms = INTERVAL, .clock = &fixed_clock};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scan_entry *entry = entry_of_age(cases[i].age_ms);
        entry->next_ms = cases[i].next_ms;
        assert_int_equal(scan_pace_longest_age(&pace, entry), cases[i].longest_ms);
        entry->is_flooded = true; /* forced by pushes */
        assert_int_equal(scan_pace_longest_age(&pace, entry), 0);
        scan_entry_free(entry);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan_pace_is_an_interval_spread_by_a_tenth),
        cmocka_unit_test(test_scan_pace_doubles_after_failures_up_to_the_interval),
        cmocka_unit_test(test_scan_pace_keeps_to_what_the_registry_asked_for),
        cmocka_unit_test(test_scan_pace_lets_the_other_be_first),
        cmocka_unit_test(test_scan_pace_takes_answers_that_are_newer_than_its_own),
    };
    return cmocka_run_group_tests_name("scan_pace", tests, NULL, NULL);
}
