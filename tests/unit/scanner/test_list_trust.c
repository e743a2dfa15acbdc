#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "scanner/list_trust.h"

/* Tags t<from> … t<to - 1>. */
static struct repository_info *list_of(int from, int to, int64_t scanned_ms)
{
    struct repository_info *info = repository_info_new("quay.io/o/app");
    for (int i = from; i < to; i++) {
        AUTO_FREE char *tag = xasprintf("t%04d", i);
        repository_info_add(info, tag);
    }
    repository_info_finish(info);
    info->scanned_ms = scanned_ms;
    return info;
}

static void test_list_trust_short_lists(void **state)
{
    static const struct {
        int before_from, before_to, from, to;
        bool is_believed;
    } cases[] = {
        {0, 0, 0, 0, true},        {0, 0, 0, 5, true},    {0, 1, 0, 0, false}, /* became empty */
        {0, 1, 5, 6, true},        {0, 20, 0, 10, true},  {0, 20, 0, 9, false},
        {0, 10, 9, 10, true}, /* few: nine are gone */
        {0, 11, 20, 21, false},    {0, 100, 0, 50, true}, {0, 100, 0, 49, false},
        {0, 100, 200, 300, false}, /* as many, but others: another repository's list */
        {0, 100, 40, 140, true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(repository_info_release)
        struct repository_info *last = list_of(cases[i].before_from, cases[i].before_to, 0);
        CLEANUP(repository_info_release)
        struct repository_info *listed = list_of(cases[i].from, cases[i].to, 1000000);
        if (list_trust_believes(last, listed) != cases[i].is_believed)
            fail_msg("case %zu", i);
        assert_true(list_trust_believes(NULL, listed));
        listed->is_truncated = true; /* that is said in another way */
        assert_true(list_trust_believes(last, listed));
    }
}

/* Two listings of a repository that had a hundred tags. */
static void test_list_trust_needs_a_second_listing(void **state)
{
    static const struct {
        int first, second, after_s;
        bool is_believed;
        int64_t since_ms; /* when the short list that stands was first seen */
    } cases[] = {
        {3, 3, 60, true, 0},       {3, 3, 59, false, 1000},  {3, 13, 60, true, 0},
        {3, 14, 60, false, 61000}, {3, 2, 60, false, 61000}, {0, 0, 60, true, 0},
        {0, 1, 60, false, 61000},  {3, 0, 60, false, 61000}, {3, 3, 100000, true, 0},
        {3, 3, -5, false, 1000},   {3, 100, 1, true, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(repository_info_release) struct repository_info *last = list_of(0, 100, 0);
        CLEANUP(repository_info_release) struct repository_info *first = list_of(0, cases[i].first, 1000);
        CLEANUP(repository_info_release)
        struct repository_info *second = list_of(0, cases[i].second, 1000 + cases[i].after_s * 1000);
        assert_false(list_trust_believes(last, first));
        CLEANUP(repository_info_release) struct repository_info *kept = repository_info_copy(last);
        list_trust_mark(kept, last, first);
        assert_true(kept->is_shrunken);
        assert_int_equal(kept->shrunken_len, cases[i].first);
        assert_int_equal(kept->images_len, 100);
        if (list_trust_believes(kept, second) != cases[i].is_believed)
            fail_msg("case %zu", i);
        CLEANUP(repository_info_release) struct repository_info *again = repository_info_copy(kept);
        list_trust_mark(again, kept, second);
        if (cases[i].since_ms)
            assert_int_equal(again->shrunken_ms, cases[i].since_ms);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_trust_short_lists),
        cmocka_unit_test(test_list_trust_needs_a_second_listing),
    };
    return cmocka_run_group_tests_name("list_trust", tests, NULL, NULL);
}
