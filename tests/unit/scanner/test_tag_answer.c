#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "scanner/tag_answer.h"

/* A list said when the tag was pushed, and now the tag is looked at, by the clock at 900. */
static void test_tag_answer_keeps_when_what_is_there_was_pushed(void **state UNUSED)
{
    static const struct {
        struct image_details before;
        const char *digest;
        int64_t pushed_ms;
    } cases[] = {
        {{.pushed_ms = 500}, "x", 500}, /* what the list told of, for all that is known */
        {{.pushed_ms = 500, .digest = "x", .checked_ms = 600}, "x", 500},
        {{.pushed_ms = 500, .digest = "x", .checked_ms = 400}, "x", 500},
        {{.pushed_ms = 500, .digest = "x", .checked_ms = 400}, "y", 500}, /* that push moved it */
        {{.pushed_ms = 500, .digest = "x", .checked_ms = 600}, "y", 0},   /* a later one did */
        {{.pushed_ms = 500, .digest = "x", .checked_ms = 500}, "y", 0},
        {{.digest = "x", .checked_ms = 600}, "y", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("quay.io/a/b");
        size_t index = repository_info_add(info, "1");
        repository_info_copy_details(info, index, &cases[i].before);
        tag_answer_put(info, index, &(struct demand){.repository = "quay.io/a/b"},
                       &(struct tag_answer){.digest = cases[i].digest, .now_ms = 900});
        const struct image_details *after = repository_info_details(info, index);
        assert_int_equal(after->pushed_ms, cases[i].pushed_ms);
        assert_string_equal(after->digest, cases[i].digest);
        assert_int_equal(after->checked_ms, 900);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tag_answer_keeps_when_what_is_there_was_pushed),
    };
    return cmocka_run_group_tests_name("tag_answer", tests, NULL, NULL);
}
