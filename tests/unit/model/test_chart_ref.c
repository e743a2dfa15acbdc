#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "model/chart_ref.h"

/* "REPOSITORY TAG", or the error. */
static char *describe(const char *text)
{
    CLEANUP(image_ref_release) struct image_ref ref = IMAGE_REF_INIT;
    struct error err = ERROR_INIT;
    if (image_ref_parse_any(text, &ref, &err) < 0)
        return xstrdup(err.text);
    assert_true(ref.is_chart);
    assert_string_equal(ref.text, text);
    AUTO_FREE char *repository = image_ref_repository(&ref);
    AUTO_FREE char *again = image_ref_with_tag(&ref, ref.tag ? ref.tag : "9");
    if (ref.tag)
        assert_string_equal(again, text);
    return xasprintf("%s %s", repository, ref.tag ? ref.tag : "-");
}

static void test_chart_ref_is_read_from_its_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"oci://ghcr.io/org/charts/app:1.2.3", "ghcr.io/org/charts/app 1.2.3"},
        {"oci://ghcr.io/org/charts/app:1.2.3+b.5", "ghcr.io/org/charts/app 1.2.3_b.5"},
        {"oci://registry-1.docker.io/org/app:1.2.3", "index.docker.io/org/app 1.2.3"},
        {"oci://localhost:5000/app", "localhost:5000/app -"},
        {"https://charts.example.com/stable#app:1.2.3", "charts.example.com/stable#app 1.2.3"},
        {"https://Charts.Example.com#app:1.2.3-rc.1+b", "charts.example.com/#app 1.2.3-rc.1_b"},
        {"http://charts:8080/a/b/#app", "charts:8080/a/b#app -"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *got = describe(cases[i].text);
        assert_string_equal(got, cases[i].expected);
    }
}

static void test_chart_ref_says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *word;
    } cases[] = {
        {"oci://", "empty"},
        {"oci://me@ghcr.io/app:1", "user or a digest"},
        {"oci://ghcr.io/App:1.2.3", "lower-case"},
        {"https://me:secret@charts.example.com#app:1.2.3", "password"},
        {"https://charts.example.com/stable:1.2.3", "name of a chart"},
        {"https://charts.example.com/stable#:1.2.3", "name of a chart"},
        {"https://charts.example.com/stable?x=1#app:1.2.3", "query"},
        {"https://#app:1.2.3", "host"},
        {"https://charts.example.com#a b:1.2.3", "name of a chart"},
        {"https://charts.example.com#app:1.2.3 b", "version"},
        {"https://charts.example.com#app:", "version"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(image_ref_release) struct image_ref ref = IMAGE_REF_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(image_ref_parse_any(cases[i].text, &ref, &err), -1);
        if (!strstr(err.text, cases[i].word))
            fail_msg("%s: %s", cases[i].text, err.text);
    }
    CLEANUP(strbuf_release) struct strbuf longest = STRBUF_INIT;
    strbuf_addstr(&longest, "https://charts.example.com/");
    for (int i = 0; i < 300; i++)
        strbuf_addch(&longest, 'a');
    strbuf_addstr(&longest, "#app:1.2.3");
    AUTO_FREE char *got = describe(longest.buf);
    assert_non_null(strstr(got, "255"));
}

/* What an image is stays as it was. */
static void test_chart_ref_is_no_image(void **state)
{
    (void)state;
    static const char *const texts[] = {"oci://ghcr.io/org/app:1.2.3",
                                        "https://charts.example.com#app:1.2.3"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct image_ref ref = IMAGE_REF_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(image_ref_parse(texts[i], &ref, &err), -1);
    }
    CLEANUP(image_ref_release) struct image_ref ref = IMAGE_REF_INIT;
    assert_int_equal(image_ref_parse_any("ghcr.io/org/app:1.2.3", &ref, NULL), 0);
    assert_false(ref.is_chart);
    assert_string_equal(image_ref_written_tag(&ref), "1.2.3");
}

static void test_chart_ref_is_made_from_its_parts(void **state)
{
    (void)state;
    static const struct {
        const char *url, *chart, *expected;
    } cases[] = {
        {"oci://ghcr.io/org/charts", "app", "oci://ghcr.io/org/charts/app:1.0.0"},
        {"oci://ghcr.io/org/charts/", "app", "oci://ghcr.io/org/charts/app:1.0.0"},
        {"oci://ghcr.io/org/app", NULL, "oci://ghcr.io/org/app:1.0.0"},
        {"registry-1.docker.io/org", "app", "oci://registry-1.docker.io/org/app:1.0.0"},
        {"https://charts.example.com/", "app", "https://charts.example.com#app:1.0.0"},
        {"http://charts.example.com/a", "app", "http://charts.example.com/a#app:1.0.0"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(image_ref_release) struct image_ref ref = IMAGE_REF_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(chart_ref_make(cases[i].url, cases[i].chart, "1.0.0", &ref, &err), 0);
        assert_string_equal(ref.text, cases[i].expected);
    }
    static const char *const bad[][2] = {{"s3://bucket", "app"},
                                         {"https://charts.example.com", NULL},
                                         {"https://charts.example.com", "a/b"},
                                         {"alias:charts", "app"}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct image_ref ref = IMAGE_REF_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(chart_ref_make(bad[i][0], bad[i][1], "1.0.0", &ref, &err), -1);
    }
}

static void test_chart_version_is_exact_or_a_range(void **state)
{
    (void)state;
    static const char *const exact[] = {"1.2.3", "v1.2.3", "0.0.0", "1.2.3-rc.1", "1.2.3+b.5", "1.2.3-a.b+c"};
    static const char *const ranges[] = {"",       "1",       "1.2",     "1.2.x",    "1.x",
                                         "*",      ">=1.2.3", "~1.2.3",  "^1.2.3",   "=1.2.3",
                                         "1.2.3 ", "latest",  "1.2.3.4", "v",        "1.2.3 || 2",
                                         "1.2.3-", "1.2.3+",  "1.2.3_b", "1.2.3 - 2"};
    for (size_t i = 0; i < ARRAY_LEN(exact); i++)
        assert_true(chart_version_is_exact(exact[i]));
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        assert_false(chart_version_is_exact(ranges[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chart_ref_is_read_from_its_text),
        cmocka_unit_test(test_chart_ref_says_what_is_wrong),
        cmocka_unit_test(test_chart_ref_is_no_image),
        cmocka_unit_test(test_chart_ref_is_made_from_its_parts),
        cmocka_unit_test(test_chart_version_is_exact_or_a_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
