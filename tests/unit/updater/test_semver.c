#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/semver.h"

static void test_semver_reads_versions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t major, minor, patch;
        int parts;
        const char *prerelease;
    } cases[] = {
        {"1", 1, 0, 0, 1, NULL},
        {"v1.2", 1, 2, 0, 2, NULL},
        {"1.2.3", 1, 2, 3, 3, NULL},
        {"v1.2.3", 1, 2, 3, 3, NULL},
        {"01.2.3", 1, 2, 3, 3, NULL},
        {"1.02.003", 1, 2, 3, 3, NULL},
        {"20190101", 20190101, 0, 0, 1, NULL},
        {"2019-01-01", 2019, 0, 0, 1, "01-01"},
        {"1.2.3-rc.1", 1, 2, 3, 3, "rc.1"},
        {"1.2-alpine", 1, 2, 0, 2, "alpine"},
        {"1.2.3-0", 1, 2, 3, 3, "0"},
        {"1.2.3--", 1, 2, 3, 3, "-"},
        {"1.2.3-0a", 1, 2, 3, 3, "0a"},
        {"1.2.3-rc.1+build.007", 1, 2, 3, 3, "rc.1"},
        {"1.2.3+build-5", 1, 2, 3, 3, NULL},
        {"18446744073709551615.0.0", UINT64_MAX, 0, 0, 3, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct semver v;
        if (!semver_parse(cases[i].text, &v))
            fail_msg("%s is a version", cases[i].text);
        assert_int_equal(v.major, cases[i].major);
        assert_int_equal(v.minor, cases[i].minor);
        assert_int_equal(v.patch, cases[i].patch);
        assert_int_equal(v.parts, cases[i].parts);
        AUTO_FREE char *prerelease = v.prerelease ? xmemdupz(v.prerelease, v.prerelease_len) : NULL;
        if (cases[i].prerelease)
            assert_string_equal(prerelease, cases[i].prerelease);
        else
            assert_null(prerelease);
    }
}

static void test_semver_refuses_what_is_no_version(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "V1.0",
        "1.2.3.4",
        "1.2.3_4",
        "1.2.3-",
        "1.2.3-01",
        "latest",
        "v",
        "vv1",
        "1.",
        "1..2",
        ".1",
        "1.2.",
        "1.2.3 ",
        " 1.2.3",
        "1.2.3-a..b",
        "1.2.3-.a",
        "1.2.3-a.",
        "1.2.3+",
        "1.2.3-rc+",
        "1.2.3+a..b",
        "1.2.3-a.01",
        "1.2.3-r\xc3\xa9",
        "-1",
        "+1",
        "0x1",
        "1.x",
        "1.2.3-a_b",
        "18446744073709551616",
        "1.18446744073709551616",
        "1.2.99999999999999999999999",
    };
    struct semver v;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (semver_parse(cases[i], &v))
            fail_msg("\"%s\" is no version", cases[i]);
    }
}

/* Each is higher than the one before it: semver.org section 11, and longer numbers than fit anywhere. */
static void test_semver_orders_versions(void **state)
{
    (void)state;
    static const char *const ascending[] = {
        "0.0.0-0",
        "0.0.0",
        "0.0.1",
        "0.1",
        "1.0.0--",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.1.0",
        "1.0.0-alpha.9",
        "1.0.0-alpha.10",
        "1.0.0-alpha.99999999999999999999998",
        "1.0.0-alpha.99999999999999999999999",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc",
        "1.0.0-rc.1",
        "1.0.0-rc1",
        "1.0.0",
        "1.2",
        "1.9",
        "1.10",
        "2",
        "20190101",
        "18446744073709551615",
    };
    for (size_t i = 0; i < ARRAY_LEN(ascending); i++) {
        for (size_t j = 0; j < ARRAY_LEN(ascending); j++) {
            struct semver a, b;
            assert_true(semver_parse(ascending[i], &a) && semver_parse(ascending[j], &b));
            int order = semver_compare(&a, &b);
            if ((order > 0) - (order < 0) != (i > j) - (i < j))
                fail_msg("%s against %s: %d", ascending[i], ascending[j], order);
        }
    }
}

static void test_semver_finds_equal_what_differs_in_form(void **state)
{
    (void)state;
    static const char *const equal[][2] = {
        {"1.10", "1.10.0"}, {"v1.2.3", "1.2.3"},    {"1.2.3+a", "1.2.3+b"},
        {"01.2", "1.2"},    {"1-rc", "1.0.0-rc+5"},
    };
    for (size_t i = 0; i < ARRAY_LEN(equal); i++) {
        struct semver a, b;
        assert_true(semver_parse(equal[i][0], &a) && semver_parse(equal[i][1], &b));
        assert_int_equal(semver_compare(&a, &b), 0);
    }
}

static bool check(const char *constraint, const char *version)
{
    struct error err = ERROR_INIT;
    struct semver_constraint *c = semver_constraint_new(constraint, &err);
    if (!c)
        fail_msg("%s: %s", constraint, err.text);
    struct semver v;
    if (!semver_parse(version, &v))
        fail_msg("%s is a version", version);
    bool passes = semver_constraint_check(c, &v);
    semver_constraint_free(c);
    return passes;
}

static void test_semver_constraint_takes_and_leaves(void **state)
{
    (void)state;
    static const struct {
        const char *constraint;
        const char *takes[8], *leaves[8];
    } cases[] = {
        /* a part that is missing, or a wildcard, is a range */
        {"1", {"1.0.0", "1", "1.99.3"}, {"0.9.9", "2.0.0", "1.0.0-rc"}},
        {"=1", {"1.0.0", "1.9"}, {"2"}},
        {"=1.2", {"1.2.0", "1.2.9", "v1.2"}, {"1.3.0", "1.1.9"}},
        {"1.2.3", {"1.2.3", "v1.2.3", "1.2.3+b"}, {"1.2.4", "1.2.3-rc"}},
        {"1.x", {"1.0.0", "1.9.9"}, {"2.0.0", "0.1"}},
        {"1.2.X", {"1.2.0", "1.2.9"}, {"1.3.0"}},
        {"1.*.3", {"1.0.0", "1.9.9"}, {"2.0.0"}},
        {"*", {"0.0.0", "1.2.3", "20190101"}, {"1.0.0-rc", "2019-01-01"}},
        {"x", {"0.0.0", "7"}, {"7-1"}},
        {"X", {"0.0.0", "7"}, {"7-1"}},
        {"*-0", {"1.0.0"}, {"1.0.0-rc"}},
        {"v1.2", {"1.2.5"}, {"1.3"}},
        {"01.02", {"1.2.5"}, {"1.3"}},

        {">1.2", {"1.3.0", "2.0"}, {"1.2.0", "1.2.99", "1.1"}},
        {">1", {"2.0.0"}, {"1.9.9", "1"}},
        {">1.2.3", {"1.2.4", "1.3"}, {"1.2.3", "1.2.4-rc"}},
        {">=1.2", {"1.2.0", "1.2", "3"}, {"1.1.9"}},
        {"=>1.2", {"1.2.0"}, {"1.1.9"}},
        {">=*", {"0", "5.1"}, {"5.1-rc"}},
        {"<1.2", {"1.1.99", "0.1"}, {"1.2.0", "1.2.0-rc"}},
        {"<1", {"0.9"}, {"1.0.0"}},
        {"<=1.2", {"1.2.0", "1.2.99", "1.1"}, {"1.3.0", "2"}},
        {"=<1", {"1.99.99", "0"}, {"2"}},
        {"<=1.2.3", {"1.2.3", "1.2"}, {"1.2.4"}},
        {"!=1.2", {"1.3.0", "1.1.9"}, {"1.2.0", "1.2.9", "1.3.0-rc"}},
        {"!=1", {"2.0.0", "0.1"}, {"1.0.0", "1.5"}},
        {"!=1.2.3", {"1.2.4", "1.2", "1.2.3-rc"}, {"1.2.3", "v1.2.3"}},
        {"!=1.2-rc.1", {"1.2.0", "1.2.0-rc.2", "1.3.0-rc.1"}, {"1.2.0-rc.1", "1.2.7-rc.1"}},

        {"~1.2.3", {"1.2.3", "1.2.99"}, {"1.2.2", "1.3.0"}},
        {"~>1.2.3", {"1.2.3"}, {"1.3.0"}},
        {"~1.2", {"1.2.0", "1.2.9"}, {"1.3.0", "1.1.9"}},
        {"~1", {"1.0.0", "1.9.9"}, {"2.0.0", "1.0.0-rc"}},
        {"~0", {"0.0.0", "0.9.9"}, {"1.0.0"}},
        {"~0.0", {"0.0.5"}, {"0.1.0"}},
        {"~0.0.0", {"0.0.0", "0.3.1", "9.1"}, {"9.1-rc"}},
        {"~0.0.1", {"0.0.1", "0.0.9"}, {"0.1.0"}},
        {"~*", {"0", "3.2.1"}, {"3.2.1-rc"}},

        {"^1.2.3", {"1.2.3", "1.99.0"}, {"1.2.2", "2.0.0"}},
        {"^1.2", {"1.2.0", "1.3"}, {"1.1.9", "2.0.0"}},
        {"^1", {"1.0.0", "1.9"}, {"2", "0.9"}},
        {"^0.2.3", {"0.2.3", "0.2.9"}, {"0.3.0", "0.2.2", "1.0.0"}},
        {"^0.2", {"0.2.0", "0.2.9"}, {"0.3.0"}},
        {"^0.0.3", {"0.0.3"}, {"0.0.4", "0.0.2", "0.1.3"}},
        {"^0.0", {"0.0.0", "0.0.9"}, {"0.1.0"}},
        {"^0", {"0.0.0", "0.9.9"}, {"1.0.0"}},
        {"^0.0.0", {"0.0.0"}, {"0.0.1", "0.1.0"}},
        {"^*", {"0.0.0", "4.1"}, {"4.1-rc"}},

        /* and: comma, space, or nothing before an operator */
        {">=1.0, <2.0", {"1.0", "1.9.9"}, {"2.0", "0.9"}},
        {">=1.0 <2.0", {"1.9.9"}, {"2.0"}},
        {">=1.0<2.0", {"1.9.9"}, {"2.0"}},
        {">= 1.0 ,<2.0,", {"1.9.9"}, {"2.0"}},
        {"  ~1.2  ", {"1.2.9"}, {"1.3"}},
        {" >= 1.0.0 != 1.5.0 < 2", {"1.4.9", "1.5.1"}, {"1.5.0", "2.0.0"}},
        {"1.2.3 1.2.4", {NULL}, {"1.2.3", "1.2.4"}},

        /* hyphen ranges */
        {"1.2 - 1.4", {"1.2.0", "1.3", "1.4.9"}, {"1.1.9", "1.5.0"}},
        {"1.2.3 - 1.4.5", {"1.2.3", "1.4.5"}, {"1.4.6"}},
        {"1 - 2 !=1.5.0", {"1.4", "2.9.9"}, {"1.5.0", "3.0.0"}},
        {"1.2 - 8 1.4", {"1.4.2"}, {"1.3.0", "2.0.0"}},
        {"1.2-3 - 1.4-0", {"1.2.0-3", "1.3.0-rc"}, {"1.2.0-2"}},

        /* or */
        {"~1.2 || ~2.1", {"1.2.3", "2.1.9"}, {"1.3.0", "2.2.0"}},
        {"~1.2||~2.1", {"1.2.3", "2.1.9"}, {"1.3.0", "2.2.0"}},
        {"1.0 - 1.1 || 3.0 - 3.1||5", {"1.1.9", "3.0.5", "5.5"}, {"2.0", "4.0"}},
        {">=1 <2 || >=3 <4", {"1.5", "3.5"}, {"2.5", "4"}},
        {"1 || >=2.0.0-0", {"1.5", "2.0.0-rc"}, {"1.5-rc"}},

        /* a pre-release needs one in every comparison joined by "and" */
        {">=1.0.0-rc.0", {"1.0.0-rc.0", "1.0.0-rc.1", "1.0.0", "2.0.0-a"}, {"1.0.0-alpha", "0.9"}},
        {">= 1.0.0-rc.0, <1.0.1", {"1.0.0"}, {"1.0.0-rc.1", "1.0.1"}},
        {">= 1.0.0-rc.0, <1.0.1-0", {"1.0.0", "1.0.0-rc.1"}, {"1.0.1-0", "1.0.1"}},
        {"~1.2-0", {"1.2.0-rc", "1.2.9", "1.2.9-rc"}, {"1.3.0-rc"}},
        {"^1-0", {"1.0.0-rc", "1.9.9-rc"}, {"2.0.0-rc"}},
        {"1.2.3-rc.1", {"1.2.3-rc.1"}, {"1.2.3", "1.2.3-rc.2"}},
        {">1.2-0", {"1.3.0-rc"}, {"1.2.9"}},
        {">=18446744073709551615", {"18446744073709551615"}, {"18446744073709551614"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t j = 0; j < 8 && cases[i].takes[j]; j++) {
            if (!check(cases[i].constraint, cases[i].takes[j]))
                fail_msg("\"%s\" takes %s", cases[i].constraint, cases[i].takes[j]);
        }
        for (size_t j = 0; j < 8 && cases[i].leaves[j]; j++) {
            if (check(cases[i].constraint, cases[i].leaves[j]))
                fail_msg("\"%s\" leaves %s", cases[i].constraint, cases[i].leaves[j]);
        }
    }
}

static void test_semver_constraint_says_where_it_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *constraint, *error;
    } cases[] = {
        {"", "expected a version such as 1.2.3, 1.2 or 1.x at the end"},
        {"   ", "expected a version such as 1.2.3, 1.2 or 1.x at the end"},
        {"foo", "expected a version such as 1.2.3, 1.2 or 1.x at \"foo\""},
        {">=1.0, bar", "expected a version such as 1.2.3, 1.2 or 1.x at \"bar\""},
        {">=1.0 ||", "expected a version such as 1.2.3, 1.2 or 1.x at the end"},
        {"|| 1.0", "expected a version such as 1.2.3, 1.2 or 1.x at \"|| 1.0\""},
        {">=", "expected a version such as 1.2.3, 1.2 or 1.x at the end"},
        {"==1", "expected a version such as 1.2.3, 1.2 or 1.x at \"=1\""},
        {">>1", "expected a version such as 1.2.3, 1.2 or 1.x at \">1\""},
        {"> = 1", "expected a version such as 1.2.3, 1.2 or 1.x at \"= 1\""},
        {"1,,2", "expected a version such as 1.2.3, 1.2 or 1.x at \",2\""},
        {",1", "expected a version such as 1.2.3, 1.2 or 1.x at \",1\""},
        {"1.2- 1.4", "expected a version with a pre-release or build as in 1.2.3-rc.1+5 at \"1.2- 1.4\""},
        {"1.2 -1.4", "expected a version such as 1.2.3, 1.2 or 1.x at \"-1.4\""},
        {"1.2 - ", "expected a version such as 1.2.3, 1.2 or 1.x at the end"},
        {">1.2 - 1.4", "expected a version such as 1.2.3, 1.2 or 1.x at \"- 1.4\""},
        {"1.2 - >1.4", "expected a version such as 1.2.3, 1.2 or 1.x at \">1.4\""},
        {"1.2.3.4", "expected a version such as 1.2.3, 1.2 or 1.x at \"1.2.3.4\""},
        {"1.2.10.4", "expected a version such as 1.2.3, 1.2 or 1.x at \"1.2.10.4\""},
        {"1.2.3v4", "expected a version such as 1.2.3, 1.2 or 1.x at \"1.2.3v4\""},
        {"1|2", "expected a version such as 1.2.3, 1.2 or 1.x at \"1|2\""},
        {"1.xx", "expected a version such as 1.2.3, 1.2 or 1.x at \"1.xx\""},
        {"1.2x", "expected a version such as 1.2.3, 1.2 or 1.x at \"1.2x\""},
        {"V1", "expected a version such as 1.2.3, 1.2 or 1.x at \"V1\""},
        {"1.2.3-01", "expected a version with a pre-release or build as in 1.2.3-rc.1+5 at \"1.2.3-01\""},
        {"<*", "expected a number in the version at \"<*\""},
        {"!=x.1", "expected a number in the version at \"!=x.1\""},
        {"1 - *", "expected a number in the version at \"*\""},
        {">=18446744073709551616",
         "expected a version such as 1.2.3, 1.2 or 1.x at \"18446744073709551616\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        struct semver_constraint *c = semver_constraint_new(cases[i].constraint, &err);
        if (c)
            fail_msg("\"%s\" is no constraint", cases[i].constraint);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_string_equal(err.text, cases[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_semver_reads_versions),
        cmocka_unit_test(test_semver_refuses_what_is_no_version),
        cmocka_unit_test(test_semver_orders_versions),
        cmocka_unit_test(test_semver_finds_equal_what_differs_in_form),
        cmocka_unit_test(test_semver_constraint_takes_and_leaves),
        cmocka_unit_test(test_semver_constraint_says_where_it_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
