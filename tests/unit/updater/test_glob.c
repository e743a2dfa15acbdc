#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/glob.h"

static void test_glob_matches_whole_text(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "anything", true},
        {"**", "", true},
        {"a", "a", true},
        {"a", "ab", false},
        {"a", "ba", false},
        {"a", "A", false},
        {"master-*", "master-1a2b", true},
        {"master-*", "master-", true},
        {"master-*", "master", false},
        {"*-rc", "1.0-rc", true},
        {"*-rc", "1.0-rc1", false},
        {"1.*.3", "1.2.3", true},
        {"1.*.3", "1.2.3.3", true},
        {"1.*.3", "1.3", false},
        {"ab*ba", "aba", false},
        {"ab*ba", "abba", true},
        {"*a*b*c*", "xxaxxbxxcxx", true},
        {"*a*b*c*", "xxaxxcxxbxx", false},
        {"*aa*aa*", "aaa", false},
        {"*aa*aa*", "aaaa", true},
        {"a*a", "a", false},
        {"*ab", "aab", true},
        {"*ab*ab", "abab", true},
        {"*ab*ab", "ab", false},
        {"v?", "v1", false},
        {"v?", "v?", true},
        {"[ab]", "a", false},
        {"[ab]", "[ab]", true},
        {"a.c", "abc", false},
        {"\\*", "\\anything", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (glob_match(cases[i].pattern, cases[i].text) != cases[i].matches)
            fail_msg("\"%s\" %s \"%s\"", cases[i].pattern, cases[i].matches ? "matches" : "does not match",
                     cases[i].text);
    }
}

/* A matcher that goes back to every star would take longer than the age of the universe. */
static void test_glob_is_linear(void **state)
{
    (void)state;
    AUTO_FREE char *pattern = xmalloc(4097);
    AUTO_FREE char *text = xmalloc(100001);
    for (size_t i = 0; i < 4096; i++)
        pattern[i] = i % 2 ? 'a' : '*';
    pattern[4095] = 'b';
    pattern[4096] = '\0';
    for (size_t i = 0; i < 100000; i++)
        text[i] = 'a';
    text[100000] = '\0';
    assert_false(glob_match(pattern, text));
    text[99999] = 'b';
    assert_true(glob_match(pattern, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_glob_matches_whole_text),
        cmocka_unit_test(test_glob_is_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
