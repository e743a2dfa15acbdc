#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "daemon/scan_entry.h"
#include "daemon/scan_thread.h"
#include "updater/tag_policy.h"

static void release(struct scan_entry **entry)
{
    scan_entry_free(*entry);
}

static struct repository_info *info_of(const char *const *tags)
{
    struct repository_info *info = repository_info_new("quay.io/o/app");
    for (; *tags; tags++)
        repository_info_add(info, *tags);
    repository_info_finish(info);
    return info;
}

static bool take(struct scan_entry *entry, enum scan_run_kind run, const char *const *tags,
                 enum error_code code, int64_t now_ms)
{
    struct scan_result result = {.info = tags ? info_of(tags) : NULL, .error = {.code = code}};
    entry->run = run;
    bool changed = scan_entry_take(entry, &result, now_ms);
    repository_info_unref(result.info);
    return changed;
}

static const char *const one[] = {"1", NULL}, *const two[] = {"1", "2", NULL},
                         *const three[] = {"1", "2", "3", NULL};

static void test_scan_entry_is_named_by_repository_or_path(void **state UNUSED)
{
    static const struct {
        const char *name;
        bool is_named;
    } cases[] = {
        {"quay.io/o/app", true}, {"quay.io/o/ap", false}, {"docker.io/o/app", false}, {"/o/app", true},
        {"/app", true},          {"/pp", false},          {"o/app", false},           {"", false}};
    CLEANUP(release) struct scan_entry *entry = scan_entry_new(NULL, "quay.io/o/app", 1, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(scan_entry_is_named(entry, cases[i].name), cases[i].is_named);
}

static void test_scan_entry_gathers_pushes_until_it_is_quiet(void **state UNUSED)
{
    CLEANUP(release) struct scan_entry *entry = scan_entry_new(NULL, "quay.io/o/app", 1, 0);
    take(entry, SCAN_RUN_LIST, one, ERROR_NONE, 0);
    assert_true(scan_entry_push_due_ms(entry) == INT64_MAX);
    int64_t now = 10;
    for (int i = 0; i < 20; i++, now += 100) {
        char tag[16];
        snprintf(tag, sizeof(tag), "%d", i % 4);
        scan_entry_push(entry, tag, now);
        int64_t quiet = now + SCAN_PUSH_QUIET_MS, latest = 10 + SCAN_PUSH_WAIT_MS;
        assert_int_equal(scan_entry_push_due_ms(entry), quiet < latest ? quiet : latest);
    }
    assert_int_equal(entry->pushed.len, 4);
}

static void test_scan_entry_lists_what_it_knows_nothing_of(void **state UNUSED)
{
    CLEANUP(release) struct scan_entry *entry = scan_entry_new(NULL, "quay.io/o/app", 1, 0);
    entry->next_ms = 1000;
    scan_entry_push(entry, "2", 10);
    assert_int_equal(entry->next_ms, 0);
    assert_true(scan_entry_push_due_ms(entry) == INT64_MAX);
    entry->next_ms = 1000;
    entry->error.retry_after_s = 60;
    scan_entry_push(entry, "2", 10);
    assert_int_equal(entry->next_ms, 1000);
    /* what comes may be out of a cache: the tag is looked at then */
    take(entry, SCAN_RUN_LIST, one, ERROR_NONE, 0);
    assert_int_equal(scan_entry_push_due_ms(entry), 10 + SCAN_PUSH_QUIET_MS);
}

static void push_numbers(struct scan_entry *entry, unsigned count, int64_t now_ms)
{
    for (unsigned i = 0; i < count; i++) {
        char tag[16];
        snprintf(tag, sizeof(tag), "%u", i);
        scan_entry_push(entry, tag, now_ms);
    }
}

/* Once, when the burst is over, however much more of it comes. */
static void test_scan_entry_lists_when_too_much_is_pushed(void **state UNUSED)
{
    CLEANUP(release) struct scan_entry *entry = scan_entry_new(NULL, "quay.io/o/app", 1, 0);
    take(entry, SCAN_RUN_LIST, one, ERROR_NONE, 0);
    entry->next_ms = 100000;
    push_numbers(entry, LIMIT_PUSHED_TAGS, 10);
    push_numbers(entry, LIMIT_PUSHED_TAGS, 10);
    assert_false(entry->is_flooded);
    assert_int_equal(entry->pushed.len, LIMIT_PUSHED_TAGS);
    push_numbers(entry, LIMIT_PUSHED_TAGS * 5, 20);
    assert_true(entry->is_flooded);
    assert_int_equal(entry->pushed.len, 0);
    assert_int_equal(entry->next_ms, 100000);
    assert_int_equal(scan_entry_push_due_ms(entry), 20 + SCAN_PUSH_QUIET_MS);
    scan_entry_push(entry, "x", 10 + SCAN_PUSH_WAIT_MS);
    assert_int_equal(scan_entry_push_due_ms(entry), 10 + SCAN_PUSH_WAIT_MS);
    entry->error.retry_after_s = 60;
    assert_int_equal(scan_entry_push_due_ms(entry), 100000);
}

static void test_scan_entry_tells_rounds_of_what_changed(void **state UNUSED)
{
    CLEANUP(release) struct scan_entry *entry = scan_entry_new(NULL, "quay.io/o/app", 1, 0);
    assert_true(take(entry, SCAN_RUN_LIST, one, ERROR_NONE, 0));
    assert_false(take(entry, SCAN_RUN_LIST, one, ERROR_NONE, 0));
    assert_true(take(entry, SCAN_RUN_PUSHED, two, ERROR_NONE, 0));
    assert_false(take(entry, SCAN_RUN_PUSHED, two, ERROR_NOT_FOUND, 0));
    assert_int_equal(entry->error.code, ERROR_NONE);
    assert_true(take(entry, SCAN_RUN_LIST, NULL, ERROR_TIMEOUT, 0));
    assert_false(take(entry, SCAN_RUN_LIST, NULL, ERROR_TIMEOUT, 0));
    assert_int_equal(entry->failures, 2);
    assert_false(take(entry, SCAN_RUN_PUSHED, two, ERROR_NONE, 0));
    assert_int_equal(entry->error.code, ERROR_TIMEOUT);
    assert_true(take(entry, SCAN_RUN_LIST, two, ERROR_NONE, 0));
    assert_int_equal(entry->failures, 0);
}

static void test_scan_entry_compares_what_choices_depend_on(void **state UNUSED)
{
    static const struct {
        struct image_details details;
        bool changes;
    } cases[] = {
        {{.digest = "sha256:a"}, true}, {{.created_ms = 1}, true}, {{.platforms = "linux/arm64"}, true},
        {{.labels = "{}"}, true},       {{.pushed_ms = 1}, true},  {{.checked_ms = 1}, false},
        {{.problem = "broken"}, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(release) struct scan_entry *entry = scan_entry_new(NULL, "quay.io/o/app", 1, 0);
        take(entry, SCAN_RUN_LIST, two, ERROR_NONE, 1);
        struct scan_result result = {.info = info_of(two)};
        repository_info_copy_details(result.info, 1, &cases[i].details);
        entry->run = SCAN_RUN_LIST;
        assert_int_equal(scan_entry_take(entry, &result, 2), cases[i].changes);
        repository_info_unref(result.info);
    }
}

static void test_scan_entry_has_the_questions_of_any_owner(void **state UNUSED)
{
    CLEANUP(release) struct scan_entry *entry = scan_entry_new(NULL, "quay.io/o/app", 2, 0);
    const struct repository_demand names = {.repository = NULL}, dated = {.questions_len = 1};
    assert_false(scan_entry_has_questions(entry));
    entry->wanted_by[0] = &names;
    assert_false(scan_entry_has_questions(entry));
    entry->wanted_by[1] = &dated;
    assert_true(scan_entry_has_questions(entry));
}

static void test_scan_entry_wants_push_times_for_any_owner(void **state UNUSED)
{
    CLEANUP(release) struct scan_entry *entry = scan_entry_new(NULL, "quay.io/o/app", 2, 0);
    const struct repository_demand names = {.repository = NULL}, aged = {.wants_push_times = true};
    entry->wanted_by[0] = &names;
    AUTO_FREE char *before = scan_entry_question(entry);
    assert_false(scan_entry_wants_push_times(entry));
    entry->wanted_by[1] = &aged;
    assert_true(scan_entry_wants_push_times(entry));
    AUTO_FREE char *after = scan_entry_question(entry);
    assert_string_not_equal(before, after); /* so that what is known is asked for again */
}

static void test_scan_entry_is_overdue_once_after_three_intervals(void **state UNUSED)
{
    CLEANUP(release) struct scan_entry *entry = scan_entry_new(NULL, "quay.io/o/app", 1, 500);
    take(entry, SCAN_RUN_LIST, NULL, ERROR_TIMEOUT, 600);
    assert_false(scan_entry_became_overdue(entry, 100, 800));
    assert_true(scan_entry_became_overdue(entry, 100, 801));
    assert_false(scan_entry_became_overdue(entry, 100, 900));
    assert_true(entry->is_overdue);
    take(entry, SCAN_RUN_LIST, one, ERROR_NONE, 1000);
    assert_false(entry->is_overdue);
    assert_false(scan_entry_became_overdue(entry, 100, 1300));
    assert_true(scan_entry_became_overdue(entry, 100, 1301));
}

/* -- putting the list off ---------------------------------------------------------------------------------- */

#define MINUTE INT64_C(60000)

static char repository[] = "quay.io/o/app";
static const struct repository_demand names_only = {.repository = repository};

/* Listed at `now_ms`, and due again after five minutes. */
static struct scan_entry *listed_entry(int64_t now_ms)
{
    struct scan_entry *entry = scan_entry_new(NULL, "quay.io/o/app", 1, now_ms);
    entry->wanted_by[0] = &names_only;
    take(entry, SCAN_RUN_LIST, one, ERROR_NONE, now_ms);
    entry->next_ms = now_ms + 5 * MINUTE;
    return entry;
}

static void put_off(struct scan_entry *entry, int64_t minutes)
{
    scan_entry_put_off_list(entry, 5 * MINUTE, 5 * MINUTE, minutes * MINUTE);
}

static void test_scan_entry_lists_an_interval_after_the_last_push(void **state UNUSED)
{
    CLEANUP(release) struct scan_entry *entry = listed_entry(0);
    put_off(entry, 4);
    assert_int_equal(entry->next_ms, 9 * MINUTE);
    put_off(entry, 8);
    assert_int_equal(entry->next_ms, 13 * MINUTE);
    entry->next_ms = 30 * MINUTE;
    put_off(entry, 9); /* never sooner for it */
    assert_int_equal(entry->next_ms, 30 * MINUTE);
}

static void test_scan_entry_lists_now_and_then_however_much_is_pushed(void **state UNUSED)
{
    static const struct {
        int64_t interval, latest; /* minutes */
    } cases[] = {{1, 12}, {5, 60}, {10, 60}, {30, 60}, {40, 80}, {1440, 2880}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(release) struct scan_entry *entry = listed_entry(7);
        int64_t interval = cases[i].interval * MINUTE;
        int64_t now = 7;
        for (entry->next_ms = 7 + interval; now < entry->next_ms; now += interval / 2)
            scan_entry_put_off_list(entry, interval, interval, now);
        assert_int_equal(entry->next_ms, 7 + cases[i].latest * MINUTE);
    }
}

static void test_scan_entry_kept_by_pushes_is_not_overdue(void **state UNUSED)
{
    CLEANUP(release) struct scan_entry *entry = listed_entry(0);
    for (int64_t minute = 4; minute < 40; minute += 4)
        put_off(entry, minute);
    assert_false(scan_entry_became_overdue(entry, 5 * MINUTE, 50 * MINUTE));
    assert_true(scan_entry_became_overdue(entry, 5 * MINUTE, 60 * MINUTE));
}

static void test_scan_entry_believes_webhooks_that_told_of_all(void **state UNUSED)
{
    CLEANUP(release) struct scan_entry *entry = listed_entry(0);
    take(entry, SCAN_RUN_LIST, two, ERROR_NONE, 5 * MINUTE); /* nobody had told of 2 */
    entry->next_ms = 10 * MINUTE;
    put_off(entry, 6);
    assert_int_equal(entry->next_ms, 10 * MINUTE);
    take(entry, SCAN_RUN_LIST, NULL, ERROR_TIMEOUT, 10 * MINUTE);
    take(entry, SCAN_RUN_LIST, one, ERROR_NONE, 11 * MINUTE);
    put_off(entry, 6);
    assert_int_equal(entry->next_ms, 11 * MINUTE);
    take(entry, SCAN_RUN_PUSHED, two, ERROR_NONE, 12 * MINUTE);
    take(entry, SCAN_RUN_LIST, two, ERROR_NONE, 13 * MINUTE);
    put_off(entry, 14);
    assert_int_equal(entry->next_ms, 19 * MINUTE);
    scan_entry_push(entry, "3", 19 * MINUTE);
    take(entry, SCAN_RUN_LIST, three, ERROR_NONE, 19 * MINUTE); /* told of while it was read */
    put_off(entry, 20);
    assert_int_equal(entry->next_ms, 25 * MINUTE);
}

static void want_dates(struct scan_entry *entry)
{
    static struct tag_question question = {.wants = DEMAND_CREATED};
    static struct repository_demand dated = {.questions = &question, .questions_len = 1};
    struct error err = ERROR_INIT;
    question.policy = tag_policy_new("glob:*", &err);
    assert_non_null(question.policy);
    entry->wanted_by[0] = &dated;
}

static void set_failed(struct scan_entry *entry)
{
    entry->error.code = ERROR_TIMEOUT;
}

static void set_due(struct scan_entry *entry)
{
    entry->next_ms = 0;
}

static void set_truncated(struct scan_entry *entry)
{
    entry->info->is_truncated = true;
}

static void set_shrunken(struct scan_entry *entry)
{
    entry->info->is_shrunken = true;
}

static void test_scan_entry_lists_in_time_where_names_are_not_all(void **state UNUSED)
{
    static void (*const changes[])(struct scan_entry *) = {want_dates, set_failed, set_due, set_truncated,
                                                           set_shrunken};
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        CLEANUP(release) struct scan_entry *entry = listed_entry(0);
        changes[i](entry);
        int64_t next_ms = entry->next_ms;
        put_off(entry, 4);
        assert_int_equal(entry->next_ms, next_ms);
        assert_int_equal(entry->good_ms, 0);
        if (entry->wanted_by[0]->questions_len)
            tag_policy_free(entry->wanted_by[0]->questions[0].policy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan_entry_is_named_by_repository_or_path),
        cmocka_unit_test(test_scan_entry_gathers_pushes_until_it_is_quiet),
        cmocka_unit_test(test_scan_entry_lists_what_it_knows_nothing_of),
        cmocka_unit_test(test_scan_entry_lists_when_too_much_is_pushed),
        cmocka_unit_test(test_scan_entry_tells_rounds_of_what_changed),
        cmocka_unit_test(test_scan_entry_compares_what_choices_depend_on),
        cmocka_unit_test(test_scan_entry_has_the_questions_of_any_owner),
        cmocka_unit_test(test_scan_entry_wants_push_times_for_any_owner),
        cmocka_unit_test(test_scan_entry_is_overdue_once_after_three_intervals),
        cmocka_unit_test(test_scan_entry_lists_an_interval_after_the_last_push),
        cmocka_unit_test(test_scan_entry_lists_now_and_then_however_much_is_pushed),
        cmocka_unit_test(test_scan_entry_kept_by_pushes_is_not_overdue),
        cmocka_unit_test(test_scan_entry_believes_webhooks_that_told_of_all),
        cmocka_unit_test(test_scan_entry_lists_in_time_where_names_are_not_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
