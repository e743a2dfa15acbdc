/*
 * Tag patterns as Flux v1 read them, rule by rule: each row names the rule and holds it to tags. What we do otherwise, and why,
 * is in updater/semver.h and updater/tag_policy.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/tag_policy.h"

#define MOST 16

static const struct {
    const char *rule, *policy;
    const char *takes[MOST], *leaves[MOST];
} rules[] = {
    /* kinds */
    {"no prefix is a glob", "v*", {"v1"}, {"w1"}},
    {"only * is special in a glob", "glob:a?[b]*", {"a?[b]", "a?[b]c"}, {"axb", "ab"}},
    {"a glob is the whole tag", "glob:ab", {"ab"}, {"abc", "xab"}},
    {"a glob knows case", "glob:Ab*", {"Abc"}, {"abc", "AB"}},
    {"a regexp is not anchored", "regexp:b[0-9]", {"ab1c", "b2"}, {"bc"}},
    {"regex: is regexp:", "regex:^a$", {"a"}, {"b"}},
    {"no pattern is glob:*", "glob:*", {"a", "1.0", "-"}, {NULL}},

    /* latest */
    {"latest, in any case, is nobody's", "glob:*", {"latest-1"}, {"latest", "Latest", "LATEST"}},
    {"latest is not a regexp's", "regexp:^latest$", {NULL}, {"latest"}},
    {"latest is not that of a glob that matches it", "glob:lates*", {NULL}, {"latest"}},
    {"latest is glob:latest's", "glob:latest", {"latest"}, {"Latest", "a"}},
    {"latest is that of its bare name", "latest", {"latest"}, {"LATEST", "a"}},

    /* what is a version */
    {"one to three numbers", "semver:>=0", {"1", "v1.2", "1.2.3", "20190101"}, {"1.2.3.4", "1.", ".1"}},
    {"leading zeros in the numbers", "semver:1.2.3", {"01.2.3", "1.02.003"}, {NULL}},
    {"an optional v, lower case", "semver:1.0", {"v1.0", "1.0"}, {"V1.0", "vv1.0"}},
    {"a date with dashes is a pre-release", "semver:>=2019-0", {"2019-01-01"}, {NULL}},
    {"a date with dashes is no release", "semver:>=2019", {"2019"}, {"2019-01-01"}},
    {"no underscore, no empty pre-release", "semver:>=0-0", {"1.2.3-a"}, {"1.2.3_4", "1.2.3-", "latest"}},
    {"no leading zero in a pre-release's number", "semver:>=0-0", {"1.2.3-1", "1.2.3-0a"}, {"1.2.3-01"}},
    {"numbers have 64 bits", "semver:>0", {"18446744073709551615"}, {"18446744073709551616"}},

    /* operators */
    {"= or none", "semver:1.2.3", {"1.2.3", "v1.2.3"}, {"1.2.4"}},
    {"= or none", "semver:=1.2.3", {"1.2.3"}, {"1.2.2"}},
    {"!=", "semver:!=1.2.3", {"1.2.4", "0.1"}, {"1.2.3"}},
    {">", "semver:>1.2.3", {"1.2.4"}, {"1.2.3"}},
    {"<", "semver:<1.2.3", {"1.2.2"}, {"1.2.3"}},
    {">= and =>", "semver:>=1.2.3", {"1.2.3", "2.0"}, {"1.2.2"}},
    {">= and =>", "semver:=>1.2.3", {"1.2.3", "2.0"}, {"1.2.2"}},
    {"<= and =<", "semver:<=1.2.3", {"1.2.3", "1.0"}, {"1.2.4"}},
    {"<= and =<", "semver:=<1.2.3", {"1.2.3", "1.0"}, {"1.2.4"}},
    {"~ and ~>", "semver:~1.2.3", {"1.2.3", "1.2.9"}, {"1.2.2", "1.3.0"}},
    {"~ and ~>", "semver:~>1.2.3", {"1.2.3", "1.2.9"}, {"1.2.2", "1.3.0"}},
    {"^", "semver:^1.2.3", {"1.2.3", "1.9"}, {"1.2.2", "2.0.0"}},
    {"comma is and", "semver:>1.0,<1.2", {"1.1.5"}, {"1.0.0", "1.2.0", "0.9"}},
    {"space is and", "semver:>1.0 <1.2", {"1.1.5"}, {"1.0.0", "1.2.0", "0.9"}},
    {"|| is or", "semver:1.0 || 1.2", {"1.0.9", "1.2.0"}, {"1.1.0"}},
    {"a hyphen, with spaces, is a range",
     "semver:1.2 - 1.4",
     {"1.2.0", "1.3.5", "1.4.9"},
     {"1.1.9", "1.5.0"}},
    {"x, X and * are any", "semver:1.x", {"1.0.0", "1.9.9"}, {"2.0.0"}},
    {"x, X and * are any", "semver:1.2.X", {"1.2.0", "1.2.9"}, {"1.3.0"}},
    {"x, X and * are any", "semver:1.*", {"1.0.0", "1.9.9"}, {"2.0.0"}},

    /* parts that are left out */
    {"1 is ~1", "semver:1", {"1.0.0", "1.9.9"}, {"0.9", "2.0.0"}},
    {"=1.2 is ~1.2", "semver:=1.2", {"1.2.0", "1.2.9"}, {"1.1.9", "1.3.0"}},
    {">1.2 is at least 1.3.0", "semver:>1.2", {"1.3.0", "2"}, {"1.2.0", "1.2.99"}},
    {"<=1.2 takes all of 1.2.x", "semver:<=1.2", {"1.2.0", "1.2.99", "1.1"}, {"1.3.0"}},
    {"!=1.2 leaves all of 1.2.x", "semver:!=1.2", {"1.1.9", "1.3.0"}, {"1.2.0", "1.2.9"}},
    {">=1.2 is at least 1.2.0", "semver:>=1.2", {"1.2.0", "1.9"}, {"1.1.9"}},
    {"<1.2 is below 1.2.0", "semver:<1.2", {"1.1.9", "0"}, {"1.2.0", "1.2.1"}},
    {"~1 is 1.x", "semver:~1", {"1.0.0", "1.9.9"}, {"2.0.0", "0.9"}},
    {"~0.0.0 is everything", "semver:~0.0.0", {"0.0.0", "0.3", "9.1"}, {"9.1-rc", "main"}},
    {"* is everything", "semver:*", {"0.0.0", "0.3", "9.1"}, {"9.1-rc", "main"}},
    {"~* is everything", "semver:~*", {"0.0.0", "0.3", "9.1"}, {"9.1-rc", "main"}},
    {"^1.2.3 is below 2", "semver:^1.2.3", {"1.2.3", "1.99"}, {"2.0.0", "1.2.2"}},
    {"^0.2.3 is below 0.3", "semver:^0.2.3", {"0.2.3", "0.2.9"}, {"0.3.0", "0.2.2", "1.0"}},
    {"^0.0.3 is 0.0.3", "semver:^0.0.3", {"0.0.3"}, {"0.0.2", "0.0.4", "0.1.3"}},
    {"^0.0 is 0.0.x", "semver:^0.0", {"0.0.0", "0.0.9"}, {"0.1.0", "1.0"}},
    {"^0 is 0.x", "semver:^0", {"0.0.0", "0.9.9"}, {"1.0.0"}},

    /* pre-releases, build metadata, spaces */
    {"a pre-release needs one in every comparison",
     "semver: >= 1.0.0-rc.0, <1.0.1",
     {"1.0.0"},
     {"1.0.0-rc.1", "1.0.1"}},
    {"a pre-release needs one in every comparison",
     "semver: >= 1.0.0-rc.0, <1.0.1-0",
     {"1.0.0", "1.0.0-rc.1"},
     {"1.0.1", "1.0.1-rc.1", "1.0.0-alpha"}},
    {"a pre-release needs one in its alternative alone",
     "semver:1.0 || >=2.0-0",
     {"2.0-rc", "1.0.1"},
     {"1.0-rc"}},
    {"a space after the prefix", "semver: ~1.2", {"1.2.3"}, {"1.3"}},
    {"build metadata does not count", "semver:<=1.2.3", {"1.2.3+build.5"}, {"1.2.4+build.1"}},
};

static void test_flux_patterns_are_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        struct error err = ERROR_INIT;
        struct tag_policy *policy = tag_policy_new(rules[i].policy, &err);
        if (!policy)
            fail_msg("%s: %s", rules[i].rule, err.text);
        for (size_t j = 0; j < MOST && rules[i].takes[j]; j++) {
            if (tag_policy_match(policy, rules[i].takes[j]) != TAG_MATCHES)
                fail_msg("%s: %s takes %s", rules[i].rule, rules[i].policy, rules[i].takes[j]);
        }
        for (size_t j = 0; j < MOST && rules[i].leaves[j]; j++) {
            if (tag_policy_match(policy, rules[i].leaves[j]) == TAG_MATCHES)
                fail_msg("%s: %s leaves %s", rules[i].rule, rules[i].policy, rules[i].leaves[j]);
        }
        tag_policy_free(policy);
    }
}

/* -- what the libraries that Flux used said of patterns and tags, made at random and by hand ------------------------ */

static void check_tags(const struct tag_policy *policy, char *tags, bool is_taken)
{
    char *tag;
    while ((tag = strsep(&tags, " "))) {
        if (*tag && (tag_policy_match(policy, tag) == TAG_MATCHES) != is_taken)
            fail_msg("%s %s %s", tag_policy_text(policy), is_taken ? "takes" : "leaves", tag);
    }
}

static void check_recorded(const char *prefix, char *line)
{
    char *pattern = strsep(&line, "\t"), *taken = strsep(&line, "\t");
    assert_non_null(line);
    struct error err = ERROR_INIT;
    AUTO_FREE char *text = xasprintf("%s%s", prefix, pattern);
    struct tag_policy *policy = tag_policy_new(text, &err);
    if (!policy)
        fail_msg("%s", err.text);
    check_tags(policy, taken, true);
    check_tags(policy, line, false);
    tag_policy_free(policy);
}

static void test_flux_patterns_mean_what_its_libraries_said(void **state)
{
    (void)state;
    static const struct {
        const char *prefix, *path;
        size_t patterns;
    } recorded[] = {{"glob:", FIXTURES "/patterns/glob.tsv", 300},
                    {"semver:", FIXTURES "/patterns/semver.tsv", 300},
                    {"regexp:", FIXTURES "/patterns/regexp.tsv", 300},
                    {"regexp:", FIXTURES "/patterns/regexp-syntax.tsv", 131}};
    for (size_t i = 0; i < ARRAY_LEN(recorded); i++) {
        FILE *file = fopen(recorded[i].path, "r");
        assert_non_null(file);
        AUTO_FREE char *line = NULL;
        size_t size = 0, checked = 0;
        while (getline(&line, &size, file) > 0) {
            line[strcspn(line, "\n")] = '\0';
            if (*line == '#')
                continue;
            check_recorded(recorded[i].prefix, line);
            checked++;
        }
        (void)fclose(file);
        assert_int_equal(checked, recorded[i].patterns);
    }
}

/* Flux took every tag, or every version, where a pattern did not compile. We take none. */
static void test_flux_patterns_that_do_not_compile_are_refused(void **state)
{
    (void)state;
    static const char *const broken[] = {"regexp:(",   "semver:", "semver:~",
                                         "semver:one", "glob:",   "semver:<*"};
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        struct error err = ERROR_INIT;
        assert_null(tag_policy_new(broken[i], &err));
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

/* Equal precedence: 1.10.0 before 1.10, as Flux had it; between images of one time Flux took the smallest name, and so would go
 * back from 10 to 9: here the natural order decides. */
static void test_flux_patterns_order_as_flux_but_for_ties(void **state)
{
    (void)state;
    static const struct image_details old = {.created_ms = 1}, young = {.created_ms = 2};
    struct error err = ERROR_INIT;
    struct tag_policy *semver = tag_policy_new("semver:*", &err), *glob = tag_policy_new("*", &err);
    assert_true(tag_policy_compare(semver, &(struct image_info){"1.10.0", &old},
                                   &(struct image_info){"1.10", &young}) > 0);
    assert_true(tag_policy_compare(semver, &(struct image_info){"1.9", &young},
                                   &(struct image_info){"1.10", &old}) < 0);
    assert_true(tag_policy_compare(glob, &(struct image_info){"b-9", &young},
                                   &(struct image_info){"b-10", &old}) > 0);
    assert_true(
        tag_policy_compare(glob, &(struct image_info){"b-9", &old}, &(struct image_info){"b-10", &old}) < 0);
    tag_policy_free(semver);
    tag_policy_free(glob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flux_patterns_are_kept),
        cmocka_unit_test(test_flux_patterns_mean_what_its_libraries_said),
        cmocka_unit_test(test_flux_patterns_that_do_not_compile_are_refused),
        cmocka_unit_test(test_flux_patterns_order_as_flux_but_for_ties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
