#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "updater/tag_policy.h"

static struct tag_policy *policy(const char *text)
{
    struct error err = ERROR_INIT;
    struct tag_policy *p = tag_policy_new(text, &err);
    if (!p)
        fail_msg("%s", err.text);
    return p;
}

static void test_tag_policy_reads_its_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *text, *normalised;
        bool needs_created;
    } cases[] = {
        {"glob:main-*", "glob:main-*", true},
        {"main-*", "glob:main-*", true},
        {"*", "glob:*", true},
        {"semver:~1.2", "semver:~1.2", false},
        {"semver: ~1.2", "semver: ~1.2", false},
        {"regexp:^v[0-9]+$", "regexp:^v[0-9]+$", true},
        {"regex:^v", "regexp:^v", true},
        {"glob:a:b", "glob:a:b", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tag_policy *p = policy(cases[i].text);
        assert_string_equal(tag_policy_text(p), cases[i].normalised);
        assert_int_equal(tag_policy_needs_created(p), cases[i].needs_created);
        tag_policy_free(p);
    }
}

static void test_tag_policy_that_does_not_compile_is_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "glob:: the pattern is empty; glob:* takes every tag"},
        {"glob:", "glob:: the pattern is empty; glob:* takes every tag"},
        {"regexp:", "regexp:: the pattern is empty; glob:* takes every tag"},
        {"semver:", "semver:: expected a version such as 1.2.3, 1.2 or 1.x at the end"},
        {"semver:foo", "semver:foo: expected a version such as 1.2.3, 1.2 or 1.x at \"foo\""},
        {"regexp:(a", "regexp:(a: missing closing parenthesis at offset 2"},
        {"regex:a**", "regexp:a**: quantifier does not follow a repeatable item at offset 2"},
        {"regexp:(*UTF)a", "regexp:(*UTF)a: a pattern cannot begin with \"(*\" at offset 0"},
        /* nor does Go have it: a byte that is half of a character */
        /* the offset is that in the pattern as it was written, whatever was read before */
        {"regexp:[\\w-.]{,2}^*(?i)\\p{Lu}(a",
         "regexp:[\\w-.]{,2}^*(?i)\\p{Lu}(a: missing closing parenthesis at offset 24"},
        {"regexp:^*[\\w-.]\\", "regexp:^*[\\w-.]\\: \\ at end of pattern at offset 9"},
        {"regexp:^+[\\d-a][z-a]",
         "regexp:^+[\\d-a][z-a]: range out of order in character class at offset 11"},
        {"regexp:[:alpha:]+",
         "regexp:[:alpha:]+: POSIX named classes are supported only within a class at offset 0"},
        {"regexp:a\\Cb", "regexp:a\\Cb: using \\C is disabled by the application at offset 3"},
        {"regexp:a\xff", "regexp:a\xff: UTF-8 error: illegal byte (0xfe or 0xff) at offset 1"},
        {"semvar:~1",
         "semvar:~1: there is no kind of policy \"semvar:\"; there are glob:, semver: and regexp:"},
        {"SEMVER:~1",
         "SEMVER:~1: there is no kind of policy \"SEMVER:\"; there are glob:, semver: and regexp:"},
        {" glob:*", " glob:*: there is no kind of policy \" glob:\"; there are glob:, semver: and regexp:"},
        {":", ":: there is no kind of policy \":\"; there are glob:, semver: and regexp:"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        assert_null(tag_policy_new(cases[i].text, &err));
        assert_string_equal(err.text, cases[i].error);
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

static void test_tag_policy_has_a_longest_text(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_addstr(&text, "glob:");
    while (text.len < LIMIT_PATTERN_LENGTH)
        strbuf_addch(&text, 'a');
    tag_policy_free(policy(text.buf));
    strbuf_addch(&text, 'a');
    struct error err = ERROR_INIT;
    assert_null(tag_policy_new(text.buf, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
}

static void test_tag_policy_matches(void **state)
{
    (void)state;
    static const struct {
        const char *policy, *tag;
        enum tag_match match;
    } cases[] = {
        {"glob:*", "1.2.3", TAG_MATCHES},
        {"glob:master-*", "master-abc", TAG_MATCHES},
        {"glob:master-*", "main-abc", TAG_DIFFERS},
        {"glob:v?", "v1", TAG_DIFFERS},
        {"1.*", "1.2", TAG_MATCHES},
        {"~1.2", "1.2.3", TAG_DIFFERS},

        {"semver:~1.2", "1.2.9", TAG_MATCHES},
        {"semver:~1.2", "v1.2.9", TAG_MATCHES},
        {"semver: ~1.2 ", "1.2.9", TAG_MATCHES},
        {"semver:~1.2", "1.3.0", TAG_DIFFERS},
        {"semver:*", "1.3.0-rc.1", TAG_DIFFERS},
        {"semver:*", "main", TAG_NOT_A_VERSION},
        {"semver:*", "1.2.3.4", TAG_NOT_A_VERSION},
        {"semver:*", "18446744073709551616", TAG_NOT_A_VERSION},

        {"regexp:^v[0-9]+$", "v12", TAG_MATCHES},
        {"regexp:^v[0-9]+$", "v12-rc", TAG_DIFFERS},
        {"regexp:[0-9]", "abc1def", TAG_MATCHES}, /* unanchored */
        {"regexp:^(?P<build>[0-9]+)-(?P<sha>[0-9a-f]{7})\\z", "42-abcdef0", TAG_MATCHES},
        {"regexp:\\Aa\\.b\\z", "a.b", TAG_MATCHES},
        {"regexp:(?i)^MAIN", "main-1", TAG_MATCHES},
        {"regexp:^(?:a|b)$", "c", TAG_DIFFERS},
        {"regexp:^[[:alpha:]]+\\d{2,3}$", "abc123", TAG_MATCHES},
        {"regexp:^\\pL+$", "abc", TAG_MATCHES},
        {"regexp:a$", "a\n", TAG_DIFFERS}, /* the very end, as in Go */
        {"regexp:^[\\w.-]{1,20}$", "1.2_3-x", TAG_MATCHES},
        {"regexp:\\Q1.2\\E", "1x2", TAG_DIFFERS},
        {"regexp:^a\\z", "a\n", TAG_DIFFERS},
        {"regexp:(?m)^b$", "a\nb\nc", TAG_MATCHES},
        {"regexp:^a.b$", "a\nb", TAG_DIFFERS},
        {"regexp:(?s)^a.b$", "a\nb", TAG_MATCHES},
        {"regexp:(?i:A)b", "ab", TAG_MATCHES},
        {"regexp:(?i:A)b", "aB", TAG_DIFFERS},
        {"regexp:a(?i)b|C", "c", TAG_MATCHES}, /* a flag goes on past "|" */
        {"regexp:(?-i)A", "a", TAG_DIFFERS},
        {"regexp:^[[:word:]]+$", "a_1", TAG_MATCHES},
        {"regexp:^[[:^digit:]]+$", "a1", TAG_DIFFERS},
        {"regexp:^[^\\D5]+$", "123", TAG_MATCHES},
        {"regexp:^[]a-]+$", "a-", TAG_MATCHES},
        {"regexp:^\\x31\\x{32}\\063$", "123", TAG_MATCHES},
        {"regexp:^\\p{Lu}\\PL$", "A1", TAG_MATCHES},
        {"regexp:^\\p{Greek}$", "a", TAG_DIFFERS},
        {"regexp:(?i)^\\p{Lu}$", "a", TAG_MATCHES},
        {"regexp:(?i)^[[:upper:]]$", "a", TAG_MATCHES},
        {"regexp:^\\Q1.*\\E2$", "1.*2", TAG_MATCHES},
        {"regexp:^a{,2}$", "a{,2}", TAG_MATCHES}, /* no repetition, as in Go */
        {"regexp:^v??1*?$", "v11", TAG_MATCHES},
        {"regexp:\\bfix\\b", "a-fix.1", TAG_MATCHES},
        {"regexp:\\bfix\\b", "a_fix", TAG_DIFFERS},
        {"regexp:^(?<n>a)$", "a", TAG_MATCHES},
        /* UTF-8: a character is one, case is folded, and the classes with a backslash know ASCII alone */
        {"regexp:^.$", "\xc3\xa9", TAG_MATCHES},
        {"regexp:^[^a]$", "\xc3\xa9", TAG_MATCHES},
        {"regexp:(?i)^\xc3\x89$", "\xc3\xa9", TAG_MATCHES},
        {"regexp:^\\x{e9}$", "\xc3\xa9", TAG_MATCHES},
        {"regexp:\\w", "\xc3\xa9", TAG_DIFFERS},
        {"regexp:\\d", "\xd9\xa1", TAG_DIFFERS},
        {"regexp:^.$", "\xff", TAG_DIFFERS}, /* no character at all */
        {"regexp:a",
         "\xff"
         "a",
         TAG_MATCHES},
        /* beyond Go */
        {"regexp:^(?!.*-rc)v", "v1-rc1", TAG_DIFFERS},
        {"regexp:^(?!.*-rc)v", "v1", TAG_MATCHES},
        {"regexp:^(a+)-\\1$", "aa-aa", TAG_MATCHES},

        {"glob:*", "latest", TAG_IS_LATEST},
        {"glob:*", "LaTeSt", TAG_IS_LATEST},
        {"glob:late*", "latest", TAG_IS_LATEST},
        {"regexp:^latest$", "latest", TAG_IS_LATEST},
        {"semver:*", "latest", TAG_IS_LATEST},
        {"glob:latest", "latest", TAG_MATCHES},
        {"latest", "latest", TAG_MATCHES},
        {"glob:latest", "Latest", TAG_DIFFERS},
        {"glob:latest", "1.0", TAG_DIFFERS},
        {"glob:Latest", "Latest", TAG_IS_LATEST},
        {"glob:*", "latest-1", TAG_MATCHES},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tag_policy *p = policy(cases[i].policy);
        enum tag_match match = tag_policy_match(p, cases[i].tag);
        if (match != cases[i].match)
            fail_msg("%s of %s: %s", cases[i].policy, cases[i].tag, tag_match_name(match));
        tag_policy_free(p);
    }
}

/* Without limits the first of these would take minutes; with them all 10,000 take less than a second. Neither way knows these:
 * back-references, possessive groups, more ways and steps at once than there may be, and what is too large with its callouts. */
static void test_tag_policy_gives_up_on_patterns_that_explode(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "regexp:^(a+)+\\1$",      "regexp:^(a|aa)+\\1$",         "regexp:^(?:a++)?(a|aa)+$",
        "regexp:^(?>a?)(a|aa)+$", "regexp:(a?){200}(a+)+(a+)+$", "regexp:^((\\w+[.-]?)*\\d?){800}$",
    };
    const char *tag = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!";
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        struct tag_policy *p = policy(patterns[i]);
        for (size_t n = 0; n < 10000; n++) {
            if (tag_policy_match(p, tag) != TAG_OVER_LIMIT)
                fail_msg("%s ends on its own", patterns[i]);
        }
        assert_int_equal(tag_policy_match(p, "1.2.3"), TAG_OVER_LIMIT);
        tag_policy_free(p);
    }
}

/* Stepping back has no end on these, and Go's matcher has: so people write them. */
static void test_tag_policy_knows_what_ends_for_go(void **state)
{
    (void)state;
    static const char digest[] =
        "sha256-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.sig";
    static const struct {
        const char *policy, *tag;
        enum tag_match match;
    } cases[] = {
        {"regexp:^([a-z0-9]+-?)+$", digest, TAG_DIFFERS},
        {"regexp:^([a-z0-9]+-?)+$", "sha256-0123456789abcdef", TAG_MATCHES},
        {"regexp:^([\\w]+-?)*[0-9]+$", digest, TAG_DIFFERS},
        {"regexp:^(\\w+[.-]?)*-\\d+$", digest, TAG_DIFFERS},
        {"regexp:^([a-z0-9]+-?)+$|\\.sig$", digest, TAG_MATCHES},
        {"regexp:^(?i:[A-Z0-9]+-?)+$|(?:[^.]*)*sig", digest, TAG_MATCHES},
        {"regexp:^(?:[a-z0-9]+-?)+$|^(?!x)(?:.+)+(?<=a)$", digest, TAG_DIFFERS},
        {"regexp:^[a-z0-9]+([._-]?[a-z0-9]+)*$", "feature-add-new-login-page-for-customers_X", TAG_DIFFERS},
        {"regexp:^(\\w+[.-]?)*-\\d+$", "main-0123456789abcdef0123456789abcdef01234567", TAG_DIFFERS},
        {"regexp:^(a|aa)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", TAG_DIFFERS},
        {"regexp:^(a?){40}a{40}$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", TAG_MATCHES},
        {"regexp:^(?:(a+)+|(?:\\PL+\\PN+)+)$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
         TAG_DIFFERS},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tag_policy *p = policy(cases[i].policy);
        size_t times = i == 0 ? 2100 : 30; /* at first, when it is known to explode, and as machine code */
        for (size_t n = 0; n < times; n++) {
            if (tag_policy_match(p, cases[i].tag) != cases[i].match)
                fail_msg("%s of %s, asked for the %zuth time", cases[i].policy, cases[i].tag, n);
        }
        tag_policy_free(p);
    }
}

/* What does not match has no value that would be missed; what matches, by a way that is not known, has. */
static void test_tag_policy_extracts_where_a_pattern_explodes(void **state)
{
    (void)state;
    struct tag_policy *p = policy("regexp:^(?:[a-z]+-?)+(\\d+)$|^(?:(a+)+b|(a*).*C)$");
    struct error err = ERROR_INIT;
    assert_int_equal(tag_policy_set_extract(p, "$1", &err), 0);
    static const struct {
        const char *tag;
        enum tag_match match;
        const char *value;
    } cases[] = {
        {"main-build-7", TAG_MATCHES, "7"},
        {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz.", TAG_DIFFERS, ""},
    };
    CLEANUP(tag_key_release) struct tag_key key = TAG_KEY_INIT;
    for (size_t n = 0; n < 100; n++) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            const struct image_info image = {cases[i].tag, &image_details_unknown};
            assert_int_equal(tag_policy_read(p, &image, &key), cases[i].match);
            assert_string_equal(key.value.buf, cases[i].value);
        }
    }
    const struct image_info image = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaC",
                                     &image_details_unknown};
    assert_int_equal(tag_policy_read(p, &image, &key), TAG_OVER_LIMIT);
    tag_policy_free(p);
}

/* After so many matches a regexp is machine code, and must say what it said before. */
static void test_tag_policy_says_the_same_however_often_it_is_asked(void **state)
{
    (void)state;
    struct tag_policy *p = policy("regexp:^b-(?<n>\\d+)(?:-x)?$|^(a+)+\\2$|^(?:é)+$");
    struct error err = ERROR_INIT;
    assert_int_equal(tag_policy_set_extract(p, "<$n>", &err), 0);
    CLEANUP(tag_key_release) struct tag_key key = TAG_KEY_INIT;
    CLEANUP(strbuf_release) struct strbuf tag = STRBUF_INIT;
    for (size_t i = 0; i < 10000; i++) {
        strbuf_reset(&tag);
        strbuf_addf(&tag, "b-%zu%s", i, i % 3 ? "" : "-x");
        const struct image_info image = {tag.buf, &image_details_unknown};
        assert_int_equal(tag_policy_read(p, &image, &key), TAG_MATCHES);
        AUTO_FREE char *value = xasprintf("<%zu>", i);
        assert_string_equal(key.value.buf, value);
        assert_int_equal(tag_policy_match(p, "c-1"), TAG_DIFFERS);
        assert_int_equal(tag_policy_match(p, "\xff"), TAG_DIFFERS);
    }
    for (size_t i = 0; i < LIMIT_REGEXP_OVERRUNS; i++)
        assert_int_equal(tag_policy_match(p, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
                         TAG_OVER_LIMIT);
    assert_int_equal(tag_policy_match(p, "b-1"), TAG_OVER_LIMIT);
    tag_policy_free(p);
}

/* Deeper than the machine code's stack: it is asked the slow way, and known all the same. */
static void test_tag_policy_copes_with_deep_patterns(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf tag = STRBUF_INIT;
    while (tag.len < 900)
        strbuf_addstr(&tag, "ab");
    struct tag_policy *p = policy("regexp:^(?:(a)|(b)|(c)|(d)|(e)|(f)|(g))*$");
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(tag_policy_match(p, tag.buf), TAG_MATCHES);
    tag_policy_free(p);
}

static void *match_often(void *policy)
{
    for (int i = 0; i < 3000; i++) { /* on the way, one of them makes machine code */
        if (tag_policy_match(policy, "v1.2.3-rc") != TAG_MATCHES ||
            tag_policy_match(policy, "b") != TAG_DIFFERS)
            return policy;
    }
    return NULL;
}

/* For the thread sanitizer: one thread explodes the pattern while others match. */
static void test_tag_policy_is_shared_by_threads(void **state)
{
    (void)state;
    static const struct {
        const char *policy;
        enum tag_match match;
    } cases[] = {{"regexp:^(?:(a+)+\\1$|v)", TAG_OVER_LIMIT}, {"regexp:^(?:(a+)+$|v)", TAG_DIFFERS}};
    for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
        struct tag_policy *p = policy(cases[k].policy);
        pthread_t threads[3];
        for (size_t i = 0; i < ARRAY_LEN(threads); i++)
            assert_int_equal(pthread_create(&threads[i], NULL, match_often, p), 0);
        for (unsigned i = 0; i + 1 < LIMIT_REGEXP_OVERRUNS; i++)
            assert_int_equal(tag_policy_match(p, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
                             cases[k].match);
        for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
            void *failed;
            assert_int_equal(pthread_join(threads[i], &failed), 0);
            assert_null(failed);
        }
        tag_policy_free(p);
    }
}

/* For the thread sanitizer: two threads may find at once that the other way is wanted. */
static void *explode_often(void *policy)
{
    for (int i = 0; i < 50; i++) {
        if (tag_policy_match(policy, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!") != TAG_DIFFERS)
            return policy;
    }
    return NULL;
}

static void test_tag_policy_explodes_in_several_threads(void **state)
{
    (void)state;
    struct tag_policy *p = policy("regexp:^(?:(a+)+$|v)");
    pthread_t threads[3];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, explode_often, p), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    tag_policy_free(p);
}

static void test_tag_policy_orders_by_time_or_version_and_never_ties(void **state)
{
    (void)state;
    static struct {
        const char *policy;
        struct {
            char tag[8];
            int64_t created_ms;
        } ascending[6];
    } cases[] = {
        {"glob:*",
         {{.tag = "10", .created_ms = 0},
          {.tag = "2", .created_ms = 100},
          {.tag = "1.9", .created_ms = 200},
          {.tag = "1.10", .created_ms = 200},
          {.tag = "main", .created_ms = 200},
          {.tag = "0", .created_ms = 300}}},
        {"regexp:.",
         {{.tag = "b", .created_ms = 1},
          {.tag = "a", .created_ms = 2},
          {.tag = "a1", .created_ms = 2},
          {.tag = "a02", .created_ms = 2},
          {.tag = "a2", .created_ms = 2},
          {.tag = "a10", .created_ms = 2}}},
        {"semver:*",
         {{.tag = "main", .created_ms = 900},
          {.tag = "1.2-rc", .created_ms = 800},
          {.tag = "1.2", .created_ms = 700},
          {.tag = "1.2.0", .created_ms = 600},
          {.tag = "v1.2", .created_ms = 500},
          {.tag = "1.10", .created_ms = 400}}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tag_policy *p = policy(cases[i].policy);
        for (size_t j = 0; j < 6; j++) {
            for (size_t k = 0; k < 6; k++) {
                struct image_details x = {.created_ms = cases[i].ascending[j].created_ms};
                struct image_details y = {.created_ms = cases[i].ascending[k].created_ms};
                struct image_info a = {cases[i].ascending[j].tag, &x};
                struct image_info b = {cases[i].ascending[k].tag, &y};
                int order = tag_policy_compare(p, &a, &b);
                if ((order > 0) - (order < 0) != (j > k) - (j < k))
                    fail_msg("%s: %s against %s: %d", cases[i].policy, a.tag, b.tag, order);
            }
        }
        tag_policy_free(p);
    }
}

/* What a policy with an order and a template makes of tags. */
static struct tag_policy *ordered(const char *text, const char *order, const char *extract)
{
    struct tag_policy *p = policy(text);
    struct error err = ERROR_INIT;
    if (order && tag_policy_set_order(p, order, &err) < 0)
        fail_msg("%s", err.text);
    if (extract && tag_policy_set_extract(p, extract, &err) < 0)
        fail_msg("%s", err.text);
    return p;
}

static void test_tag_policy_refuses_orders_and_templates(void **state)
{
    (void)state;
    static const struct {
        const char *policy, *order, *extract, *error;
    } cases[] = {
        {"glob:*", "", NULL,
         "there is no order \"\"; there are newest, semver, numeric and alpha, and \":desc\" after each"},
        {"glob:*", "age", NULL,
         "there is no order \"age\"; there are newest, semver, numeric and alpha, and \":desc\" after each"},
        {"glob:*", "semvar", NULL, "there is no order \"semvar\"; did you mean semver?"},
        {"glob:*", "Numeric", NULL, "there is no order \"Numeric\"; did you mean numeric?"},
        {"glob:*", "alpha:descending", NULL,
         "there is no order \"alpha:descending\"; only \":desc\" can follow alpha"},
        {"glob:*", NULL, "$1",
         "there is nothing to extract with glob:*: only the groups of a regexp: can be extracted"},
        {"semver:*", NULL, "$1",
         "there is nothing to extract with semver:*: only the groups of a regexp: can be extracted"},
        {"regexp:(a)", NULL, "$2", "$2: the pattern has no group \"2\""},
        {"regexp:(a)", NULL, "$01", "$01: the pattern has no group \"01\""},
        {"regexp:(a)", NULL, "$99999999999", "$99999999999: the pattern has no group \"99999999999\""},
        {"regexp:(?P<n>a)", NULL, "${m}", "${m}: the pattern has no group \"m\""},
        {"regexp:(a)", NULL, "$1x",
         "$1x: the pattern has no group \"1x\"; group 1 before other text is ${1}"},
        {"regexp:(a)", NULL, "$1_$1",
         "$1_$1: the pattern has no group \"1_\"; group 1 before other text is ${1}"},
        {"regexp:(a)", NULL, "$",
         "$: a \"$\" is followed by a group, as in $1 or ${name}, or by another \"$\""},
        {"regexp:(a)", NULL, "${1",
         "${1: a \"$\" is followed by a group, as in $1 or ${name}, or by another \"$\""},
        {"regexp:(a)", NULL, "${}",
         "${}: a \"$\" is followed by a group, as in $1 or ${name}, or by another \"$\""},
        {"regexp:(a)", NULL, "", "\"\" takes nothing of the tag; $1 is the first group of the pattern"},
        {"regexp:(a)", NULL, "1$$", "\"1$$\" takes nothing of the tag; $1 is the first group of the pattern"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tag_policy *p = policy(cases[i].policy);
        struct error err = ERROR_INIT;
        int result = cases[i].order ? tag_policy_set_order(p, cases[i].order, &err)
                                    : tag_policy_set_extract(p, cases[i].extract, &err);
        assert_int_equal(result, -1);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_string_equal(err.text, cases[i].error);
        tag_policy_free(p);
    }
}

static void test_tag_policy_has_a_longest_template(void **state)
{
    (void)state;
    struct tag_policy *p = policy("regexp:(.*)");
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    while (text.len < LIMIT_PATTERN_LENGTH)
        strbuf_addstr(&text, "${1}");
    struct error err = ERROR_INIT;
    assert_int_equal(tag_policy_set_extract(p, text.buf, &err), 0);
    strbuf_addstr(&text, "$1");
    assert_int_equal(tag_policy_set_extract(p, text.buf, &err), -1);
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    /* and what comes of one is limited too: here 1,024 times the tag */
    assert_int_equal(tag_policy_match(p, "a"), TAG_MATCHES);
    assert_int_equal(tag_policy_match(p, "ab"), TAG_NO_VALUE);
    tag_policy_free(p);
}

static void test_tag_policy_extracts(void **state)
{
    (void)state;
    static const struct {
        const char *policy, *order, *extract, *tag;
        enum tag_match match;
        const char *value;
    } cases[] = {
        {"regexp:^b-(\\d+)", "numeric", "$1", "b-12-x", TAG_MATCHES, "12"},
        {"regexp:^b-(\\d+)", "numeric", "${1}", "b-007", TAG_MATCHES, "007"},
        {"regexp:^b-(?P<n>\\d+)", "numeric", "$n", "b-12", TAG_MATCHES, "12"},
        {"regexp:^b-(?P<n>\\d+)", "numeric", "${n}0", "b-12", TAG_MATCHES, "120"},
        {"regexp:^b-(?<n>\\d+)", "numeric", "$1$n", "b-1", TAG_MATCHES, "11"},
        {"regexp:\\d+", "numeric", "$0", "b-12-x", TAG_MATCHES, "12"},
        {"regexp:(a)", "alpha", "$$$1$$", "a", TAG_MATCHES, "$a$"},
        {"regexp:^(\\d+)\\.(\\d+)\\.(\\d+)\\.(\\d+)$", "semver", "$1.$2.$3-$4", "1.2.3.4", TAG_MATCHES,
         "1.2.3-4"},
        {"regexp:^(\\d+)(-rc)?$", "alpha", "$1$2", "7", TAG_MATCHES, "7"},
        {"regexp:^(\\d+)(-rc)?$", "alpha", "$1$2", "7-rc", TAG_MATCHES, "7-rc"},

        {"regexp:^b-(\\d*)", "alpha", "$1", "b-", TAG_NO_VALUE, ""},
        {"regexp:^(?:b-(\\d+)|main)$", "newest", "$1", "main", TAG_NO_VALUE, ""},
        {"regexp:^b-(\\d+)", "numeric", "$1", "a-1", TAG_DIFFERS, ""},
        {"regexp:^b-(.+)", "numeric", "$1", "b-1.5", TAG_NOT_A_NUMBER, "1.5"},
        {"regexp:^b-(.+)", "numeric", "$1", "b--1", TAG_NOT_A_NUMBER, "-1"},
        {"regexp:^b-(.+)", "semver", "$1", "b-1.5", TAG_MATCHES, "1.5"},
        {"regexp:^b-(.+)", "semver", "$1", "b-1.x", TAG_NOT_A_VERSION, "1.x"},
        {"regexp:(latest)", "alpha", "$1", "latest", TAG_IS_LATEST, ""},

        {"glob:*", "numeric", NULL, "20240105", TAG_MATCHES, ""},
        {"glob:*", "numeric", NULL, "v1", TAG_NOT_A_NUMBER, ""},
        {"glob:*", "semver", NULL, "2024.01.05", TAG_MATCHES, ""},
        {"glob:*", "semver", NULL, "main", TAG_NOT_A_VERSION, ""},
        {"glob:2024*", "semver", NULL, "main", TAG_DIFFERS, ""},
        {"semver:*", "numeric", NULL, "1.2", TAG_NOT_A_NUMBER, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tag_policy *p = ordered(cases[i].policy, cases[i].order, cases[i].extract);
        CLEANUP(tag_key_release) struct tag_key key = TAG_KEY_INIT;
        const struct image_info image = {cases[i].tag, &image_details_unknown};
        enum tag_match match = tag_policy_read(p, &image, &key);
        if (match != cases[i].match || strcmp(key.value.buf, cases[i].value) != 0)
            fail_msg("%s, %s of %s: %s, %s", cases[i].policy, cases[i].extract, cases[i].tag,
                     tag_match_name(match), key.value.buf);
        assert_int_equal(tag_policy_match(p, cases[i].tag), cases[i].match);
        tag_policy_free(p);
    }
}

/* Each comes after the one before it; the first of them have no place in the order. */
static void test_tag_policy_orders_by_what_is_set(void **state)
{
    (void)state;
    static const struct {
        const char *policy, *order, *extract;
        const char *ascending[9];
    } cases[] = {
        {"glob:*",
         "numeric",
         NULL,
         {"-1", "main", "v3", "0", "007", "7", "10", "99999999999999999999999999999998",
          "99999999999999999999999999999999"}},
        {"glob:*",
         "numeric:desc",
         NULL,
         {"v3", "main", "100000000000000000000", "10", "7", "007", "0", NULL}},
        {"glob:*", "alpha", NULL, {"10", "9", "B", "a", "b10", "b9", NULL}},
        {"glob:*", "alpha:desc", NULL, {"b9", "b10", "a", "B", "9", "10", NULL}},
        /* calendar versions, with leading zeros and without */
        {"glob:*",
         "semver",
         NULL,
         {"2024.01", "2024.01.05", "2024.1.5", "2024.01.12", "2024.09.30", "2024.10.1", "2025.01.01", NULL}},
        {"glob:*", "numeric", NULL, {"20231231", "20240105", "20240105120000", NULL}},
        {"regexp:^(\\d{4})-(\\d\\d)-(\\d\\d)$",
         "numeric",
         "$1$2$3",
         {"other", "2023-12-31", "2024-01-05", "2024-10-01", NULL}},
        /* four parts: the fourth as a pre-release, all of which have one */
        {"regexp:^(\\d+\\.\\d+\\.\\d+)\\.(\\d+)$",
         "semver",
         "$1-$2",
         {"9.9.9", "1.2.3.4", "1.2.3.10", "1.2.4.0", "1.10.0.0", NULL}},
        {"regexp:^v?(\\d+\\.\\d+\\.\\d+)-alpine(\\d)",
         "semver",
         "$1",
         {"1.9.9", "1.2.3-alpine3", "v1.2.3-alpine3", "1.2.4-alpine3", "1.10.0-alpine2", NULL}},
        {"regexp:-(\\d+)$", "numeric", "$1", {"x", "z-1", "a-2", "b-2", "a-10", NULL}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tag_policy *p = ordered(cases[i].policy, cases[i].order, cases[i].extract);
        for (size_t j = 0; j < 9 && cases[i].ascending[j]; j++) {
            for (size_t k = 0; k < 9 && cases[i].ascending[k]; k++) {
                const struct image_info a = {cases[i].ascending[j], &image_details_unknown};
                const struct image_info b = {cases[i].ascending[k], &image_details_unknown};
                int order = tag_policy_compare(p, &a, &b);
                if ((order > 0) - (order < 0) != (j > k) - (j < k))
                    fail_msg("%s by %s: %s against %s: %d", cases[i].policy, cases[i].order, a.tag, b.tag,
                             order);
            }
        }
        tag_policy_free(p);
    }
}

#define PROPERTY_TAGS 60

/* Tags that are alike: few letters, digits with and without leading zeros, and dates that repeat. */
static void make_tags(struct image_info *images, struct image_details *details, char (*names)[12],
                      uint64_t *seed)
{
    static const char alphabet[] = "0019.-vab";
    for (size_t i = 0; i < PROPERTY_TAGS; i++) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        uint64_t random = *seed >> 16;
        size_t len = 1 + random % 6;
        for (size_t j = 0; j < len; j++)
            names[i][j] = alphabet[(random >> (5 * j + 8)) % (sizeof(alphabet) - 1)];
        names[i][len] = '\0';
        bool is_new = true;
        for (size_t j = 0; j < i; j++)
            is_new = is_new && strcmp(names[i], names[j]) != 0;
        /* one time for one tag */
        details[i] = (struct image_details){.created_ms = (int64_t)((unsigned)names[i][0] + len) % 4};
        images[i] = (struct image_info){names[i], &details[i]};
        i -= !is_new;
    }
}

static void assert_total(const struct tag_policy *p, const struct image_info *images)
{
    static int8_t order[PROPERTY_TAGS][PROPERTY_TAGS];
    for (size_t i = 0; i < PROPERTY_TAGS; i++) {
        for (size_t j = 0; j < PROPERTY_TAGS; j++) {
            int result = tag_policy_compare(p, &images[i], &images[j]);
            order[i][j] = (int8_t)((result > 0) - (result < 0));
            if ((order[i][j] == 0) != (i == j))
                fail_msg("%s by %s: %s ties with %s", tag_policy_text(p), tag_policy_order(p), images[i].tag,
                         images[j].tag);
        }
    }
    for (size_t i = 0; i < PROPERTY_TAGS; i++) {
        for (size_t j = 0; j < PROPERTY_TAGS; j++) {
            assert_int_equal(order[i][j], -order[j][i]);
            for (size_t k = 0; k < PROPERTY_TAGS; k++) {
                if (order[i][j] > 0 && order[j][k] > 0 && order[i][k] <= 0)
                    fail_msg("%s by %s: %s, %s and %s go round", tag_policy_text(p), tag_policy_order(p),
                             images[i].tag, images[j].tag, images[k].tag);
            }
        }
    }
}

static void test_tag_policy_orders_are_total(void **state)
{
    (void)state;
    static const char *const orders[] = {"newest",  "newest:desc",  "semver", "semver:desc",
                                         "numeric", "numeric:desc", "alpha",  "alpha:desc"};
    static const struct {
        const char *policy, *extract;
    } policies[] = {{"glob:*", NULL}, {"semver:*", NULL}, {"regexp:a|b|(\\d[\\d.]*)", "$1"}};
    uint64_t seed = 4;
    for (size_t round = 0; round < 4; round++) {
        struct image_info images[PROPERTY_TAGS];
        struct image_details details[PROPERTY_TAGS];
        char names[PROPERTY_TAGS][12];
        make_tags(images, details, names, &seed);
        for (size_t i = 0; i < ARRAY_LEN(orders) * ARRAY_LEN(policies); i++) {
            size_t which = i % ARRAY_LEN(policies);
            struct tag_policy *p =
                ordered(policies[which].policy, orders[i / ARRAY_LEN(policies)], policies[which].extract);
            assert_total(p, images);
            tag_policy_free(p);
        }
    }
}

static void test_tag_policy_can_be_copied_and_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *policy, *order, *extract;
    } all[] = {
        {"glob:*", NULL, NULL},        {"glob:a", NULL, NULL},
        {"glob:*", "alpha", NULL},     {"glob:*", "alpha:desc", NULL},
        {"regexp:(a)(b)", NULL, NULL}, {"regexp:(a)(b)", NULL, "$1"},
        {"regexp:(a)(b)", NULL, "$2"}, {"regexp:(a)(b)", "numeric", "$1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct tag_policy *p = ordered(all[i].policy, all[i].order, all[i].extract);
        CLEANUP(strbuf_release) struct strbuf identity = STRBUF_INIT;
        tag_policy_add_identity(p, &identity);
        for (size_t k = 0; k < ARRAY_LEN(all); k++) {
            struct tag_policy *other = ordered(all[k].policy, all[k].order, all[k].extract);
            struct tag_policy *copy = tag_policy_copy(other);
            CLEANUP(strbuf_release) struct strbuf its = STRBUF_INIT;
            tag_policy_add_identity(copy, &its);
            assert_int_equal(tag_policy_equals(p, copy), i == k);
            assert_int_equal(strcmp(identity.buf, its.buf) == 0, i == k);
            tag_policy_free(copy);
            tag_policy_free(other);
        }
        tag_policy_free(p);
    }
    struct tag_policy *p = policy("glob:*"), *same = ordered("*", "newest:asc", NULL);
    assert_true(tag_policy_equals(p, same));
    tag_policy_free(p);
    tag_policy_free(same);
}

/* "_" of a tag is "+" of a version, for charts alone. */
static void test_tag_policy_of_charts_reads_versions(void **state)
{
    (void)state;
    static const struct {
        const char *policy, *tag;
        enum tag_match of_images, of_charts;
    } cases[] = {
        {"semver:~1.2", "1.2.3_b.5", TAG_NOT_A_VERSION, TAG_MATCHES},
        {"semver:~1.2", "1.3.0_b", TAG_NOT_A_VERSION, TAG_DIFFERS},
        {"semver:~1.2", "1.2.3", TAG_MATCHES, TAG_MATCHES},
        {"glob:1.2.3+*", "1.2.3_b", TAG_DIFFERS, TAG_MATCHES},
        {"regexp:^1\\.2\\.3\\+b$", "1.2.3_b", TAG_DIFFERS, TAG_MATCHES},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(tag_policy_release) struct tag_policy *p = policy(cases[i].policy);
        assert_int_equal(tag_policy_match(p, cases[i].tag), cases[i].of_images);
        tag_policy_set_charts(p);
        assert_int_equal(tag_policy_match(p, cases[i].tag), cases[i].of_charts);
        CLEANUP(tag_policy_release) struct tag_policy *copy = tag_policy_copy(p);
        CLEANUP(tag_policy_release) struct tag_policy *other = policy(cases[i].policy);
        assert_int_equal(tag_policy_match(copy, cases[i].tag), cases[i].of_charts);
        assert_true(tag_policy_equals(p, copy) && !tag_policy_equals(p, other));
    }
}

static void test_tag_policy_of_charts_orders_versions(void **state)
{
    (void)state;
    CLEANUP(tag_policy_release) struct tag_policy *p = policy("semver:*");
    tag_policy_set_charts(p);
    static const char *const ascending[] = {"1.2.3_z", "1.2.10_a", "1.2.10_b", "1.3.0"};
    for (size_t i = 0; i < ARRAY_LEN(ascending); i++) {
        for (size_t k = 0; k < ARRAY_LEN(ascending); k++) {
            const struct image_info a = {ascending[i], &image_details_unknown},
                                    b = {ascending[k], &image_details_unknown};
            int order = tag_policy_compare(p, &a, &b);
            assert_true(i < k ? order < 0 : i > k ? order > 0 : order == 0);
        }
    }
    int order = 0;
    assert_true(tag_policy_compare_versions(p, "1.2.4_b1", "1.2.3_b1", &order) && order > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tag_policy_reads_its_kinds),
        cmocka_unit_test(test_tag_policy_that_does_not_compile_is_an_error),
        cmocka_unit_test(test_tag_policy_has_a_longest_text),
        cmocka_unit_test(test_tag_policy_matches),
        cmocka_unit_test(test_tag_policy_gives_up_on_patterns_that_explode),
        cmocka_unit_test(test_tag_policy_knows_what_ends_for_go),
        cmocka_unit_test(test_tag_policy_extracts_where_a_pattern_explodes),
        cmocka_unit_test(test_tag_policy_says_the_same_however_often_it_is_asked),
        cmocka_unit_test(test_tag_policy_copes_with_deep_patterns),
        cmocka_unit_test(test_tag_policy_is_shared_by_threads),
        cmocka_unit_test(test_tag_policy_explodes_in_several_threads),
        cmocka_unit_test(test_tag_policy_orders_by_time_or_version_and_never_ties),
        cmocka_unit_test(test_tag_policy_refuses_orders_and_templates),
        cmocka_unit_test(test_tag_policy_has_a_longest_template),
        cmocka_unit_test(test_tag_policy_extracts),
        cmocka_unit_test(test_tag_policy_orders_by_what_is_set),
        cmocka_unit_test(test_tag_policy_orders_are_total),
        cmocka_unit_test(test_tag_policy_can_be_copied_and_told_apart),
        cmocka_unit_test(test_tag_policy_of_charts_reads_versions),
        cmocka_unit_test(test_tag_policy_of_charts_orders_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
