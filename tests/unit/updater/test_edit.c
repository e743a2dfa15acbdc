#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/edit.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct manifest_file *file_of(const char *text)
{
    return manifest_file_new("a.yaml", xstrdup(text), strlen(text), "default");
}

/* A pod of one container whose image is written as `image`, with text around it. free() it. */
static char *pod_of(const char *image)
{
    return xasprintf("# é\napiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n"
                     "  - name: c\n    image: %s\n    tty: true\n",
                     image);
}

typedef int edit_function(const struct manifest_file *file, const struct container *container,
                          const char *text, struct splice *out, struct error *err);

/* Edits the first container of `text`; what the file is then, or NULL and the error. free() it. */
static char *edited(edit_function *edit, const char *text, const char *to, struct error *err)
{
    struct manifest_file *file = file_of(text);
    assert_true(file->resources_len > 0 && file->resources[0].containers_len > 0);
    struct strbuf out = STRBUF_INIT;
    struct splice splice = SPLICE_INIT;
    bool done = edit(file, &file->resources[0].containers[0], to, &splice, err) == 0 &&
                edit_apply(file, &splice, 1, &out, err) == 0;
    splice_release(&splice);
    manifest_file_unref(file);
    if (done)
        return strbuf_detach(&out, NULL);
    strbuf_release(&out);
    return NULL;
}

static void assert_edits(edit_function *edit, const char *from, const char *to, const char *expected)
{
    struct error err = ERROR_INIT;
    AUTO_FREE char *before = pod_of(from), *after = pod_of(expected);
    AUTO_FREE char *got = edited(edit, before, to, &err);
    if (!got)
        fail_msg("%s: %s", from, err.text);
    assert_string_equal(got, after);
}

static void assert_refuses(edit_function *edit, const char *from, const char *to, enum error_code code,
                           const char *reason)
{
    struct error err = ERROR_INIT;
    AUTO_FREE char *before = pod_of(from);
    AUTO_FREE char *got = edited(edit, before, to, &err);
    assert_null(got);
    if (err.code != code || !strstr(err.text, reason))
        fail_msg("%s: %s: %s", from, error_code_name(err.code), err.text);
}

static void test_edit_set_tag_changes_the_tag_alone(void **state)
{
    (void)state;
    static const struct {
        const char *from, *expected;
    } cases[] = {
        {"a:1", "a:2.0"},
        {"a", "a:2.0"},
        {"a:1 # was a:1", "a:2.0 # was a:1"},
        {"a:1  \t", "a:2.0  \t"},
        {"'a:1'", "'a:2.0'"},
        {"\"a:1\"", "\"a:2.0\""},
        {"\"a\"", "\"a:2.0\""},
        {"host:5000/a", "host:5000/a:2.0"},
        {"host:5000/a:5000", "host:5000/a:2.0"},
        {"&img a:1", "&img a:2.0"},
        {"!!str \"a:1\"", "!!str \"a:2.0\""},
        {"!<tag:yaml.org,2002:str> &x 'a:1'", "!<tag:yaml.org,2002:str> &x 'a:2.0'"},
        {"# a:1\n      a:1", "# a:1\n      a:2.0"},
        {">-\n      a:1", ">-\n      a:2.0"},
        {"|- # a:1\n      a:1\n", "|- # a:1\n      a:2.0\n"},
        {">1-\n     a:1", ">1-\n     a:2.0"},
        {"a:2.0", "a:2.0"},
        {"REG.example/a:1", "REG.example/a:2.0"},
        /* escapes before the tag */
        {"\"h.example\\/a:1\"", "\"h.example\\/a:2.0\""},
        {"\"h.example/\\\n      a:1\" # c", "\"h.example/\\\n      a:2.0\" # c"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_edits(edit_set_tag, cases[i].from, "2.0", cases[i].expected);
}

static void test_edit_set_tag_refuses_what_the_tag_alone_cannot_change(void **state)
{
    (void)state;
    assert_refuses(edit_set_tag, "a:1@" DIGEST, "2", ERROR_UNSUPPORTED, "pinned by digest");
    assert_refuses(edit_set_tag, "a@" DIGEST, "2", ERROR_UNSUPPORTED, "pinned by digest");
    assert_refuses(edit_set_tag, "\"a\\x3a1\"", "2", ERROR_UNSUPPORTED, "escapes");
    assert_refuses(edit_set_tag, "\"a:\\\n      1\"", "2", ERROR_UNSUPPORTED, "broken lines");
    assert_refuses(edit_set_tag, "A:1", "2", ERROR_INVALID, "no image reference");
    assert_refuses(edit_set_tag, "", "2", ERROR_INVALID, "must be a string");
    assert_refuses(edit_set_tag, "a:1", "2 # x", ERROR_INVALID, "no image tag");
    assert_refuses(edit_set_tag, "a:1", "", ERROR_INVALID, "no image tag");
    assert_refuses(edit_set_tag, "a:1", "-x", ERROR_INVALID, "no image tag");
}

/* A tag that is marked alone: image_edit knows where its name is. */
static void test_edit_set_tag_refuses_an_image_that_is_in_parts(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    AUTO_FREE char *got = edited(edit_set_tag, "x: 1.2.3 # pawl: a glob:*\n", "2", &err);
    assert_null(got);
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "no text of its own"));
}

static void test_edit_set_image_keeps_the_quotes(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *expected;
    } cases[] = {
        {"a:1", "b:2", "b:2"},
        {"a:1", "a:2", "a:2"},
        {"a:1", "a", "a"},
        {"'a:1'", "quay.io/b@" DIGEST, "'quay.io/b@" DIGEST "'"},
        {"\"a@" DIGEST "\" # c", "a:2", "\"a:2\" # c"},
        {"\"a\\x3a1\"", "b:2", "\"b:2\""},
        {">-\n      a:1\n", "b:2", ">-\n      b:2\n"},
        {"A:1", "a:1", "a:1"},
        {"${IMAGE}", "a:1", "a:1"},
        {"\"\"", "a:1", "\"a:1\""},
        {"1.5", "a:1.5", "a:1.5"},
        {"'x'", "on", "'on'"},
        {"'x'", "[::1]:5000/a", "'[::1]:5000/a'"},
        {"&x a:1", "b:2", "&x b:2"},
        {"a:1 # c", "on", "\"on\" # c"},
        {"&x a:1", "1.5", "&x \"1.5\""},
        {"!!str a:1", "1.5", "!!str 1.5"},
        {"a:1", "[::1]:5000/a", "\"[::1]:5000/a\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_edits(edit_set_image, cases[i].from, cases[i].to, cases[i].expected);
}

static void test_edit_set_image_refuses_what_it_cannot_write(void **state)
{
    (void)state;
    assert_refuses(edit_set_image, "a:1", "B:1", ERROR_INVALID, "no image reference");
    assert_refuses(edit_set_image, "!!int 1", "a:1", ERROR_UNSUPPORTED, "YAML tag");
    assert_refuses(edit_set_image, "&x", "a:1", ERROR_UNSUPPORTED, "no image text");
    assert_refuses(edit_set_image, "!!str", "a:1", ERROR_UNSUPPORTED, "no image text");
    assert_refuses(edit_set_image, "|\n      a:1", "b:1", ERROR_UNSUPPORTED, "the line break at the end");
    assert_refuses(edit_set_image, "&a:1", "b:1", ERROR_UNSUPPORTED, "no image text");
    assert_refuses(edit_set_image, "[a]", "a:1", ERROR_UNSUPPORTED, "a list or mapping");
}

#define SHARED                                                                                               \
    "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n"                                 \
    "  - {name: a, image: &i \"a:1\"}\n  - {name: b, image: *i}\n  - {name: c, image: c:1}\n"

/* The containers of SHARED get the tags of `tags`, those that are NULL none. */
static int apply_tags(const char *const *tags, struct strbuf *out, struct error *err)
{
    struct manifest_file *file = file_of(SHARED);
    struct splice splices[3];
    size_t len = 0;
    for (size_t i = 3; i-- > 0;) { /* backwards: the order must not matter */
        if (!tags[i])
            continue;
        const struct container *container = &file->resources[0].containers[i];
        assert_int_equal(edit_set_tag(file, container, tags[i], &splices[len++], err), 0);
    }
    int result = edit_apply(file, splices, len, out, err);
    for (size_t i = 0; i < len; i++)
        splice_release(&splices[i]);
    manifest_file_unref(file);
    return result;
}

static void test_edit_apply_merges_equal_edits_of_a_shared_image(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    assert_int_equal(apply_tags((const char *const[]){"22", "22", "3"}, &out, &err), 0);
    assert_string_equal(
        out.buf, "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n"
                 "  - {name: a, image: &i \"a:22\"}\n  - {name: b, image: *i}\n  - {name: c, image: c:3}\n");
}

static void test_edit_apply_refuses_two_images_for_one_scalar(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    assert_int_equal(apply_tags((const char *const[]){"2", "3", NULL}, &out, &err), -1);
    assert_int_equal(err.code, ERROR_CONFLICT);
    assert_non_null(strstr(err.text, "line 6"));
    assert_int_equal(out.len, 0);
}

static void test_edit_apply_without_splices_gives_the_same_bytes(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    assert_int_equal(apply_tags((const char *const[]){NULL, NULL, NULL}, &out, &err), 0);
    assert_string_equal(out.buf, SHARED);
}

/* Splices that edit_set_tag would never make: the proof must catch each. */
static void test_edit_apply_writes_nothing_that_does_not_verify(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value, *message;
    } cases[] = {
        {"a:2", "a:3", "another value"},
        {"a:2 #", "a:2 #", "another place"},
        {"\"a:2\"", "a:2", "another structure"},
        {"&x a:2", "a:2", "another anchor or tag"},
        {"!!str a:2", "a:2", "another anchor or tag"},
        {"a:2\n    more: x", "a:2", "another structure"},
        {"a:2\n---\nb: 1", "a:2", "another number of documents"},
        {"[", "[", "another document"},
        {"*x", "a:2", "another document"},
        {" a:2", "a:2", "another place"},
        {"", "", "another place"},
    };
    AUTO_FREE char *text = pod_of("a:1");
    struct manifest_file *file = file_of(text);
    const struct yaml_node *node = file->resources[0].containers[0].image_node;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct splice splice = {.start = node->start,
                                .end = node->end,
                                .text = xstrdup(cases[i].text),
                                .node = node,
                                .value = xstrdup(cases[i].value)};
        int result = edit_apply(file, &splice, 1, &out, &err);
        splice_release(&splice);
        if (result != -1 || err.code != ERROR_INTERNAL || !strstr(err.text, cases[i].message))
            fail_msg("\"%s\": %d %s", cases[i].text, result, err.text);
        assert_int_equal(out.len, 0);
    }
    manifest_file_unref(file);
}

/* YAML in a string, to its very end. */
static void test_edit_reaches_the_end_of_a_literal_block(void **state)
{
    (void)state;
    static const char head[] = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n"
                               "spec:\n  source:\n    helm:\n      values: |-\n        image: ";
    static const char *const ends[] = {"q", "q\n", "q # c", "'q'"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct error err = ERROR_INIT;
        size_t at = strcspn(ends[i], "q") + 1;
        AUTO_FREE char *before = xasprintf("%s%s", head, ends[i]);
        AUTO_FREE char *after = xasprintf("%s%.*s:2%s", head, (int)at, ends[i], ends[i] + at);
        AUTO_FREE char *got = edited(edit_set_tag, before, "2", &err);
        assert_string_equal(got ? got : err.text, after);
    }
}

static void test_edit_leaves_broken_documents_as_they_are(void **state)
{
    (void)state;
    AUTO_FREE char *pod = pod_of("a:1"), *newer = pod_of("a:2"), *before = NULL, *after = NULL;
    before = xasprintf("x: [\xc3\xa9 \n---\n%s---\ny: \"\n... \n", pod);
    after = xasprintf("x: [\xc3\xa9 \n---\n%s---\ny: \"\n... \n", newer);
    struct error err = ERROR_INIT;
    AUTO_FREE char *got = edited(edit_set_tag, before, "2", &err);
    assert_string_equal(got ? got : err.text, after);
}

static void test_edit_keeps_line_ends_and_marks(void **state)
{
    (void)state;
    static const char head[] =
        "\xef\xbb\xbf# \xc3\xbc\r\n{apiVersion: v1, kind: Pod, metadata: {name: x},\r\n"
        " spec: {containers: [{name: \"\xf0\x9f\x9a\xa2\", image: ";
    AUTO_FREE char *before = xasprintf("%sa:1}]}}  # no final newline", head);
    AUTO_FREE char *after = xasprintf("%sa:longer-2}]}}  # no final newline", head);
    struct error err = ERROR_INIT;
    AUTO_FREE char *got = edited(edit_set_tag, before, "longer-2", &err);
    assert_string_equal(got ? got : err.text, after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edit_set_tag_changes_the_tag_alone),
        cmocka_unit_test(test_edit_set_tag_refuses_what_the_tag_alone_cannot_change),
        cmocka_unit_test(test_edit_set_tag_refuses_an_image_that_is_in_parts),
        cmocka_unit_test(test_edit_set_image_keeps_the_quotes),
        cmocka_unit_test(test_edit_set_image_refuses_what_it_cannot_write),
        cmocka_unit_test(test_edit_apply_merges_equal_edits_of_a_shared_image),
        cmocka_unit_test(test_edit_apply_refuses_two_images_for_one_scalar),
        cmocka_unit_test(test_edit_apply_without_splices_gives_the_same_bytes),
        cmocka_unit_test(test_edit_apply_writes_nothing_that_does_not_verify),
        cmocka_unit_test(test_edit_reaches_the_end_of_a_literal_block),
        cmocka_unit_test(test_edit_leaves_broken_documents_as_they_are),
        cmocka_unit_test(test_edit_keeps_line_ends_and_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
