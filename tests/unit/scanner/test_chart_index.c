#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "scanner/chart_index.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* "TAG@CREATED/DIGEST …", or the error. */
static char *describe(const char *text, size_t limit, size_t *bad)
{
    struct strbuf out = STRBUF_INIT;
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("c.io/#app");
    struct chart_slice slice;
    struct error err = ERROR_INIT;
    if (chart_index_cut(text, strlen(text), "app", &slice, &err) < 0 ||
        chart_index_read(&slice, "app", limit, 5, info, bad, &err) < 0) {
        assert_int_equal(info->images_len, 0);
        strbuf_addstr(&out, err.text);
        return strbuf_detach(&out, NULL);
    }
    repository_info_finish(info);
    for (size_t i = 0; i < info->images_len; i++) {
        const struct image_details *d = repository_info_details(info, i);
        assert_int_equal(d->checked_ms, 5);
        assert_int_equal(d->is_undated, d->created_ms == 0);
        strbuf_addf(&out, "%s%s@%lld%s", i ? " " : "", repository_info_tag(info, i),
                    (long long)d->created_ms / 1000, d->digest ? "/d" : "");
        if (d->digest)
            assert_string_equal(d->digest, "sha256:" HEX);
    }
    if (info->is_truncated)
        strbuf_addstr(&out, " truncated");
    return strbuf_detach(&out, NULL);
}

static void test_chart_index_gives_the_versions_of_one_chart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        /* as Helm writes it, with what could be taken for a key of a chart in it */
        {"apiVersion: v1\nentries:\n  aapp:\n  - version: 9.0.0\n    description: |-\n      x\n      app:\n"
         "    annotations:\n      app: y\n  app:\n  - created: \"2024-01-01T00:00:00.123456789+01:00\"\n"
         "    digest: " HEX "\n    version: 1.2.3+b\n  - version: 1.2.4\n    digest: sha256:" HEX "\n"
         "  app2:\n  - version: 8.0.0\ngenerated: x\n",
         "1.2.3_b@1704063600/d 1.2.4@0/d"},
        /* the last, the first, with comments and blank lines, CRLF, quotes, deeper */
        {"entries:\n  app:\n  - version: 1.0.0\n", "1.0.0@0"},
        {"# c\n\nentries: # all\n\n  # c\n  \"app\": \n# c\n\n  - version: 1.0.0\n  b: []\n", "1.0.0@0"},
        {"entries:\r\n  'app':\r\n  - version: 1.0.0\r\n  b:\r\n  - version: 2.0.0\r\n", "1.0.0@0"},
        {"entries:\n    app:\n        - version: 1.0.0\n    b:\n        - version: 2.0.0\n", "1.0.0@0"},
        /* other styles are read as a whole */
        {"entries: {app: [{version: 1.0.0}], b: []}\n", "1.0.0@0"},
        {"{\"apiVersion\":\"v1\",\"entries\":{\"app\":[{\"version\":\"1.0.0\"}]}}", "1.0.0@0"},
        /* what is no version, and one that is gone */
        {"entries:\n  app:\n  - version: 1.0.0\n  - version: 1 2\n  - name: x\n  - version: 2.0.0\n    "
         "removed: true\n"
         "  - 1\n  - version: 3.0.0\n    digest: abc\n    created: never\n",
         "1.0.0@0 3.0.0@0"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t bad = 0;
        AUTO_FREE char *got = describe(cases[i].text, 100, &bad);
        assert_string_equal(got, cases[i].expected);
        assert_int_equal(bad, i + 1 == ARRAY_LEN(cases) ? 3 : 0);
    }
}

static void test_chart_index_says_what_it_lacks(void **state)
{
    (void)state;
    static const struct {
        const char *text, *word;
    } cases[] = {
        {"", "\"entries\""},
        {"<html></html>", "\"entries\""},
        {"entries: 1\n", "\"entries\""},
        {"entries:\n  b:\n  - version: 1.0.0\n", "no chart app"},
        {"entries: {b: []}\n", "no chart app"},
        {"entries:\n  app: none\n", "no list"},
        {"entries:\n  app:\n  - version: *x\n", "the index"},
        {"entries:\n  app:\n  - {version\n  b: []\n", "the index"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t bad = 0;
        AUTO_FREE char *got = describe(cases[i].text, 100, &bad);
        assert_non_null(strstr(got, cases[i].word));
    }
}

static void test_chart_index_is_cut_at_the_limit(void **state)
{
    (void)state;
    size_t bad = 0;
    AUTO_FREE char *got =
        describe("entries:\n  app:\n  - version: 1.0.0\n  - version: 2.0.0\n  - version: 3.0.0\n", 2, &bad);
    assert_string_equal(got, "1.0.0@0 2.0.0@0 truncated");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chart_index_gives_the_versions_of_one_chart),
        cmocka_unit_test(test_chart_index_says_what_it_lacks),
        cmocka_unit_test(test_chart_index_is_cut_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
