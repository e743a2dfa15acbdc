#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "scanner/tag_list.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* The tags with spaces between, or "CODE". */
static char *read_page(const char *text, size_t limit, bool *is_truncated, size_t *bad)
{
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("h/a");
    struct error err = ERROR_INIT;
    struct strbuf out = STRBUF_INIT;
    if (tag_list_read(text, strlen(text), limit, info, bad, &err) < 0) {
        assert_int_equal(info->images_len, 0);
        strbuf_addstr(&out, error_code_name(err.code));
    }
    repository_info_finish(info);
    for (size_t i = 0; i < info->images_len; i++)
        strbuf_addf(&out, "%s%s", i ? " " : "", repository_info_tag(info, i));
    *is_truncated = info->is_truncated;
    return strbuf_detach(&out, NULL);
}

static char *read_push_times(const char *text, bool is_asked)
{
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("h/a");
    struct error err = ERROR_INIT;
    struct strbuf out = STRBUF_INIT;
    size_t bad = 0;
    info->has_push_times = is_asked;
    assert_int_equal(tag_list_read(text, strlen(text), 10, info, &bad, &err), 0);
    assert_int_equal(bad, 0);
    repository_info_finish(info);
    for (size_t i = 0; i < info->images_len; i++) {
        strbuf_addf(&out, "%s%s", i ? " " : "", repository_info_tag(info, i));
        if (repository_info_details(info, i)->pushed_ms)
            strbuf_addf(&out, "=%lld", (long long)repository_info_details(info, i)->pushed_ms);
    }
    assert_true(is_asked || !info->slots); /* nobody pays for what nobody asked for */
    return strbuf_detach(&out, NULL);
}

static void test_tag_list_pages(void **state)
{
    static const struct {
        const char *page, *tags;
        size_t limit;
        bool is_truncated;
        size_t bad;
    } cases[] = {
        {"{\"name\":\"a\",\"tags\":[\"b\",\"a\"]}", "a b", 10, false, 0},
        {"{\"name\":\"a\",\"tags\":null}", "", 10, false, 0},
        {"{\"tags\":[]}", "", 10, false, 0},
        {"{\"tags\":[\"a\",\"a\",\"b\"]}", "a b", 10, false, 0},
        {"{\"tags\":[\"a\",\"b\",\"c\"]}", "a b", 2, true, 0},
        {"{\"tags\":[\"a\",\"b\"]}", "a b", 2, false, 0},
        {"{\"tags\":[\"ok\",7,null,\"\",\"-x\",\"a b\",\"a/b\",\"\xc3\xa9\",\"_\"]}", "_ ok", 10, false, 7},
        {"{\"tags\":[\"sha256-" HEX64 "\",\"sha256-" HEX64 ".sig\",\"sha256-" HEX64 ".att\",\"sha256-" HEX64
         ".sbom\",\"sha256-abc\",\"sha256-" HEX64 "x\"]}",
         "sha256-" HEX64 "x sha256-abc", 10, false, 0},
        {"{\"tags\":[\"1\",\"a\\u0000b\",\"2\"]}", "1 2", 10, false, 1},
        {"{\"tags\":[\"1\\u0000\",\"\\u0000\",\"\\u00001\"]}", "", 10, false, 3},
        {"{\"name\":\"a\\u0000\",\"tags\":[\"1\"]}", "1", 10, false, 0},
        {"{\"tags\\u0000\":[],\"tags\":[\"1\"]}", "invalid", 10, false, 0},
        {"{\"tags\":\"\\u0000\"}", "invalid", 10, false, 0},
        {"{\"name\":\"a\"}", "invalid", 10, false, 0},
        {"{\"tags\":{}}", "invalid", 10, false, 0},
        {"{\"tags\":[\"a\"", "invalid", 10, false, 0},
        {"{\"tags\":[\"a\"]} trailing", "invalid", 10, false, 0},
        {"<html>", "invalid", 10, false, 0},
        {"[]", "invalid", 10, false, 0},
        {"", "invalid", 10, false, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool is_truncated;
        size_t bad = 0;
        AUTO_FREE char *got = read_page(cases[i].page, cases[i].limit, &is_truncated, &bad);
        assert_string_equal(got, cases[i].tags);
        assert_int_equal(is_truncated, cases[i].is_truncated);
        assert_int_equal(bad, cases[i].bad);
    }
}

/* What Google's registries say beside the tags: "tag=time", or the tag alone where there is none. */
static void test_tag_list_push_times(void **state)
{
    static const struct {
        const char *page, *tags;
    } cases[] = {
        {"{\"tags\":[\"b\",\"a\",\"c\"],\"manifest\":{\"sha256:1\":{\"tag\":[\"a\",\"b\"],"
         "\"timeUploadedMs\":\"1700000000000\",\"timeCreatedMs\":\"5\"},\"sha256:2\":{\"tag\":[\"c\"],"
         "\"timeUploadedMs\":1700000000001}}}",
         "a=1700000000000 b=1700000000000 c=1700000000001"},
        /* not in the list, no tag, under two manifests */
        {"{\"tags\":[\"a\"],\"manifest\":{\"x\":{\"tag\":[\"z\",\"a b\",\"a\\u0000\",7],"
         "\"timeUploadedMs\":\"8\"}}}",
         "a"},
        {"{\"tags\":[\"a\"],\"manifest\":{\"x\":{\"tag\":[\"a\"],\"timeUploadedMs\":\"9\"},"
         "\"y\":{\"tag\":[\"a\"],\"timeUploadedMs\":\"8\"}}}",
         "a=9"},
        {"{\"manifest\":{\"x\":{\"tag\":[\"a\"],\"timeUploadedMs\":\"8\"}},\"tags\":[\"a\",\"a\"]}", "a=8"},
        /* other shapes */
        {"{\"tags\":[\"a\"],\"manifest\":[]}", "a"},
        {"{\"tags\":[\"a\"],\"manifest\":{\"x\":7,\"y\":{\"tag\":\"a\",\"timeUploadedMs\":\"8\"},"
         "\"z\":{\"tag\":{\"a\":1},\"timeUploadedMs\":\"8\"},\"t\":{\"tag\":[\"a\"]}}}",
         "a"},
    };
    static const char *const no_times[] = {"\"\"",
                                           "\"0\"",
                                           "0",
                                           "-1",
                                           "\"-1\"",
                                           "\"+1\"",
                                           "\" 1\"",
                                           "\"1 \"",
                                           "\"1e9\"",
                                           "\"0x1\"",
                                           "1.5",
                                           "true",
                                           "null",
                                           "[1]",
                                           "{}",
                                           "\"1\\u0000\"",
                                           "\"1000000000000000\"",
                                           "9223372036854775807"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *got = read_push_times(cases[i].page, true);
        assert_string_equal(got, cases[i].tags);
    }
    for (size_t i = 0; i < ARRAY_LEN(no_times); i++) {
        AUTO_FREE char *page = xasprintf(
            "{\"tags\":[\"a\"],\"manifest\":{\"x\":{\"tag\":[\"a\"],\"timeUploadedMs\":%s}}}", no_times[i]);
        AUTO_FREE char *got = read_push_times(page, true);
        assert_string_equal(got, "a");
    }
    AUTO_FREE char *unasked = read_push_times(cases[0].page, false);
    assert_string_equal(unasked, "a b c");
}

static void test_tag_list_too_deep(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf page = STRBUF_INIT;
    strbuf_addstr(&page, "{\"tags\":");
    for (int i = 0; i < 100000; i++)
        strbuf_addch(&page, '[');
    bool is_truncated;
    size_t bad = 0;
    AUTO_FREE char *got = read_page(page.buf, 10, &is_truncated, &bad);
    assert_string_equal(got, "too-large");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tag_list_pages),
        cmocka_unit_test(test_tag_list_push_times),
        cmocka_unit_test(test_tag_list_too_deep),
    };
    return cmocka_run_group_tests_name("tag_list", tests, NULL, NULL);
}
