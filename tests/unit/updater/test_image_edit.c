#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/image_edit.h"

#define A_DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B_DIGEST "sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

/* A release whose values are `app`, with text around them. free() it. */
static char *release_of(const char *app)
{
    return xasprintf(
        "# é\r\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: x}\nspec:\n"
        "  values:\n    app: %s\n    more: 1.10 # kept\n",
        app);
}

/* What the file is once its container has another image, or NULL and the error. free() it. */
static char *edited(const char *text, const char *image, struct error *err)
{
    struct manifest_file *file = manifest_file_new("a.yaml", xstrdup(text), strlen(text), "default");
    if (file->resources_len != 1 || file->resources[0].containers_len != 1)
        fail_msg("no container in %s", text);
    CLEANUP(splice_list_release) struct splice_list splices = {.items = NULL};
    struct strbuf out = STRBUF_INIT;
    bool done = image_edit(file, &file->resources[0].containers[0], image, &splices, err) == 0 &&
                edit_apply(file, splices.items, splices.len, &out, err) == 0;
    if (!done)
        assert_int_equal(splices.len, 0);
    manifest_file_unref(file);
    if (done)
        return strbuf_detach(&out, NULL);
    strbuf_release(&out);
    return NULL;
}

static void assert_edits(const char *from, const char *image, const char *to)
{
    struct error err = ERROR_INIT;
    AUTO_FREE char *before = release_of(from), *expected = release_of(to);
    AUTO_FREE char *got = edited(before, image, &err);
    if (!got)
        fail_msg("%s: %s", from, err.text);
    assert_string_equal(got, expected);
}

static void test_image_edit_changes_the_tag_where_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *from, *image, *to;
    } cases[] = {
        {"{image: a/b:1}", "a/b:2", "{image: a/b:2}"},
        {"{image: a/b, tag: v1}", "a/b:v2", "{image: a/b, tag: v2}"},
        {"{registry: quay.io, image: 'a:1'}", "quay.io/a:2", "{registry: quay.io, image: 'a:2'}"},
        {"{registry: quay.io, image: a}", "quay.io/a:2", "{registry: quay.io, image: a:2}"},
        {"{registry: quay.io, image: a, tag: 'v1'}", "quay.io/a:v2",
         "{registry: quay.io, image: a, tag: 'v2'}"},
        {"{image: {registry: quay.io, repository: a, tag: v1}}", "quay.io/a:v2",
         "{image: {registry: quay.io, repository: a, tag: v2}}"},
        {"{registry: gcr.io/project, image: a, tag: v1}", "gcr.io/project/a:v2",
         "{registry: gcr.io/project, image: a, tag: v2}"},
        {"{image: a, tag: ''}", "a:v2", "{image: a, tag: 'v2'}"},
        {"{image: a, tag: ~}", "a:v2", "{image: a, tag: v2}"},
        {"\n      image: a\n      tag:", "a:v2", "\n      image: a\n      tag: v2"},
        {"\n      image: a\n      tag: # none", "a:1.10", "\n      image: a\n      tag: \"1.10\" # none"},
        {"\n      tag:\n      image: a", "a:v2", "\n      tag: v2\n      image: a"},
        {"\n      tag:\n\n      # c\n      image: a", "a:v2", "\n      tag: v2\n\n      # c\n      image: a"},
        {"{image: a, tag: }", "a:v2", "{image: a, tag: v2}"},
        {"{image: a, tag: , x: y}", "a:1.10", "{image: a, tag: \"1.10\", x: y}"},
        {"{image: a, tag: null}", "a:1.10", "{image: a, tag: \"1.10\"}"},
        {"{image: a, tag: v1}", "a:v1", "{image: a, tag: v1}"},
        {"{image: a, tag: &t v1, other: *t}", "a:v2", "{image: a, tag: &t v2, other: *t}"},
        {"\n      image: a\n      # the tag\n      tag:   v1   # here", "a:longer-v2",
         "\n      image: a\n      # the tag\n      tag:   longer-v2   # here"},
        /* JSON */
        {"{\"image\": \"a\", \"tag\": 1.9}", "a:v2", "{\"image\": \"a\", \"tag\": \"v2\"}"},
        {"{\"image\": \"a\", \"tag\" :\n      null}", "a:v2", "{\"image\": \"a\", \"tag\" :\n      \"v2\"}"},
        {"{\"image\": a, \"tag\": x}", "a:v2", "{\"image\": a, \"tag\": v2}"},
        /* the rest of the line is blank */
        {"\n      image: a\n      tag: \n      x: y", "a:v2", "\n      image: a\n      tag: v2\n      x: y"},
        {"\n      image: a\n      tag:  \n      x: y", "a:1.10",
         "\n      image: a\n      tag: \"1.10\" \n      x: y"},
        {"\n      image: a\n      tag: \t\n      x: y", "a:v2",
         "\n      image: a\n      tag: v2 \t\n      x: y"},
        {"\n      image: a\n      tag:  # c", "a:v2", "\n      image: a\n      tag: v2  # c"},
        /* a chart puts the tag behind its repository */
        {"{image: {repository: a:1}}", "a:2", "{image: {repository: a:2}}"},
        {"{image: {repository: a}}", "a:1.10", "{image: {repository: a, tag: \"1.10\"}}"},
        {"{image: {registry: quay.io, repository: a}}", "quay.io/b:v2",
         "{image: {registry: quay.io, repository: b, tag: v2}}"},
        {"{image: {repository: a}}", "a:v2@" A_DIGEST, "{image: {repository: a, tag: v2@" A_DIGEST "}}"},
        {"{image: {repository: a, digest: ''}}", "a:v2@" A_DIGEST,
         "{image: {repository: a, digest: '" A_DIGEST "', tag: v2}}"},
        {"{image: {repository: a, digest: " A_DIGEST "}}", "a:v2@" B_DIGEST,
         "{image: {repository: a, digest: " B_DIGEST ", tag: v2}}"},
        {"{image: {repository: a, digest: '" A_DIGEST "'}}", "a:1.10",
         "{image: {repository: a, digest: '', tag: '1.10'}}"},
        {"{image: {repository: a@" A_DIGEST "}}", "a:v2", "{image: {repository: a:v2}}"},
        {"\n      image:\n        repository: a # c\n        pullSecrets:\n        - name: x # y\n      x: y",
         "a:v2",
         "\n      image:\n        repository: a # c\n        pullSecrets:\n        - name: x # y\n        "
         "tag: v2\n"
         "      x: y"},
        {"\n      image:\n        repository: a\n        pullSecrets: []", "a:v2",
         "\n      image:\n        repository: a\n        pullSecrets: []\n        tag: v2"},
        {"\n      image: a\n      tag: >-\n        v1", "a:1.10",
         "\n      image: a\n      tag: >-\n        1.10"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_edits(cases[i].from, cases[i].image, cases[i].to);
}

/* Then all that it is in ends with it, too. */
static void test_image_edit_fills_the_last_value_of_a_file(void **state)
{
    (void)state;
    static const char *const ends[] = {"", "\n", " \n", "  \r\n", " ", "\n...\n", " \n---\n"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct error err = ERROR_INIT;
        AUTO_FREE char *before = xasprintf(
            "kind: HelmRelease\napiVersion: helm.fluxcd.io/v1\nmetadata: {name: x}\nspec:\n  values:\n"
            "    image: a\n    tag:%s",
            ends[i]);
        AUTO_FREE char *got = edited(before, "a:v2", &err);
        const char *rest = ends[i] + (*ends[i] == ' '); /* the blank is the one that belongs there */
        const char *tag = got ? strstr(got, "tag:") : NULL;
        if (!tag || !str_starts_with(tag, "tag: v2"))
            fail_msg("%s: %s", before, got ? got : err.text);
        else
            assert_string_equal(tag + strlen("tag: v2"), rest);
    }
}

static void test_image_edit_quotes_a_tag_that_would_be_no_string(void **state)
{
    (void)state;
    static const char *const tags[] = {"1.10",       "1e3",  "0755", "12",      "yes",  "no",
                                       "on",         "null", "true", "0x1F",    "0o17", "1_000",
                                       "2024-01-02", "y",    "007",  "1234e567"};
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        AUTO_FREE char *image = xasprintf("a:%s", tags[i]);
        AUTO_FREE char *twice = xasprintf("{image: a, tag: \"%s\"}", tags[i]);
        AUTO_FREE char *once = xasprintf("{image: 'a', tag: '%s'}", tags[i]);
        AUTO_FREE char *tagged = xasprintf("{image: a, tag: !!str %s}", tags[i]);
        assert_edits("{image: a, tag: v1}", image, twice);
        assert_edits("{image: a, tag: 9.9}", image, twice);
        assert_edits("{image: a, tag: \"v1\"}", image, twice);
        assert_edits("{image: 'a', tag: 'v1'}", image, once);
        assert_edits("{image: 'a', tag: v1}", image, once);
        assert_edits("{image: a, tag: !!str v1}", image, tagged);
    }
    assert_edits("{image: a, tag: 1.10}", "a:v2", "{image: a, tag: v2}");
    assert_edits("{image: a, tag: 1.10}", "a:1.10", "{image: a, tag: 1.10}");
    assert_edits("{image: a, tag: 1.2.3}", "a:1.2.4", "{image: a, tag: 1.2.4}");
}

static void test_image_edit_keeps_the_name_as_it_is_written(void **state)
{
    (void)state;
    static const struct {
        const char *from, *image, *to;
    } cases[] = {
        {"{image: a, tag: v1}", "b:v2", "{image: b, tag: v2}"},
        {"{image: a, tag: v1}", "b:v1", "{image: b, tag: v1}"},
        {"{registry: quay.io, image: a, tag: v1}", "ghcr.io/b:v2", "{registry: ghcr.io, image: b, tag: v2}"},
        {"{registry: quay.io, image: a, tag: v1}", "quay.io/b:v2", "{registry: quay.io, image: b, tag: v2}"},
        {"{registry: quay.io, image: a, tag: v1}", "b/c:v2", "{registry: docker.io, image: b/c, tag: v2}"},
        {"{registry: docker.io, image: a, tag: v1}", "index.docker.io/library/a:v2",
         "{registry: docker.io, image: library/a, tag: v2}"},
        {"{registry: docker.io, image: a, tag: v1}", "b:v2", "{registry: docker.io, image: b, tag: v2}"},
        {"{registry: gcr.io/one, image: a, tag: v1}", "gcr.io/two/b:v2",
         "{registry: gcr.io, image: two/b, tag: v2}"},
        {"{registry: 'x', image: a, tag: v1}", "host:5000/b:v2",
         "{registry: 'host:5000', image: b, tag: v2}"},
        {"{registry: team, image: a, tag: v1}", "a:v2", "{registry: docker.io, image: a, tag: v2}"},
        {"{registry: team, image: a, tag: v1}", "team/b:v2", "{registry: team, image: b, tag: v2}"},
        {"{image: a, tag: 'x y'}", "b:v2", "{image: b, tag: 'v2'}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_edits(cases[i].from, cases[i].image, cases[i].to);
}

static void test_image_edit_puts_a_digest_where_one_belongs(void **state)
{
    (void)state;
    static const struct {
        const char *from, *image, *to;
    } cases[] = {
        {"{image: a, tag: v1}", "a:v2@" B_DIGEST, "{image: a, tag: v2@" B_DIGEST "}"},
        {"{image: a, tag: v1@" A_DIGEST "}", "a:v2", "{image: a, tag: v2}"},
        {"{image: a, tag: v1@" A_DIGEST "}", "a:v1@" B_DIGEST, "{image: a, tag: v1@" B_DIGEST "}"},
        {"{image: a, tag: v1, digest: " A_DIGEST "}", "a:v2@" B_DIGEST,
         "{image: a, tag: v2, digest: " B_DIGEST "}"},
        {"{image: a, tag: v1, digest: " A_DIGEST "}", "a:v2", "{image: a, tag: v2, digest: \"\"}"},
        {"{image: a, tag: v1, digest: ''}", "a:v2", "{image: a, tag: v2, digest: ''}"},
        {"{image: a, tag: v1, digest: ''}", "a:v1@" B_DIGEST, "{image: a, tag: v1, digest: '" B_DIGEST "'}"},
        {"{registry: quay.io, image: a}", "quay.io/a:1@" B_DIGEST,
         "{registry: quay.io, image: a:1@" B_DIGEST "}"},
        {"{image: a, tag: '', digest: ''}", "a@" B_DIGEST, "{image: a, tag: '', digest: '" B_DIGEST "'}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_edits(cases[i].from, cases[i].image, cases[i].to);
}

static void test_image_edit_refuses_what_the_parts_cannot_hold(void **state)
{
    (void)state;
    static const struct {
        const char *from, *image, *reason;
        enum error_code code;
    } cases[] = {
        {"{image: a, tag: v1}", "a", "line 7, container app: the tag has a field of its own",
         ERROR_UNSUPPORTED},
        {"{image: a, tag: v1}", "a@" B_DIGEST, "the tag has a field of its own", ERROR_UNSUPPORTED},
        {"{image: a, tag: ''}", "a@" B_DIGEST, "the tag has a field of its own", ERROR_UNSUPPORTED},
        {"{image: a, tag: v1}", "A:1", "no image reference", ERROR_INVALID},
        {"{image: a, tag: !!float 1.1}", "a:v2", "container app: line 7: the value has a YAML tag",
         ERROR_UNSUPPORTED},
        {"{image: a, tag: &t }", "b:v2", "container app: line 7: there is no image text", ERROR_UNSUPPORTED},
        {"{image: a, tag }", "b:v2", "container app: line 7: there is no image text", ERROR_UNSUPPORTED},
        {"{image: &i {repository: a}, other: *i}", "a:v2",
         "line 7, container app: there is a repository alone", ERROR_UNSUPPORTED},
        {"{image: {repository: a, tag: [x]}}", "a:v2", "there is a repository alone", ERROR_UNSUPPORTED},
        {"{image: {repository: a, tag }}", "b:v2", "container app: line 7: there is no image text",
         ERROR_UNSUPPORTED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        AUTO_FREE char *before = release_of(cases[i].from);
        AUTO_FREE char *got = edited(before, cases[i].image, &err);
        if (got || err.code != cases[i].code || !strstr(err.text, cases[i].reason))
            fail_msg("%s: %s", cases[i].from, got ? got : err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_edit_changes_the_tag_where_it_is),
        cmocka_unit_test(test_image_edit_fills_the_last_value_of_a_file),
        cmocka_unit_test(test_image_edit_quotes_a_tag_that_would_be_no_string),
        cmocka_unit_test(test_image_edit_keeps_the_name_as_it_is_written),
        cmocka_unit_test(test_image_edit_puts_a_digest_where_one_belongs),
        cmocka_unit_test(test_image_edit_refuses_what_the_parts_cannot_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
