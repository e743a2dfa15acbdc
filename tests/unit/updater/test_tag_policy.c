#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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
        {"regexp:(*UTF)a", "regexp:(*UTF)a: using UTF is disabled by the application at offset 6"},
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

/* Without limits the first of these would take minutes; with them all 10,000 take less than a second. */
static void test_tag_policy_gives_up_on_patterns_that_explode(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "regexp:^(a+)+$",
        "regexp:^(a|aa)+$",
        "regexp:(x+x+)+y|^(.*)*(.*)*(.*)*b$",
        "regexp:^(a?){70}a{70}$",
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

static void *match_often(void *policy)
{
    for (int i = 0; i < 200; i++) {
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
    struct tag_policy *p = policy("regexp:^(?:(a+)+$|v)");
    pthread_t threads[3];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, match_often, p), 0);
    for (unsigned i = 0; i + 1 < LIMIT_REGEXP_OVERRUNS; i++)
        assert_int_equal(tag_policy_match(p, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
                         TAG_OVER_LIMIT);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tag_policy_reads_its_kinds),
        cmocka_unit_test(test_tag_policy_that_does_not_compile_is_an_error),
        cmocka_unit_test(test_tag_policy_has_a_longest_text),
        cmocka_unit_test(test_tag_policy_matches),
        cmocka_unit_test(test_tag_policy_gives_up_on_patterns_that_explode),
        cmocka_unit_test(test_tag_policy_is_shared_by_threads),
        cmocka_unit_test(test_tag_policy_orders_by_time_or_version_and_never_ties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
