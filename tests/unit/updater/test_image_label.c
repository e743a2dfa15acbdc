#include "updater/image_label.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/utf8.h"

#define OCI "org.opencontainers.image."

/* The label of an image that has one alone. free() it. */
static char *shown(const char *name, const char *key, const char *text)
{
    struct strbuf out = STRBUF_INIT;
    AUTO_JSON json_t *labels = json_object();
    json_object_set_new(labels, key, json_text(text));
    image_label_add(image_label_find(name), labels, &out);
    return strbuf_detach(&out, NULL);
}

static void test_image_label_is_one_line_of_what_can_be_seen(void **state UNUSED)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"1.2.3", "1.2.3"},
        {"  a \t b\r\n\r\nc ", "a b c"},
        {"a\x1b[31mred\x7f", "a [31mred"},
        {"a\xc2\x85"
         "b\xc2\xa0"
         "c",
         "a b c"}, /* NEL, no-break space */
        {"a\xe2\x80\xa8"
         "b\xe2\x80\xae"
         "c\xe2\x81\xa6"
         "d\xef\xbb\xbf",
         "a b c d"},                /* line separator, RLO, LRI, BOM */
        {"\xf3\xa0\x81\x81x", "x"}, /* a tag character */
        {"caf\xc3\xa9 \xe2\x98\x95 \xf0\x9f\x9a\x80", "caf\xc3\xa9 \xe2\x98\x95 \xf0\x9f\x9a\x80"},
        {" \n", ""},
        {"https://jane:secret@git.example.test/x", "https://jane:xxxxx@git.example.test/x"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *got = shown("title", OCI "title", cases[i].text);
        assert_string_equal(got, cases[i].wanted);
    }
}

static void test_image_label_is_cut(void **state UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < LIMIT_SHOWN_LABEL_CHARS; i++)
        strbuf_addstr(&text, "\xc3\xa9");
    AUTO_FREE char *whole = shown("title", OCI "title", text.buf);
    assert_string_equal(whole, text.buf);
    strbuf_addstr(&text, "e");
    AUTO_FREE char *cut = shown("title", OCI "title", text.buf);
    assert_int_equal(strlen(cut), 2 * LIMIT_SHOWN_LABEL_CHARS + strlen("…"));
    assert_true(str_ends_with(cut, "\xc3\xa9…"));
    assert_int_equal(utf8_valid_length(cut, strlen(cut)), strlen(cut));
}

static void test_image_label_has_a_predecessor(void **state UNUSED)
{
    static const struct {
        const char *name, *key, *wanted;
    } cases[] = {
        {"version", OCI "version", "x"},
        {"version", "org.label-schema.version", "x"},
        {"revision", "org.label-schema.vcs-ref", "x"},
        {"source", "org.label-schema.vcs-url", "x"},
        {"created", "org.label-schema.build-date", "x"},
        {"title", "org.label-schema.name", ""},
        {"title", OCI "version", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *got = shown(cases[i].name, cases[i].key, "x");
        assert_string_equal(got, cases[i].wanted);
    }
    CLEANUP(strbuf_release) struct strbuf none = STRBUF_INIT;
    image_label_add(image_label_find("version"), NULL, &none);
    assert_int_equal(none.len, 0);
    assert_null(image_label_find("verison"));
    AUTO_JSON json_t *both = json_pack("{s:s,s:s}", OCI "version", "new", "org.label-schema.version", "old");
    image_label_add(image_label_find("version"), both, &none);
    assert_string_equal(none.buf, "new");
}

#define SHA "0123456789abcdef0123456789abcdef01234567"

static void test_image_label_links_the_commit(void **state UNUSED)
{
    static const struct {
        const char *source, *revision, *wanted;
    } cases[] = {
        {"https://github.com/org/app", SHA, "https://github.com/org/app/commit/" SHA},
        {"https://github.com/org/app.git", "1a2b3c4", "https://github.com/org/app/commit/1a2b3c4"},
        {"https://github.com/org/app/", "1A2B3C4", "https://github.com/org/app/commit/1A2B3C4"},
        {"https://github.com/org/app.git#main", SHA, "https://github.com/org/app/commit/" SHA},
        {"https://github.com/org/mono/tree/main/app", SHA, "https://github.com/org/mono/commit/" SHA},
        {"https://gitlab.com/group/sub/app", SHA, "https://gitlab.com/group/sub/app/-/commit/" SHA},
        {"https://gitlab.com/group/app/-/tree/main", SHA, "https://gitlab.com/group/app/-/commit/" SHA},
        {"https://bitbucket.org/org/app", SHA, "https://bitbucket.org/org/app/commits/" SHA},
        {"http://git.example.test:8080/app", SHA, "http://git.example.test:8080/app/commit/" SHA},
        {"git@github.com:org/app.git", SHA, "https://github.com/org/app/commit/" SHA},
        {"ssh://git@git.example.test:2222/org/app.git", SHA, "https://git.example.test/org/app/commit/" SHA},
        {"https://jane:secret@github.com/org/app", SHA, "https://github.com/org/app/commit/" SHA},
        /* no link */
        {"https://github.com/org/app", "v1.2.3", ""},
        {"https://github.com/org/app", "1a2b3c", ""},
        {"https://github.com/org/app", SHA SHA, ""},
        {"https://github.com/org/app", SHA "\n", ""},
        {"https://github.com/org/app", "", ""},
        {"", SHA, ""},
        {"https://github.com", SHA, ""},
        {"https://github.com/", SHA, ""},
        {"https:///org/app", SHA, ""},
        {"https://github.com/org/a b", SHA, ""},
        {"https://github.com/org/app\nSigned-off-by: x", SHA, ""},
        {"https://github.com/org/app)](https://evil.example", SHA, ""},
        {"javascript:alert(1)", SHA, ""},
        {"file:///etc/passwd", SHA, ""},
        {"../app", SHA, ""},
        {"app", SHA, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf got = STRBUF_INIT;
        AUTO_JSON json_t *labels =
            json_pack("{s:s,s:s}", OCI "source", cases[i].source, OCI "revision", cases[i].revision);
        image_label_add_commit_link(labels, &got);
        if (strcmp(got.buf, cases[i].wanted) != 0)
            fail_msg("%s: %s instead of %s", cases[i].source, got.buf, cases[i].wanted);
    }
    CLEANUP(strbuf_release) struct strbuf none = STRBUF_INIT;
    image_label_add_commit_link(NULL, &none);
    assert_int_equal(none.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_label_is_one_line_of_what_can_be_seen),
        cmocka_unit_test(test_image_label_is_cut),
        cmocka_unit_test(test_image_label_has_a_predecessor),
        cmocka_unit_test(test_image_label_links_the_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
