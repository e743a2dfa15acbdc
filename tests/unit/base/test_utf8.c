#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/utf8.h"

static void test_utf8_valid_length_ends_at_the_first_bad_byte(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t valid;
    } cases[] = {
        {"", 0},
        {"plain ASCII, longer than a word", 31},
        {"caf\xc3\xa9", 5},
        {"\xe2\x82\xac\xf0\x9f\x9a\xa2", 7},
        {"\xef\xbf\xbf\xf4\x8f\xbf\xbf", 7},
        {"a\x80", 1},            /* a continuation alone */
        {"12345678\xc0\xaf", 8}, /* overlong "/" */
        {"\xe0\x9f\xbf", 0},     /* overlong */
        {"\xf0\x8f\xbf\xbf", 0}, /* overlong */
        {"\xed\xa0\x80", 0},     /* a surrogate */
        {"\xf4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"\xf5\x80\x80\x80", 0},
        {"a\xe2\x82", 1}, /* cut off */
        {"a\xe2\x28\xa1", 1},
        {"\xff", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(utf8_valid_length(cases[i].bytes, strlen(cases[i].bytes)), cases[i].valid);
}

static void test_utf8_ascii_length_counts_to_the_first_other_byte(void **state)
{
    (void)state;
    char text[40];
    for (size_t at = 0; at < sizeof(text); at++) {
        memset(text, 'a', sizeof(text));
        text[at] = '\xc3';
        assert_int_equal(utf8_ascii_length(text, sizeof(text)), at);
        assert_int_equal(utf8_ascii_length(text, at), at);
    }
}

static void test_utf8_char_length_never_reads_past_the_end(void **state)
{
    (void)state;
    static const char text[] = {'\xf0', '\x9f', '\x9a', '\xa2'};
    for (size_t len = 0; len < sizeof(text); len++)
        assert_int_equal(utf8_char_length(text, len), 0);
    assert_int_equal(utf8_char_length(text, sizeof(text)), 4);
}

static void test_utf8_counts_characters_and_passes_marks(void **state)
{
    (void)state;
    assert_int_equal(utf8_count("", 0), 0);
    assert_int_equal(utf8_count("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x9a\xa2", 10), 4);
    assert_int_equal(utf8_skip_bom(UTF8_BOM "a", 0, 4), 3);
    assert_int_equal(utf8_skip_bom("x" UTF8_BOM, 1, 4), 4);
    assert_int_equal(utf8_skip_bom(UTF8_BOM, 0, 2), 0);
    assert_int_equal(utf8_skip_bom("abc", 0, 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_counts_characters_and_passes_marks),
        cmocka_unit_test(test_utf8_valid_length_ends_at_the_first_bad_byte),
        cmocka_unit_test(test_utf8_ascii_length_counts_to_the_first_other_byte),
        cmocka_unit_test(test_utf8_char_length_never_reads_past_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
