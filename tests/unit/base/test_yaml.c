#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "base/yaml.h"

static struct yaml_stream *read_text(const char *text)
{
    struct error err = ERROR_INIT;
    struct yaml_stream *stream = yaml_read(text, strlen(text), &err);
    if (!stream)
        fail_msg("%s: %s", text, err.text);
    return stream;
}

/* The root of the only document, which must be whole. */
static const struct yaml_node *root_of(const struct yaml_stream *stream)
{
    assert_int_equal(stream->len, 1);
    assert_string_equal(stream->documents[0].error.text, "");
    assert_non_null(stream->documents[0].root);
    return stream->documents[0].root;
}

/* The bytes of the value at "k" must be `raw`, and read as `value`. */
static void test_yaml_scalar_spans_are_what_was_written(void **state)
{
    (void)state;
    static const struct {
        const char *text, *raw, *value;
        int line, column;
    } cases[] = {
        {"k: v", "v", "v", 1, 4},
        {"k: v # c\n", "v", "v", 1, 4},
        {"k: v  \t\n", "v", "v", 1, 4},
        {"k:   \"v\"  \n", "\"v\"", "v", 1, 6},
        {"k: 'it''s'\n", "'it''s'", "it's", 1, 4},
        {"k: \"\\u00e9\"\n", "\"\\u00e9\"", "é", 1, 4},
        {"k: a\n  b\n", "a\n  b", "a b", 1, 4},
        {"k:\n  v\n", "v", "v", 2, 3},
        {"k: # c\n  v\n", "v", "v", 2, 3},
        {"{é: ü, k: v}", "v", "v", 1, 11},
        {"é: 日本\nk: v\nx: ö", "v", "v", 2, 4},
        {"k: &a v", "v", "v", 1, 7},
        {"k: &a !!str v", "v", "v", 1, 13},
        {"k: !!str &a  'v'", "'v'", "v", 1, 14},
        {"k: ! v", "v", "v", 1, 6},
        {"k: !<tag:yaml.org,2002:str> v", "v", "v", 1, 29},
        {"k: &a # ü\n   # ü\n  v\n", "v", "v", 3, 3},
        {"é: &ä1 1\nk: v\n", NULL, NULL, 0, 0},
        {"[&a k, {k: v}]", NULL, NULL, 0, 0},
        {"k: &a\nj: 1", "", "", 1, 6},
        {"k: &a:1 b", ":1 b", ":1 b", 1, 6}, /* libyaml's anchors end before a colon */
        {"k: >-\n  v\n\n# c\nj: 1", ">-\n  v\n\n", "v", 1, 4},
        {"k: |\n  v\n  w\n", "|\n  v\n  w\n", "v\nw\n", 1, 4},
        {"k: &a >- # c\n  v", ">- # c\n  v", "v", 1, 7},
        {"k: v\r\nj: w\r\n", "v", "v", 1, 4},
        {"j: w\r\nk: v\r\n", "v", "v", 2, 4},
        {"j: w\rk: v\r", "v", "v", 2, 4},
        {"k: |-\r\n  v\r\n  w\r\n", "|-\r\n  v\r\n  w\r\n", "v\nw", 1, 4},
        {"\xef\xbb\xbfk: v\n", "v", "v", 1, 4},
        {"\xef\xbb\xbf# ü\nk: v\n", "v", "v", 2, 4},
        {"k: !!str\n\xef\xbb\xbf v\n", "v", "v", 2, 3},
        {"j: a\xc2\x85k: v", "v", "v", 2, 4},
        {"j: a\xe2\x80\xa8k: v", "v", "v", 2, 4},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(yaml_release) struct yaml_stream *stream = read_text(cases[i].text);
        if (!cases[i].raw) {
            assert_null(yaml_get(stream->documents[0].root, "k"));
            continue;
        }
        const struct yaml_node *node = yaml_get(root_of(stream), "k");
        assert_non_null(node);
        AUTO_FREE char *raw = xmemdupz(cases[i].text + node->start, node->end - node->start);
        assert_string_equal(raw, cases[i].raw);
        assert_string_equal(node->value, cases[i].value);
        assert_int_equal(node->line, cases[i].line);
        assert_int_equal(node->column, cases[i].column);
    }
}

static void test_yaml_collections_span_their_nodes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *raw;
        bool flow;
    } cases[] = {
        {"k: {a: 1, b: [2]} # c\n", "{a: 1, b: [2]}", true},
        {"k: &a !!map {a: 1}\n", "{a: 1}", true},
        {"k:\n  a: 1\n  b: 2\n\n# c\nj: 1\n", "a: 1\n  b: 2", false},
        {"k: &x\n  a: 1\nj: 1\n", "a: 1", false},
        {"k: &x # ü\n  &y a: 1\nj: 1\n", "&y a: 1", false},
        {"k:\n- a\n- b: é\n\nj: 1\n", "- a\n- b: é", false},
        {"k: !!seq\n  - a\n", "- a", false},
        {"k: []\n", "[]", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(yaml_release) struct yaml_stream *stream = read_text(cases[i].text);
        const struct yaml_node *node = yaml_get(root_of(stream), "k");
        AUTO_FREE char *raw = xmemdupz(cases[i].text + node->start, node->end - node->start);
        assert_string_equal(raw, cases[i].raw);
        assert_int_equal(node->flow, cases[i].flow);
    }
}

/* Per document: "ok", "empty", or "LINE:COLUMN" of its error. */
static void describe(const struct yaml_stream *stream, struct strbuf *out)
{
    for (size_t i = 0; i < stream->len; i++) {
        const struct yaml_document *d = &stream->documents[i];
        strbuf_addf(out, "%s%d@%zu-%zu ", i ? "| " : "", d->line, d->start, d->end);
        if (d->error.code != ERROR_NONE)
            strbuf_addf(out, "%d:%d", d->error_line, d->error_column);
        else
            strbuf_addstr(out, d->root ? "ok" : "empty");
        strbuf_addch(out, ' ');
    }
}

static void test_yaml_documents_are_split_at_markers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", ""},
        {"# only a comment\n", ""},
        {"a: 1\n", "1@0-5 ok "},
        {"---\n", "1@0-4 empty "},
        {"--- # c\n---\n", "1@0-8 empty | 2@8-12 empty "},
        {"# c\n---\na: 1\n", "1@0-13 ok "},
        {"a: 1\n---\nb: 2", "1@0-5 ok | 2@5-13 ok "},
        {"a: 1\n--- {b: 2}\n", "1@0-5 ok | 2@5-16 ok "},
        {"a: 1\n---b: 2\n", "1@0-13 ok "},
        {"a: |\n  ---\n  x\n", "1@0-15 ok "},
        {"a: |\n  x\n---\nb: 1\n", "1@0-9 ok | 3@9-18 ok "},
        {"a: 1\r\n---\r\nb: 2\r\n", "1@0-6 ok | 2@6-17 ok "},
        {"a: 1\r---\rb: 2", "1@0-5 ok | 2@5-13 ok "},
        {"a: 1\n...\n---\nb: 2", "1@0-9 ok | 3@9-17 ok "},
        {"a: 1\n...\nb: 2", "1@0-9 ok | 3@9-13 ok "},
        {"a: 1\n...\n# c\n...\n", "1@0-9 ok "},
        {"%YAML 1.1\n---\na: 1\n", "1@0-19 ok "},
        {"a: 1\n...\n%TAG ! tag:x,\n# c\n---\na: !y 1\n", "1@0-9 ok | 3@9-39 ok "},
        {"a: 1\n%YAML 1.1\n---\nb: 1\n", "1@0-5 ok | 2@5-24 ok "},
        {"a\n%b\n--- c\n", "1@0-5 ok | 3@5-11 ok "},
        {"%b\n---\na: 1\n", "1@0-3 1:3 | 2@3-12 ok "},
        {"a: 1\n\xef\xbb\xbf---\nb: 1\n", "1@0-5 ok | 2@5-17 ok "},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(yaml_release) struct yaml_stream *stream = read_text(cases[i].text);
        CLEANUP(strbuf_release) struct strbuf got = STRBUF_INIT;
        describe(stream, &got);
        assert_string_equal(got.buf, cases[i].expected);
    }
}

static void test_yaml_broken_documents_spoil_only_themselves(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected, *message;
        size_t broken;
    } cases[] = {
        {"a: [\n---\nb: 1\n", "1@0-5 2:1 | 2@5-14 ok ", "did not find expected node content", 0},
        {"a: 1\n---\nb: \"x\n---\nc: 1\n", "1@0-5 ok | 2@5-15 4:1 | 4@15-24 ok ",
         "while scanning a quoted scalar", 1},
        {"a: 1\nb\nc: 2\n", "1@0-12 3:1 ", "while scanning a simple key", 0},
        {"é: \"\x01\"\n---\nb: 1\n", "1@0-8 1:5 | 2@8-17 ok ", "control characters are not allowed", 0},
        {"a: *x\n", "1@0-6 1:4 ", "an alias of an anchor that has not been defined", 0},
        {"a: &x 1\n---\nb: *x\n", "1@0-8 ok | 2@8-18 3:4 ", "has not been defined", 1},
        {"a: &x [1, *x]\n", "1@0-14 1:11 ", "an alias inside the node that it stands for", 0},
        {"a: 1\nb: 2\na: 3\n", "1@0-15 3:1 ", "the key \"a\" is there twice, in line 1 and in line 3", 0},
        {"a: 1\n'a': 3\n", "1@0-12 2:1 ", "the key \"a\" is there twice", 0},
        {"x: {<<: {}, '<<': 1, <<: {}, \"<<\": 2}\n", "1@0-38 1:30 ", "the key \"<<\" is there twice", 0},
        {"x: {y: [{a: 1, b: {}, a: 1}]}\n", "1@0-30 1:23 ", "the key \"a\" is there twice", 0},
        {"? {a: 1}\n: 1\n? {a: 1}\n: 1\n", "1@0-26 ok ", NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(yaml_release) struct yaml_stream *stream = read_text(cases[i].text);
        CLEANUP(strbuf_release) struct strbuf got = STRBUF_INIT;
        describe(stream, &got);
        assert_string_equal(got.buf, cases[i].expected);
        if (cases[i].message)
            assert_non_null(strstr(stream->documents[cases[i].broken].error.text, cases[i].message));
    }
}

static void test_yaml_duplicate_keys_are_found_among_many(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (int i = 0; i < 5000; i++)
        strbuf_addf(&text, "key%d: 1\n", i);
    CLEANUP(yaml_release) struct yaml_stream *unique = read_text(text.buf);
    assert_int_equal(root_of(unique)->len, 10000);
    strbuf_addstr(&text, "<<: {}\n\"<<\": 1\n<<: {}\n");
    CLEANUP(yaml_release) struct yaml_stream *merged = read_text(text.buf);
    assert_int_equal(root_of(merged)->len, 10006);
    strbuf_addstr(&text, "key77: 1\n");
    CLEANUP(yaml_release) struct yaml_stream *twice = read_text(text.buf);
    assert_string_equal(twice->documents[0].error.text,
                        "the key \"key77\" is there twice, in line 78 and in line 5004");
}

static void test_yaml_whole_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"\xff\xfe", "UTF-16"},
        {"\xfe\xff", "UTF-16"},
        {"a: \xe9\n", "byte 3 of the file is not UTF-8"},
        {"a: \xed\xa0\x80\n", "byte 3"},
        {"ab: \xc0\xaf\n", "byte 4"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        assert_null(yaml_read(cases[i].text, strlen(cases[i].text), &err));
        assert_int_equal(err.code, ERROR_INVALID);
        assert_non_null(strstr(err.text, cases[i].message));
    }
    struct error err = ERROR_INIT;
    size_t len = LIMIT_YAML_BYTES + 1;
    AUTO_FREE char *large = xcalloc(len, 1);
    assert_null(yaml_read(large, len, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    CLEANUP(strbuf_release) struct strbuf many = STRBUF_INIT;
    for (unsigned i = 0; i <= LIMIT_YAML_DOCUMENTS; i++)
        strbuf_addstr(&many, "---\n");
    assert_null(yaml_read(many.buf, many.len, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
}

static void test_yaml_depth_and_alias_bombs_are_limited(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf deep = STRBUF_INIT, bomb = STRBUF_INIT, tower = STRBUF_INIT;
    for (int i = 0; i < 100000; i++)
        strbuf_addch(&deep, '[');
    strbuf_addstr(&bomb, "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n");
    for (int i = 1; i < 30; i++)
        strbuf_addf(&bomb, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1, i - 1, i - 1);
    strbuf_addstr(&tower, "a0: &a0 [1]\n");
    for (int i = 1; i < 300; i++)
        strbuf_addf(&tower, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    const struct strbuf *texts[] = {&deep, &bomb, &tower};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(yaml_release) struct yaml_stream *stream = read_text(texts[i]->buf);
        assert_null(stream->documents[0].root);
        assert_int_equal(stream->documents[0].error.code, ERROR_TOO_LARGE);
    }
}

static void test_yaml_aliases_of_all_documents_share_one_budget(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (int i = 0; i < 20; i++) {
        strbuf_addstr(&text, "---\na: &a [x");
        for (int k = 0; k < 999; k++)
            strbuf_addstr(&text, ",x");
        strbuf_addstr(&text, "]\nb:\n");
        for (int k = 0; k < 100; k++)
            strbuf_addstr(&text, "- *a\n");
    }
    CLEANUP(yaml_release) struct yaml_stream *stream = read_text(text.buf);
    assert_int_equal(stream->documents[0].error.code, ERROR_NONE);
    assert_int_equal(stream->documents[19].error.code, ERROR_TOO_LARGE);
}

static void test_yaml_get_follows_aliases_and_merge_keys(void **state)
{
    (void)state;
    CLEANUP(yaml_release)
    struct yaml_stream *stream = read_text("base: &base {image: b:1, name: base}\n"
                                           "more: &more {<<: *base, image: m:1}\n"
                                           "alias: *base\n"
                                           "own: {<<: *base, image: o:1}\n"
                                           "list: {<<: [{x: 1}, *more, *base]}\n"
                                           "quoted: {\"<<\": *base}\n"
                                           "twice: {<<: *base, image: t:1, <<: {name: last, image: l:1}}\n"
                                           "anchor: &s text\n"
                                           "again: *s\n");
    static const struct {
        const char *object, *key, *value;
    } cases[] = {
        {"base", "image", "b:1"},  {"more", "image", "m:1"},   {"more", "name", "base"},
        {"alias", "image", "b:1"}, {"own", "image", "o:1"},    {"own", "name", "base"},
        {"list", "image", "m:1"},  {"list", "x", "1"},         {"quoted", "image", NULL},
        {"twice", "image", "t:1"}, {"twice", "name", "last"},  {"base", "none", NULL},
        {"anchor", "image", NULL}, {"missing", "image", NULL},
    };
    const struct yaml_node *root = root_of(stream);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *got = yaml_text(yaml_path(root, cases[i].object, cases[i].key, NULL));
        if (cases[i].value)
            assert_string_equal(got, cases[i].value);
        else
            assert_null(got);
    }
    const struct yaml_node *again = yaml_get(root, "again");
    assert_int_equal(again->kind, YAML_ALIAS);
    assert_ptr_equal(yaml_resolve(again), yaml_get(root, "anchor"));
    assert_null(yaml_resolve(NULL));
}

static void test_yaml_text_is_of_scalars_that_are_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value;
    } cases[] = {
        {"k: v", "v"},  {"k: 1", "1"}, {"k: ''", ""},    {"k: \"null\"", "null"}, {"k: null", NULL},
        {"k: ~", NULL}, {"k:", NULL},  {"k: [a]", NULL}, {"k: {a: b}", NULL},     {"k: \"a\\0b\"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(yaml_release) struct yaml_stream *stream = read_text(cases[i].text);
        const char *got = yaml_text(yaml_get(root_of(stream), "k"));
        if (cases[i].value)
            assert_string_equal(got, cases[i].value);
        else
            assert_null(got);
    }
}

static void test_keys_before_a_merge_key_that_has_them_are_contested(void **state)
{
    (void)state;
    CLEANUP(yaml_release)
    struct yaml_stream *stream = read_text("base: &base {image: b:1, name: base}\n"
                                           "after: {<<: *base, image: o:1}\n"
                                           "before: &before {image: o:1, other: x, <<: *base}\n"
                                           "list: {image: o:1, <<: [{x: 1}, *base]}\n"
                                           "below: {<<: *before}\n"
                                           "covered: {<<: {x: 1}, image: o:1, <<: {y: 1}}\n");
    static const struct {
        const char *object, *key;
        bool is_contested;
    } cases[] = {
        {"base", "image", false},  {"after", "image", false},   {"before", "image", true},
        {"before", "name", false}, {"before", "other", false},  {"list", "image", true},
        {"below", "image", true},  {"covered", "image", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(yaml_is_contested(yaml_get(root_of(stream), cases[i].object), cases[i].key),
                         cases[i].is_contested);
    assert_false(yaml_is_contested(NULL, "image"));
}

static int join_pair(const struct yaml_node *key, const struct yaml_node *value, bool is_merged,
                     void *context)
{
    strbuf_addf(context, "%s=%s%s ", yaml_text(key), yaml_text(value), is_merged ? "*" : "");
    return !strcmp(yaml_text(key), "stop");
}

static void test_yaml_each_pair_gives_own_pairs_first(void **state)
{
    (void)state;
    CLEANUP(yaml_release)
    struct yaml_stream *stream =
        read_text("x: &x {a: 1, b: 1}\ny: {<<: *x, b: 2, c: 2}\nz: {a: 1, stop: 2, b: 3}\n");
    CLEANUP(strbuf_release) struct strbuf got = STRBUF_INIT;
    assert_int_equal(yaml_each_pair(yaml_get(root_of(stream), "y"), join_pair, &got), 0);
    assert_string_equal(got.buf, "b=2 c=2 a=1* b=1* ");
    strbuf_reset(&got);
    assert_int_equal(yaml_each_pair(yaml_get(root_of(stream), "z"), join_pair, &got), 1);
    assert_string_equal(got.buf, "a=1 stop=2 ");
}

static void find_all(const struct yaml_stream *stream, const struct yaml_node *node, uint32_t *last)
{
    assert_int_equal(node->number, *last + 1);
    assert_ptr_equal(yaml_find(stream, node->number), node);
    *last = node->number;
    for (size_t i = 0; i < node->len; i++)
        find_all(stream, node->items[i], last);
}

static void test_yaml_find_gives_each_node_by_its_number(void **state)
{
    (void)state;
    CLEANUP(yaml_release)
    struct yaml_stream *stream =
        read_text("a: &x {b: [1, 2], c: , d}\n? \n: *x\n<<: *x\n---\n---\n- - d\n- \n- e:\n---\nf\n");
    uint32_t last = 0;
    for (size_t i = 0; i < stream->len; i++) {
        if (stream->documents[i].root)
            find_all(stream, stream->documents[i].root, &last);
        else
            last = stream->documents[i + 1].root->number - 1; /* nothing is a node, too, but no root */
    }
    assert_int_equal(stream->len, 4);
    assert_null(yaml_find(stream, 0));
    assert_null(yaml_find(stream, last + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml_scalar_spans_are_what_was_written),
        cmocka_unit_test(test_yaml_collections_span_their_nodes),
        cmocka_unit_test(test_yaml_documents_are_split_at_markers),
        cmocka_unit_test(test_yaml_broken_documents_spoil_only_themselves),
        cmocka_unit_test(test_yaml_duplicate_keys_are_found_among_many),
        cmocka_unit_test(test_yaml_whole_files_are_refused),
        cmocka_unit_test(test_yaml_depth_and_alias_bombs_are_limited),
        cmocka_unit_test(test_yaml_aliases_of_all_documents_share_one_budget),
        cmocka_unit_test(test_yaml_get_follows_aliases_and_merge_keys),
        cmocka_unit_test(test_keys_before_a_merge_key_that_has_them_are_contested),
        cmocka_unit_test(test_yaml_find_gives_each_node_by_its_number),
        cmocka_unit_test(test_yaml_text_is_of_scalars_that_are_strings),
        cmocka_unit_test(test_yaml_each_pair_gives_own_pairs_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
