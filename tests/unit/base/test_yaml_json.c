#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/yaml.h"

/* The only document as compact JSON, or NULL and the error. free() it. */
static char *convert(const char *text, struct error *err)
{
    CLEANUP(yaml_release) struct yaml_stream *stream = yaml_read(text, strlen(text), err);
    assert_non_null(stream);
    assert_int_equal(stream->len, 1);
    assert_string_equal(stream->documents[0].error.text, "");
    AUTO_JSON json_t *json = yaml_to_json(stream->documents[0].root, err);
    if (!json)
        return NULL;
    struct strbuf out = STRBUF_INIT;
    json_write(&out, json, 0);
    return strbuf_detach(&out, NULL);
}

/* What sigs.k8s.io/yaml 1.4.0 makes of the same text. */
static void test_yaml_to_json_types_as_kubernetes_tools_do(void **state)
{
    (void)state;
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"[yes, Yes, YES, y, Y, on, On, ON, true, True, TRUE]",
         "[true,true,true,true,true,true,true,true,true,true,true]"},
        {"[no, No, NO, n, N, off, Off, OFF, false, False, FALSE]",
         "[false,false,false,false,false,false,false,false,false,false,false]"},
        {"[yEs, oN, tRUE, nULL, 'yes', \"on\"]", "[\"yEs\",\"oN\",\"tRUE\",\"nULL\",\"yes\",\"on\"]"},
        {"[~, null, Null, NULL, '', '~']", "[null,null,null,null,\"\",\"~\"]"},
        {"a:\nb: ''\n", "{\"a\":null,\"b\":\"\"}"},
        {"[0644, 012, 0o17, 0O17, 0x1F, 0b101, -0b11, 0b-1, 0b+1, -012]", "[420,10,15,15,31,5,-3,-1,1,-10]"},
        {"[08, 09, 0o8, 0b2, 0x, 0xg]", "[8,9,\"0o8\",\"0b2\",\"0x\",\"0xg\"]"},
        {"[1_000, 1__0, _1, 0x_1, .5_0, ._5]", "[1000,10,\"_1\",1,0.5,\"._5\"]"},
        {"[1.5, .5, -.5, +.5, 1., 1e3, 1E+3, 1.10]", "[1.5,0.5,-0.5,0.5,1,1000,1000,1.1000000000000001]"},
        {"[., .e1, 1e, 1e+, +, -, --, 1e999, 1p3, 0x1p3]",
         "[\".\",\".e1\",\"1e\",\"1e+\",\"+\",\"-\",\"--\",\"1e999\",\"1p3\",\"0x1p3\"]"},
        {"[1:30, 2020-01-01, 2020-01-01T00:00:00Z, 1.2.3, v1]",
         "[\"1:30\",\"2020-01-01\",\"2020-01-01T00:00:00Z\",\"1.2.3\",\"v1\"]"},
        {"[9223372036854775807, -9223372036854775808]", "[9223372036854775807,-9223372036854775808]"},
        {"9007199254740993", "9007199254740993"},
        {"[!!str 12, !!str yes, ! 12, !!int '3', !!bool \"yes\", !!float 3, !!null '', !custom 12]",
         "[\"12\",\"yes\",\"12\",3,true,3,null,\"12\"]"},
        {"!!binary aGVsbG8=", "\"hello\""},
        {"|\n  12\n", "\"12\\n\""},
        {"\"a\\0b\\u00e9\"", "\"a\\u0000bé\""},
        {"{y: 1, 'n': 2, 12: 3, 1.5: 4, 1e6: 5, 012: 6}",
         "{\"true\":1,\"n\":2,\"12\":3,\"1.5\":4,\"1e+06\":5,\"10\":6}"},
        {"{}", "{}"},
        {"[]", "[]"},
        {"a: &x [1]\nb: *x\n", "{\"a\":[1],\"b\":[1]}"},
        {"a: &x {p: 1, q: 1}\nb:\n  <<: *x\n  q: 2\n", "{\"a\":{\"p\":1,\"q\":1},\"b\":{\"q\":2,\"p\":1}}"},
        {"a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y]}\n",
         "{\"a\":{\"p\":1},\"b\":{\"p\":2,\"q\":2},\"c\":{\"p\":1,\"q\":2}}"},
        {"{\"<<\": 1}", "{\"<<\":1}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        AUTO_FREE char *json = convert(cases[i].text, &err);
        if (!json)
            fail_msg("%s: %s", cases[i].text, err.text);
        assert_string_equal(json, cases[i].json);
    }
}

static void test_yaml_to_json_keeps_numbers_over_int64_as_reals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double real;
    } cases[] = {{"9223372036854775808", 9223372036854775808.0},
                 {"0xFFFFFFFFFFFFFFFF", 18446744073709551615.0},
                 {"99999999999999999999", 99999999999999999999.0},
                 {"1e300", 1e300}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(yaml_release)
        struct yaml_stream *stream = yaml_read(cases[i].text, strlen(cases[i].text), NULL);
        AUTO_JSON json_t *json = yaml_to_json(stream->documents[0].root, NULL);
        assert_true(json_is_real(json));
        assert_true(json_real_value(json) == cases[i].real);
    }
}

static void test_yaml_to_json_refuses_what_json_cannot_say(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a: .nan", "line 1 column 4: infinity and NaN"},
        {"a: -.inf", "line 1 column 4"},
        {"a: 1\n? [b]\n: 1\n", "line 2 column 3: a sequence or mapping"},
        {"~: 1", "null cannot be a key"},
        {"{y: 1, yes: 2}", "line 1 column 8: another key"},
        {"\"a\\0b\": 1", "a key that holds a NUL"},
        {"a: !!int x", "not what its tag says"},
        {"a: !!bool 3", "not what its tag says"},
        {"a: !!binary '#'", "not base64"},
        {"a: !!binary /w==", "not UTF-8"},
        {"a: {<<: 3}", "\"<<\" needs a mapping"},
        {"a: {<<: [{b: 1}, 3]}", "\"<<\" needs a mapping"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        assert_null(convert(cases[i].text, &err));
        assert_int_equal(err.code, ERROR_INVALID);
        if (!strstr(err.text, cases[i].message))
            fail_msg("%s: %s", cases[i].text, err.text);
    }
}

static void test_yaml_plain_is_typed_names_what_needs_quotes(void **state)
{
    (void)state;
    static const char *const typed[] = {"",    "~",   "yes", "on", "n",    "12",
                                        "012", "1e3", "1_0", ".5", ".inf", "0x1f"};
    static const char *const strings[] = {"a",    "a:1",    "1.2.3",   "v1", "yes ",
                                          "1:30", "latest", "sha-1e3", "<<", "="};
    for (size_t i = 0; i < ARRAY_LEN(typed); i++)
        assert_true(yaml_plain_is_typed(typed[i]));
    for (size_t i = 0; i < ARRAY_LEN(strings); i++)
        assert_false(yaml_plain_is_typed(strings[i]));
}

static void test_yaml_to_json_of_nothing_is_null(void **state)
{
    (void)state;
    AUTO_JSON json_t *json = yaml_to_json(NULL, NULL);
    assert_true(json_is_null(json));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml_to_json_types_as_kubernetes_tools_do),
        cmocka_unit_test(test_yaml_to_json_keeps_numbers_over_int64_as_reals),
        cmocka_unit_test(test_yaml_to_json_refuses_what_json_cannot_say),
        cmocka_unit_test(test_yaml_plain_is_typed_names_what_needs_quotes),
        cmocka_unit_test(test_yaml_to_json_of_nothing_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
