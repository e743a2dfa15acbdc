#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/strbuf.h"

static void test_strbuf_is_always_a_string(void **state UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    assert_string_equal(b.buf, "");
    strbuf_add(&b, "", 0);
    strbuf_addstr(&b, "");
    assert_string_equal(b.buf, "");
    strbuf_addch(&b, 'a');
    strbuf_addf(&b, "%d%s", 5, "x");
    strbuf_add(&b, "\0z", 2);
    assert_int_equal(b.len, 5);
    assert_memory_equal(b.buf, "a5x\0z\0", 6);
    strbuf_reset(&b);
    assert_string_equal(b.buf, "");
    strbuf_release(&b);
    assert_string_equal(b.buf, "");
    strbuf_release(&b);
}

static void test_strbuf_grows(void **state UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    for (int i = 0; i < 100000; i++)
        strbuf_addch(&b, (char)('a' + i % 26));
    assert_int_equal(b.len, 100000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(b.buf[i], 'a' + i % 26);
    assert_int_equal(b.buf[100000], '\0');
}

static void test_strbuf_over_its_maximum_takes_nothing_more(void **state UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT_MAX(5);
    strbuf_addstr(&b, "12345");
    assert_false(b.overflowed);
    strbuf_addstr(&b, "");
    assert_false(b.overflowed);
    strbuf_addch(&b, '6');
    assert_true(b.overflowed);
    assert_string_equal(b.buf, "12345");
    strbuf_reset(&b);
    strbuf_addstr(&b, "123");
    strbuf_addf(&b, "%s", "456");
    assert_true(b.overflowed);
    strbuf_addch(&b, '4'); /* there would be room, but something is missing before it */
    assert_string_equal(b.buf, "123");
    strbuf_release(&b);
    assert_false(b.overflowed);
    strbuf_add(&b, "123456", 6);
    assert_true(b.overflowed);
    assert_string_equal(b.buf, "");
}

static void test_strbuf_detach_hands_out_the_bytes(void **state UNUSED)
{
    struct strbuf b = STRBUF_INIT;
    size_t len = 9;
    AUTO_FREE char *empty = strbuf_detach(&b, &len);
    assert_string_equal(empty, "");
    assert_int_equal(len, 0);
    strbuf_addstr(&b, "x");
    AUTO_FREE char *x = strbuf_detach(&b, NULL);
    assert_string_equal(x, "x");
    assert_string_equal(b.buf, "");
    strbuf_addstr(&b, "y");
    assert_string_equal(x, "x");
    strbuf_release(&b);
}

static void test_strbuf_encodes_urls(void **state UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    strbuf_add_urlencoded(&b, "aZ0-._~/ &?#%+=\xc3\xa9\x7f", "/");
    assert_string_equal(b.buf, "aZ0-._~/%20%26%3F%23%25%2B%3D%C3%A9%7F");
}

/* The vectors of RFC 4648, section 10. */
static void test_strbuf_encodes_and_decodes_base64(void **state UNUSED)
{
    static const struct {
        const char *plain, *encoded;
    } cases[] = {{"", ""},
                 {"f", "Zg=="},
                 {"fo", "Zm8="},
                 {"foo", "Zm9v"},
                 {"foob", "Zm9vYg=="},
                 {"fooba", "Zm9vYmE="},
                 {"foobar", "Zm9vYmFy"},
                 {"\xfb\xff\xfe", "+//+"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf encoded = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf plain = STRBUF_INIT;
        strbuf_add_base64(&encoded, cases[i].plain, strlen(cases[i].plain));
        assert_string_equal(encoded.buf, cases[i].encoded);
        assert_int_equal(strbuf_add_base64_decoded(&plain, encoded.buf, encoded.len), 0);
        assert_string_equal(plain.buf, cases[i].plain);
    }
}

static void test_strbuf_decodes_base64_of_the_url_alphabet_and_without_padding(void **state UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    assert_int_equal(strbuf_add_base64_decoded(&b, "-__-Zg", 6), 0);
    assert_string_equal(b.buf, "\xfb\xff\xfe"
                               "f");
    assert_int_equal(strbuf_add_base64_decoded(&b, "Zg==\n", 5), 0);
    assert_string_equal(b.buf, "\xfb\xff\xfe"
                               "ff");
}

static void test_strbuf_adds_nothing_of_what_is_no_base64(void **state UNUSED)
{
    static const char *const cases[] = {"Z", "Zm9vY", "Zm9v Zg", "Zm.v", "Zg==Zg==", "\xff\xff", "Zm9v*mFy"};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
        strbuf_addstr(&b, "x");
        assert_int_equal(strbuf_add_base64_decoded(&b, cases[i], strlen(cases[i])), -1);
        assert_string_equal(b.buf, "x");
    }
}

static void test_strbuf_writes_hexadecimal(void **state UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    strbuf_add_hex(&b, "\x00\x9f\xff", 3);
    assert_string_equal(b.buf, "009fff");
}

static void test_strvec_owns_and_sorts_its_strings(void **state UNUSED)
{
    CLEANUP(strvec_release) struct strvec v = STRVEC_INIT;
    strvec_sort(&v);
    assert_false(strvec_contains(&v, "a"));
    strvec_push(&v, "b");
    strvec_push_owned(&v, xstrdup("B"));
    strvec_push(&v, "a");
    strvec_push(&v, "");
    strvec_sort(&v);
    assert_int_equal(v.len, 4);
    assert_string_equal(v.items[0], "");
    assert_string_equal(v.items[1], "B");
    assert_string_equal(v.items[3], "b");
    assert_true(strvec_contains(&v, ""));
    assert_false(strvec_contains(&v, "ab"));
}

static void test_str_compares_ends(void **state UNUSED)
{
    assert_true(str_starts_with("abc", "ab"));
    assert_true(str_starts_with("abc", ""));
    assert_false(str_starts_with("a", "ab"));
    assert_true(str_ends_with("abc", "bc"));
    assert_true(str_ends_with("abc", ""));
    assert_false(str_ends_with("c", "bc"));
}

static void test_str_distance_counts_edits(void **state UNUSED)
{
    static const struct {
        const char *a, *b;
        size_t distance;
    } cases[] = {{"", "", 0},
                 {"a", "", 1},
                 {"", "abc", 3},
                 {"abc", "abc", 0},
                 {"git-url", "git-ulr", 2},
                 {"kitten", "sitting", 3},
                 {"saturday", "sunday", 3}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(str_distance(cases[i].a, cases[i].b), cases[i].distance);
        assert_int_equal(str_distance(cases[i].b, cases[i].a), cases[i].distance);
    }
    char longest[64], longer[65];
    memset(longest, 'x', sizeof(longest));
    memset(longer, 'x', sizeof(longer));
    longest[63] = longer[64] = '\0';
    assert_int_equal(str_distance(longest, ""), 63);
    assert_int_equal(str_distance(longest, longest), 0);
    assert_int_equal(str_distance(longer, longer), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strbuf_is_always_a_string),
        cmocka_unit_test(test_strbuf_grows),
        cmocka_unit_test(test_strbuf_over_its_maximum_takes_nothing_more),
        cmocka_unit_test(test_strbuf_detach_hands_out_the_bytes),
        cmocka_unit_test(test_strbuf_encodes_urls),
        cmocka_unit_test(test_strbuf_encodes_and_decodes_base64),
        cmocka_unit_test(test_strbuf_decodes_base64_of_the_url_alphabet_and_without_padding),
        cmocka_unit_test(test_strbuf_adds_nothing_of_what_is_no_base64),
        cmocka_unit_test(test_strbuf_writes_hexadecimal),
        cmocka_unit_test(test_strvec_owns_and_sorts_its_strings),
        cmocka_unit_test(test_str_compares_ends),
        cmocka_unit_test(test_str_distance_counts_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
