#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/option.h"
#include "base/yaml.h"

struct values {
    char *url, *auth, *token_file;
    int64_t interval;
    bool readonly;
    struct strvec path;
};

#define AT(field) offsetof(struct values, field)

static const struct option_row rows[] = {
    {"git-url", 0, OPTION_STRING, AT(url), NULL, "URL", "Git", "x", NULL, NULL},
    {"git-path", 0, OPTION_LIST, AT(path), "default", "PATH,…", "Git", "x", NULL, NULL},
    {"git-readonly", 0, OPTION_BOOL, AT(readonly), NULL, NULL, "Git", "x", NULL, NULL},
    {"git-poll-interval", 0, OPTION_DURATION, AT(interval), "5m", "TIME", "Git", "x", NULL, NULL},
    {"git-secret", 0, OPTION_NONE, 0, NULL, NULL, "Git", "x", NULL, "not in this version"},
    {"auth", 0, OPTION_STRING, AT(auth), "token", "KIND", "API", "x", "token|none", NULL},
    {"auth-token-file", 0, OPTION_STRING, AT(token_file), NULL, "FILE", "API", "x", NULL, NULL},
    {NULL, 0, OPTION_NONE, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};
static const struct option_row *const tables[] = {rows, NULL};

struct fixture {
    struct values values;
    struct option_set set;
    struct error error;
};

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.error = ERROR_INIT};
    option_set_init(&f->set, tables, &f->values);
}

static void fixture_release(struct fixture *f)
{
    option_set_release(&f->set);
}

static int read_text(struct fixture *f, const char *text)
{
    static const char *const foreign[] = {"repositories", NULL};
    CLEANUP(yaml_release) struct yaml_stream *stream = yaml_read(text, strlen(text), &f->error);
    assert_non_null(stream);
    return option_read_yaml(&f->set, stream->len ? stream->documents[0].root : NULL, "pawl.yaml", foreign,
                            &f->error);
}

static void check_path(const struct fixture *f, const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < f->values.path.len; i++)
        strbuf_addf(&text, "[%s]", f->values.path.items[i]);
    assert_string_equal(text.buf, expected);
}

static void test_option_yaml_reads_nested_and_flat_keys_alike(void **state UNUSED)
{
    static const char *const texts[] = {
        "git-url: u\ngit-path: [a, b]\ngit-readonly: true\ngit-poll-interval: 1m\n",
        "git:\n  url: u\n  path: [a, b]\n  readonly: true\n  poll-interval: 1m\n",
        "git: {url: u, path: 'a,b', readonly: yes, poll: {interval: 1m}}\n",
        "git-poll: {interval: 60s}\ngit: {url: u, readonly: true}\ngit-path: a,b\n",
        "git: &x {url: u, path: [a, b], readonly: on}\ngit-poll-interval: \"1m\"\n",
        "repositories: [{url: &u u}]\ngit: {url: *u, path: [a, b], readonly: true, poll-interval: 1m}\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(fixture_release) struct fixture f;
        fixture_init(&f);
        if (read_text(&f, texts[i]) < 0)
            fail_msg("case %zu: %s", i, f.error.text);
        assert_string_equal(f.values.url, "u");
        assert_true(f.values.readonly);
        assert_int_equal(f.values.interval, 60000);
        check_path(&f, "[a][b]");
        assert_int_equal(option_source_of(&f.set, "git-path"), OPTION_FILE);
        assert_int_equal(option_source_of(&f.set, "auth"), OPTION_DEFAULT);
    }
}

static void test_option_yaml_key_may_be_an_option_and_a_prefix(void **state UNUSED)
{
    CLEANUP(fixture_release) struct fixture f;
    fixture_init(&f);
    assert_int_equal(read_text(&f, "auth: {token-file: t}\n"), 0);
    assert_string_equal(f.values.token_file, "t");
    assert_string_equal(f.values.auth, "token");
    assert_int_equal(read_text(&f, "auth: none\nauth-token-file: s\n"), 0);
    assert_string_equal(f.values.token_file, "s");
    assert_string_equal(f.values.auth, "none");
}

static void test_option_yaml_lists_take_items_as_they_are(void **state UNUSED)
{
    static const struct {
        const char *text, *items;
    } cases[] = {
        {"git-path: []\n", ""},
        {"git-path: ''\n", ""},
        {"git-path: ['a,b', '\"']\n", "[a,b][\"]"},
        {"git-path: [1.10]\n", "[1.10]"},
        {"git-path: '\"a,b\",c'\n", "[a,b][c]"},
        {"git-path:\n- x\n- y\n", "[x][y]"},
        {"{}\n", "[default]"},
        {"", "[default]"},
        {"# only a comment\n", "[default]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(fixture_release) struct fixture f;
        fixture_init(&f);
        assert_int_equal(read_text(&f, cases[i].text), 0);
        check_path(&f, cases[i].items);
    }
}

static void test_option_yaml_loses_to_what_was_given_before(void **state UNUSED)
{
    CLEANUP(fixture_release) struct fixture f;
    CLEANUP(strvec_release) struct strvec operands = STRVEC_INIT;
    char flag[] = "--git-path=flag";
    char *arguments[] = {flag};
    fixture_init(&f);
    assert_int_equal(option_read_arguments(&f.set, 1, arguments, &operands, &f.error), 0);
    assert_int_equal(read_text(&f, "git: {path: [file], url: u}\n"), 0);
    check_path(&f, "[flag]");
    assert_string_equal(f.values.url, "u");
}

static void test_option_yaml_says_where_and_what_is_wrong(void **state UNUSED)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"\ngit-ulr: x\n", "pawl.yaml:2:1: unknown key \"git-ulr\", did you mean \"git-url\"?"},
        {"git:\n  ulr: x\n", "pawl.yaml:2:3: unknown key \"git-ulr\", did you mean \"git-url\"?"},
        {"gti: {url: x}\n", "pawl.yaml:1:7: unknown key \"gti-url\", did you mean \"git-url\"?"},
        {"xyzzy: 1\n", "pawl.yaml:1:1: unknown key \"xyzzy\""},
        {"git: {repositories: 1}\n", "pawl.yaml:1:7: unknown key \"git-repositories\""},
        {"git: x\n", "pawl.yaml:1:1: unknown key \"git\""},
        {"git-url: [a]\n", "pawl.yaml:1:10: git-url takes one text and is a list here"},
        {"git-url: {a: b}\n", "pawl.yaml:1:10: git-url takes one text and is a mapping here"},
        {"git-path: {a: b}\n", "pawl.yaml:1:11: git-path takes a list and is a mapping here"},
        {"git-url:\n", "pawl.yaml:1:9: git-url takes one text and is empty here"},
        {"git-url: ~\n", "pawl.yaml:1:10: git-url takes one text and is empty here"},
        {"git-path: [a, [b]]\n", "pawl.yaml:1:15: git-path takes a list of texts, and this item is none"},
        {"git-path: [a, ]\ngit-poll-interval: 300\n",
         "pawl.yaml:2:20: git-poll-interval: \"300\" is not a duration (such as 30s, 5m or 1h30m)"},
        {"git-readonly: maybe\n", "pawl.yaml:1:15: git-readonly: \"maybe\" is not true or false"},
        {"auth: basic\n", "pawl.yaml:1:7: auth: \"basic\" is none of: token, none"},
        {"git-secret: true\n", "pawl.yaml:1:13: git-secret: not in this version"},
        {"git:\n  url: a\ngit-url: b\n", "pawl.yaml:3:1: git-url is given twice, first in line 2"},
        {"a: &a {git-url: x}\n<<: *a\n", "pawl.yaml:1:8: unknown key \"a-git-url\""},
        {"<<: {git-url: x}\n", "pawl.yaml:1:1: merge keys (<<) are not read here; write the keys themselves"},
        {"[a, b]\n", "pawl.yaml:1:1: options are a mapping, such as \"git-url: URL\""},
        {"text\n", "pawl.yaml:1:1: options are a mapping, such as \"git-url: URL\""},
        {"? [a]\n: b\n", "pawl.yaml:1:3: a key must be the name of an option"},
        {"a: {b: {c: {d: {e: {f: {g: {h: {i: {j: 1}}}}}}}}}\n", "unknown key"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(fixture_release) struct fixture f;
        fixture_init(&f);
        assert_int_equal(read_text(&f, cases[i].text), -1);
        if (!strstr(f.error.text, cases[i].error))
            fail_msg("case %zu: %s", i, f.error.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_option_yaml_reads_nested_and_flat_keys_alike),
        cmocka_unit_test(test_option_yaml_key_may_be_an_option_and_a_prefix),
        cmocka_unit_test(test_option_yaml_lists_take_items_as_they_are),
        cmocka_unit_test(test_option_yaml_loses_to_what_was_given_before),
        cmocka_unit_test(test_option_yaml_says_where_and_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
