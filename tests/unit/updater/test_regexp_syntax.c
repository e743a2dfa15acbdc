#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/regexp_syntax.h"

/* What the patterns then match is in tests/fixtures/patterns/regexp-syntax.tsv. */
static void test_regexp_syntax_rewrites_what_pcre2_reads_otherwise(void **state)
{
    (void)state;
    static const struct {
        const char *go, *pcre2;
    } cases[] = {
        /* as it is */
        {"", ""},
        {"^v?\\d+(?:\\.\\d{1,3}){2,}(-[a-z0-9]+)?$", "^v?\\d+(?:\\.\\d{1,3}){2,}(-[a-z0-9]+)?$"},
        {"[]a](?P<n>[^]b])|\\Q[-{,2}^*\\E\\[-{1}", "[]a](?P<n>[^]b])|\\Q[-{,2}^*\\E\\[-{1}"},
        {"(?!.*-rc)(?#[-)\\k{n}\\x{2d}\\o{55}\\g{1}", "(?!.*-rc)(?#[-)\\k{n}\\x{2d}\\o{55}\\g{1}"},
        {"é[é-ü]\\é\\N{U+41}\\N{2}", "é[é-ü]\\é\\N{U+41}\\N{2}"},

        /* hyphens and brackets in a class */
        {"[\\w-.]", "[\\w\\-.]"},
        {"[-a][a-]", "[\\-a][a\\-]"},
        {"[\\d-a-f]", "[\\d\\-a-f]"},
        {"[[:alpha:]-z]", "[[:alpha:]\\-z]"},
        {"[\\p{L}-z][\\pL-z]", "[\\p{L}\\-z][\\pL\\-z]"},
        {"[a-c-e][a-c--z]", "[a-c\\-e][a-c\\--z]"},
        {"[+--][--9]", "[+-\\-][\\--9]"},
        {"[\\x2b-\\x2d-9]", "[\\x2b-\\x2d\\-9]"},
        {"[\\055-\\0719-]", "[\\055-\\0719\\-]"},
        {"[.a.][=a=][^.a.]", "[\\.a.][\\=a=][^.a.]"},
        {"[a[.b.]", "[a\\[.b.]"},
        {"[+-[:digit:]", "[+-\\[:digit:]"},
        {"[[:alpho:]][:alpha:]", "[[:alpho:]][:alpha:]"},

        /* braces */
        {"a{,2}{", "a\\{,2}\\{"},
        {"a{1,2}{2}", "a{1,2}{2}"},
        {"a{01}b{1,02}c{0,}", "a\\{01}b\\{1,02}c{0,}"},
        {"a{x}{1{1,{ 1}", "a\\{x}\\{1\\{1,\\{ 1}"},

        /* what takes no room */
        {"^*$+\\b?\\B{2}\\A?\\z{1,}", "(?:^)*(?:$)+(?:\\b)?(?:\\B){2}(?:\\A)?(?:\\z){1,}"},
        {"^{,2}", "^\\{,2}"},
        {"\\\\b*\\^*", "\\\\b*\\^*"},

        /* case */
        {"\\p{Lu}(?i)\\p{Lu}[\\P{Ll}\\p{^Lu}]\\p{Lt}\\p{L}",
         "\\p{Lu}(?i)\\p{L&}[\\P{L&}\\p{^L&}]\\p{Lt}\\p{L}"},
        {"(?i:\\p{Lu})\\p{Lu}", "(?i:\\p{L&})\\p{Lu}"},
        {"((?i)a|\\p{Lu})\\p{Lu}", "((?i)a|\\p{L&})\\p{Lu}"},
        {"(?si)(?-i:\\p{Lu})\\p{Lu}", "(?si)(?-i:\\p{Lu})\\p{L&}"},
        {"(?s-i)\\p{Lu}(?i-s)\\p{Lu}", "(?s-i)\\p{Lu}(?i-s)\\p{L&}"},
        {"(?i)(a(b))\\p{Lu})\\p{Lu}", "(?i)(a(b))\\p{L&})\\p{L&}"},
        {"\\v[\\v-9]", "\\x0b[\\x0b-9]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct regexp_syntax syntax = REGEXP_SYNTAX_INIT;
        regexp_syntax_read(&syntax, cases[i].go);
        assert_string_equal(syntax.pattern.buf, cases[i].pcre2);
        assert_int_equal(syntax.origins[syntax.pattern.len], strlen(cases[i].go));
        regexp_syntax_release(&syntax);
    }
}

static void test_regexp_syntax_says_where_a_byte_comes_from(void **state)
{
    (void)state;
    struct regexp_syntax syntax = REGEXP_SYNTAX_INIT;
    regexp_syntax_read(&syntax, "^*[\\w-.]");
    assert_string_equal(syntax.pattern.buf, "(?:^)*[\\w\\-.]");
    static const size_t origins[] = {0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 5, 6, 7, 8};
    for (size_t i = 0; i < ARRAY_LEN(origins); i++)
        assert_int_equal(syntax.origins[i], origins[i]);
    regexp_syntax_release(&syntax);
}

static void test_regexp_syntax_knows_negated_properties(void **state)
{
    (void)state;
    static const struct {
        const char *go;
        bool is_negated;
    } cases[] = {
        {"\\PL", true},    {"\\P{L}", true}, {"[\\p{^L}]", true},   {"\\pL", false},
        {"\\p{L}", false}, {"\\\\P", false}, {"\\QP\\P\\E", false}, {"[^\\pL]", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct regexp_syntax syntax = REGEXP_SYNTAX_INIT;
        regexp_syntax_read(&syntax, cases[i].go);
        assert_int_equal(syntax.has_negated_property, cases[i].is_negated);
        regexp_syntax_release(&syntax);
    }
}

static void test_regexp_syntax_knows_what_depends_on_the_path(void **state)
{
    (void)state;
    static const char *const does[] = {"a++",     "a*+",   "a?+",   "a{2}+",      "(?>a)",  "(?|a)",
                                       "(?(1)a)", "(?R)",  "(?1)",  "(?&n)",      "(?P>n)", "(?P=n)",
                                       "(?'n'a)", "(?#a)", "(?x)a", "(?x:a)",     "a(*F)b", "(?C1)",
                                       "(?^)a",   "(a)(?", "(?*a)", "(?<n>(?>a))"};
    static const char *const does_not[] = {"a+",      "a+?",    "\\++",     "\\p{L}+", "[*]+",     "\\Q*\\E+",
                                           "a{,2}+",  "(?:a)+", "(?i)a",    "(?is)",   "(?U:a)",   "(?=a)",
                                           "(?!a)",   "(?<=a)", "(?<!a)",   "(?<n>a)", "(?P<n>a)", "(a)",
                                           "(?-i:a)", "^+",     "\\x{41}+", "(?)"};
    for (size_t i = 0; i < ARRAY_LEN(does) + ARRAY_LEN(does_not); i++) {
        bool expected = i < ARRAY_LEN(does);
        const char *pattern = expected ? does[i] : does_not[i - ARRAY_LEN(does)];
        struct regexp_syntax syntax = REGEXP_SYNTAX_INIT;
        regexp_syntax_read(&syntax, pattern);
        if (syntax.depends_on_path != expected)
            fail_msg("%s", pattern);
        regexp_syntax_release(&syntax);
    }
}

/* Whatever comes: the reader stops at the end, and gives back what makes no sense. */
static void test_regexp_syntax_reads_what_is_cut_off(void **state)
{
    (void)state;
    static const char whole[] = "(?i:a)[^\\p{^Lu}-\\x2d[:alpha:]]{1,2}\\Qa\\E\\x{41}(?#c)\\pL[a-";
    for (size_t len = 0; len < sizeof(whole); len++) {
        AUTO_FREE char *cut = xmemdupz(whole, len);
        for (const char *last = "\\([{-?^"; *last; last++) {
            AUTO_FREE char *pattern = xasprintf("%s%c", cut, *last);
            struct regexp_syntax syntax = REGEXP_SYNTAX_INIT;
            regexp_syntax_read(&syntax, pattern);
            assert_true(syntax.pattern.len >= strlen(pattern) - 1);
            assert_int_equal(syntax.origins[syntax.pattern.len], strlen(pattern));
            regexp_syntax_release(&syntax);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regexp_syntax_rewrites_what_pcre2_reads_otherwise),
        cmocka_unit_test(test_regexp_syntax_says_where_a_byte_comes_from),
        cmocka_unit_test(test_regexp_syntax_knows_negated_properties),
        cmocka_unit_test(test_regexp_syntax_knows_what_depends_on_the_path),
        cmocka_unit_test(test_regexp_syntax_reads_what_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
