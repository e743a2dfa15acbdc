#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "base/strmap.h"

static void check_entries(const struct strmap *m, const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct strmap_cursor c = STRMAP_CURSOR_INIT;
    const char *key;
    void *value;
    while (strmap_next(m, &c, &key, &value))
        strbuf_addf(&text, "%s=%s ", key, (const char *)value);
    assert_string_equal(text.buf, expected);
}

static void test_strmap_iterates_in_order_of_insertion(void **state UNUSED)
{
    CLEANUP(strmap_release) struct strmap m;
    strmap_init(&m, free);
    check_entries(&m, "");
    strmap_set(&m, "b", xstrdup("1"));
    strmap_set(&m, "a", xstrdup("2"));
    strmap_set(&m, "", xstrdup("3"));
    strmap_set(&m, "b", xstrdup("4"));
    check_entries(&m, "b=4 a=2 =3 ");
    assert_int_equal(strmap_size(&m), 3);
    assert_true(strmap_remove(&m, "b"));
    assert_false(strmap_remove(&m, "b"));
    strmap_set(&m, "b", xstrdup("5"));
    check_entries(&m, "a=2 =3 b=5 ");
}

static void test_strmap_finds_what_is_there(void **state UNUSED)
{
    CLEANUP(strmap_release) struct strmap m = STRMAP_INIT;
    int value = 0;
    assert_null(strmap_get(&m, "a"));
    strmap_set(&m, "a", NULL);
    strmap_set(&m, "ab", &value);
    assert_null(strmap_get(&m, "a"));
    assert_true(strmap_has(&m, "a"));
    assert_ptr_equal(strmap_get(&m, "ab"), &value);
    assert_false(strmap_has(&m, "abc"));
    assert_false(strmap_has(&m, ""));
}

static void test_strmap_copies_keys(void **state UNUSED)
{
    CLEANUP(strmap_release) struct strmap m = STRMAP_INIT;
    char key[] = "key";
    strmap_set(&m, key, key);
    key[0] = 'x';
    assert_true(strmap_has(&m, "key"));
    assert_false(strmap_has(&m, "xey"));
}

static void test_strmap_may_be_set_to_the_value_it_has(void **state UNUSED)
{
    CLEANUP(strmap_release) struct strmap m;
    strmap_init(&m, free);
    char *value = xstrdup("v");
    strmap_set(&m, "a", value);
    strmap_set(&m, "a", value);
    check_entries(&m, "a=v ");
}

static void test_strmap_entry_may_be_removed_while_it_is_visited(void **state UNUSED)
{
    CLEANUP(strmap_release) struct strmap m = STRMAP_INIT;
    char one[] = "1";
    strmap_set(&m, "a", one);
    strmap_set(&m, "b", one);
    strmap_set(&m, "c", one);
    struct strmap_cursor c = STRMAP_CURSOR_INIT;
    const char *key;
    void *value;
    while (strmap_next(&m, &c, &key, &value)) {
        if (strcmp(key, "b") != 0)
            strmap_remove(&m, key);
    }
    check_entries(&m, "b=1 ");
}

static void test_strmap_holds_many(void **state UNUSED)
{
    CLEANUP(strmap_release) struct strmap m = STRMAP_INIT;
    static int values[20000];
    char key[32];
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        snprintf(key, sizeof(key), "key-%zu", i);
        strmap_set(&m, key, &values[i]);
    }
    assert_int_equal(strmap_size(&m), ARRAY_LEN(values));
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        snprintf(key, sizeof(key), "key-%zu", i);
        assert_ptr_equal(strmap_get(&m, key), &values[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strmap_iterates_in_order_of_insertion),
        cmocka_unit_test(test_strmap_finds_what_is_there),
        cmocka_unit_test(test_strmap_copies_keys),
        cmocka_unit_test(test_strmap_may_be_set_to_the_value_it_has),
        cmocka_unit_test(test_strmap_entry_may_be_removed_while_it_is_visited),
        cmocka_unit_test(test_strmap_holds_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
