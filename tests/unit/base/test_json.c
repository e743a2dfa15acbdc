#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/limits.h"

static void test_json_read_takes_any_value(void **state UNUSED)
{
    static const char *const good[] = {"{}", "[]", "1", "\"x\"", "null", " {\"a\": [1, 2.5, true]} \n"};
    static const char *const bad[] = {"",      " ",   "{",        "{\"a\":1,}", "{\"a\":1,\"a\":2}",
                                      "[1] 2", "'a'", "\"\xff\"", "NaN"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct error err = ERROR_INIT;
        AUTO_JSON json_t *value = json_read(good[i], strlen(good[i]), &err);
        assert_non_null(value);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct error err = ERROR_INIT;
        assert_null(json_read(bad[i], strlen(bad[i]), &err));
        assert_int_equal(err.code, ERROR_INVALID);
        assert_non_null(strstr(err.text, "line "));
    }
}

static void test_json_read_refuses_nul_but_where_it_is_asked_for(void **state UNUSED)
{
    static const char string[] = "[\"a\\u0000b\"]", key[] = "{\"a\\u0000b\":1}", bare[] = "[\"a\0b\"]";
    struct error err = ERROR_INIT;
    assert_null(json_read(string, sizeof(string) - 1, &err));
    assert_null(json_read(key, sizeof(key) - 1, &err));
    AUTO_JSON json_t *value = json_read_with_nul(string, sizeof(string) - 1, &err);
    assert_int_equal(json_string_length(json_array_get(value, 0)), 3);
    assert_null(json_read_with_nul(key, sizeof(key) - 1, &err));
    assert_null(json_read_with_nul(bare, sizeof(bare) - 1, &err));
    assert_null(json_read(bare, sizeof(bare) - 1, &err));
}

static void test_json_read_bounds_the_depth(void **state UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct error err = ERROR_INIT;
    for (unsigned i = 0; i < LIMIT_JSON_DEPTH; i++)
        strbuf_addch(&text, '[');
    for (unsigned i = 0; i < LIMIT_JSON_DEPTH; i++)
        strbuf_addch(&text, ']');
    AUTO_JSON json_t *value = json_read(text.buf, text.len, &err);
    assert_non_null(value);
    strbuf_reset(&text);
    for (unsigned i = 0; i < 1000000; i++)
        strbuf_addstr(&text, "{\"a\":");
    assert_null(json_read(text.buf, text.len, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
}

static void test_json_brackets_in_strings_are_not_depth(void **state UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_addstr(&text, "\"\\\\\\\"");
    for (unsigned i = 0; i < 1000; i++)
        strbuf_addch(&text, '[');
    strbuf_addstr(&text, "\"");
    AUTO_JSON json_t *value = json_read(text.buf, text.len, NULL);
    assert_true(json_is_string(value));
}

static void test_json_string_at_wants_a_string(void **state UNUSED)
{
    AUTO_JSON json_t *object = json_read("{\"a\":\"x\",\"b\":1}", 15, NULL);
    assert_string_equal(json_string_at(object, "a"), "x");
    assert_null(json_string_at(object, "b"));
    assert_null(json_string_at(object, "c"));
    assert_null(json_string_at(NULL, "a"));
}

static void test_json_add_string_escapes(void **state UNUSED)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"", "\"\""},
        {"a/b", "\"a/b\""},
        {"\"\\", "\"\\\"\\\\\""},
        {"\n\r\t\b\f", "\"\\n\\r\\t\\b\\f\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"\xff", "\"\xef\xbf\xbd\""},
        {"a\xc3", "\"a\xef\xbf\xbd\""},                               /* cut short */
        {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* overlong */
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* a surrogate */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        json_add_string(&out, cases[i].text);
        assert_string_equal(out.buf, cases[i].json);
        AUTO_JSON json_t *again = json_read(out.buf, out.len, NULL);
        assert_true(json_is_string(again));
    }
}

static void test_json_write_keeps_the_order_of_keys(void **state UNUSED)
{
    static const char text[] = "{\"b\":[1,true,null],\"a\":{\"z\":\"\",\"y\":2}}";
    AUTO_JSON json_t *value = json_read(text, strlen(text), NULL);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    json_write(&out, value, 0);
    assert_string_equal(out.buf, text);
    strbuf_reset(&out);
    json_write(&out, json_object_get(value, "a"), 2);
    assert_string_equal(out.buf, "{\n  \"z\": \"\",\n  \"y\": 2\n}");
}

static void test_json_text_keeps_what_is_no_utf8_readable(void **state UNUSED)
{
    AUTO_JSON json_t *plain = json_text("caf\xc3\xa9");
    AUTO_JSON json_t *broken = json_text("caf\xe9!");
    AUTO_JSON json_t *none = json_text(NULL);
    assert_string_equal(json_string_value(plain), "caf\xc3\xa9");
    assert_string_equal(json_string_value(broken), "caf\xef\xbf\xbd!");
    assert_true(json_is_null(none));
}

static void test_json_wipe_overwrites_all_strings(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":\"one\",\"b\":[\"two\",{\"c\":\"three\"},4,null]}";
    AUTO_JSON json_t *value = json_read(text, strlen(text), NULL);
    json_wipe(value);
    json_wipe(NULL);
    const json_t *list = json_object_get(value, "b");
    const json_t *strings[] = {json_object_get(value, "a"), json_array_get(list, 0),
                               json_object_get(json_array_get(list, 1), "c")};
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        size_t len = json_string_length(strings[i]);
        assert_true(len >= 3);
        for (size_t k = 0; k < len; k++)
            assert_int_equal(json_string_value(strings[i])[k], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_wipe_overwrites_all_strings),
        cmocka_unit_test(test_json_text_keeps_what_is_no_utf8_readable),
        cmocka_unit_test(test_json_read_takes_any_value),
        cmocka_unit_test(test_json_read_refuses_nul_but_where_it_is_asked_for),
        cmocka_unit_test(test_json_read_bounds_the_depth),
        cmocka_unit_test(test_json_brackets_in_strings_are_not_depth),
        cmocka_unit_test(test_json_string_at_wants_a_string),
        cmocka_unit_test(test_json_add_string_escapes),
        cmocka_unit_test(test_json_write_keeps_the_order_of_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
