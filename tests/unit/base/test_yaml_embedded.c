#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "base/yaml_embedded.h"

/* "LINE:COLUMN:BYTES" of each scalar, in order; the bytes are those of the file. */
static void add_places(struct strbuf *out, const char *text, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR)
        strbuf_addf(out, "%s%d:%d:%.*s", out->len ? " " : "", node->line, node->column,
                    (int)(node->end - node->start), text + node->start);
    for (size_t i = 0; node->kind != YAML_ALIAS && i < node->len; i++)
        add_places(out, text, node->items[i]);
}

static char *describe(const char *text)
{
    struct strbuf out = STRBUF_INIT;
    struct error err = ERROR_INIT;
    CLEANUP(yaml_release) struct yaml_stream *stream = yaml_read(text, strlen(text), &err);
    assert_non_null(stream);
    const struct yaml_node *scalar = yaml_resolve(yaml_get(stream->documents[0].root, "v")), *root = NULL;
    assert_non_null(scalar);
    if (yaml_embed(stream, text, scalar, &root, &err) < 0) {
        strbuf_addstr(&out, err.text);
        return strbuf_detach(&out, NULL);
    }
    if (!root)
        return xstrdup("nothing");
    const struct yaml_node *again = NULL;
    assert_int_equal(yaml_embed(stream, text, scalar, &again, &err), 0);
    assert_ptr_equal(again, root);
    add_places(&out, text, root);
    return strbuf_detach(&out, NULL);
}

static void test_yaml_embedded_knows_its_places_in_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"v: |\n  a: b\n", "2:3:a 2:6:b"},
        {"v: |\n  a: 'b'\n  c:\n    - d\nw: 1\n", "2:3:a 2:6:'b' 3:3:c 4:7:d"},
        {"x:\r\n- &v |\r\n    a: b\r\n\r\n    c: d\r\nv: *v\r\n", "3:5:a 3:8:b 5:5:c 5:8:d"},
        {"v: |-  # c\n\n  # c\n  a: b", "4:3:a 4:6:b"},
        {"v: |+\n    a: b\n\n\n", "2:5:a 2:8:b"},
        {"v: |2\n  a:\n    \n  c: \xc3\xa9 # d\n", "2:3:a 2:5: 4:3:c 4:6:\xc3\xa9"},
        {"v: |\n  {a: b}\n", "2:4:a 2:7:b"},
        {"v: |\n  # nothing\n", "nothing"},
        {"v: |\n", "nothing"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *got = describe(cases[i].text);
        if (strcmp(got, cases[i].expected) != 0)
            fail_msg("%zu: %s, not %s", i, got, cases[i].expected);
    }
}

static void test_yaml_embedded_refuses_what_has_no_places(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"v: 'a: b'\n", "line 1: YAML in a string is read from a literal block alone"},
        {"v: >\n  a: b\n", "literal block alone"},
        {"v: \"a: b\\n\"\n", "literal block alone"},
        {"v: [a]\n", "literal block alone"},
        {"# c\nv: |\n  a: [\n", "line 4: "},
        {"v: |\n  a: 1\n  ---\n  b: 2\n", "more than one document"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *got = describe(cases[i].text);
        if (!strstr(got, cases[i].words))
            fail_msg("%zu: %s", i, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml_embedded_knows_its_places_in_the_file),
        cmocka_unit_test(test_yaml_embedded_refuses_what_has_no_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
