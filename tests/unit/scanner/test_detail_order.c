#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "scanner/detail_order.h"

/* The highest first. */
static int before(const char *a, const char *b)
{
    return strcmp(b, a);
}

/* Tags with spaces between, in the order in which they are looked at; those with "*" have a known digest. */
static char *order_of(const char *tags, const struct demand *demand)
{
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("h/a");
    AUTO_FREE char *copy = xstrdup(tags);
    char *rest = copy;
    for (char *tag = strsep(&rest, " "); tag; tag = strsep(&rest, " ")) {
        char *star = strchr(tag, '*');
        if (star)
            *star = '\0';
        repository_info_set_digest(info, repository_info_add(info, tag), star ? "sha256:x" : NULL);
    }
    repository_info_finish(info);
    AUTO_FREE uint32_t *order = detail_order(info, demand);
    struct strbuf out = STRBUF_INIT;
    for (size_t i = 0; order && i < info->images_len; i++)
        strbuf_addf(&out, "%s%s", i ? " " : "", repository_info_tag(info, order[i]));
    return strbuf_detach(&out, NULL);
}

static void test_detail_order_is_that_of_the_demand(void **state)
{
    static const char *const cases[][2] = {
        {"1 2 3", "3 2 1"},
        {"1 2* 3", "2 3 1"}, /* what is on record, or one request away, is there at once */
        {"1* 2* 3* 4", "3 2 1 4"},
        {"1", "1"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *got = order_of(cases[i][0], &(struct demand){.before = before});
        assert_string_equal(got, cases[i][1]);
    }
}

static void test_detail_order_of_none_is_that_of_the_list(void **state)
{
    (void)state;
    AUTO_FREE char *got = order_of("1 2 3", &(struct demand){.before = NULL});
    assert_string_equal(got, "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_detail_order_is_that_of_the_demand),
        cmocka_unit_test(test_detail_order_of_none_is_that_of_the_list),
    };
    return cmocka_run_group_tests_name("detail_order", tests, NULL, NULL);
}
