#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/tag_order.h"

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

/* Each comes after the one before it, and so the order is total over all of them. */
static void test_tag_order_is_natural_and_total(void **state)
{
    (void)state;
    static const char *const ascending[] = {
        "",
        "-",
        "0",
        "00",
        "1",
        "1.02",
        "1.2",
        "1.2-rc",
        "1.2.0",
        "1.9",
        "1.09.5",
        "1.9.5",
        "1.10",
        "9",
        "10",
        "99999999999999999999998",
        "99999999999999999999999",
        "100000000000000000000000",
        "LATEST",
        "latest",
        "main",
        "main-9",
        "main-10",
        "main-010-b",
        "main-10-b",
        "maina",
        "v1",
        "v2",
        "v10",
    };
    for (size_t i = 0; i < ARRAY_LEN(ascending); i++) {
        for (size_t j = 0; j < ARRAY_LEN(ascending); j++) {
            int order = tag_compare_natural(ascending[i], ascending[j]);
            if (sign(order) != (i > j) - (i < j))
                fail_msg("\"%s\" against \"%s\": %d", ascending[i], ascending[j], order);
        }
    }
}

static void test_tag_order_compares_versions_of_one_shape(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int order;
    } cases[] = {
        {"1.2.3", "1.10.0", -1},
        {"1.2.3", "1.2.3", 0},
        {"1.2.3", "1.02.3", 0},
        {"v1.3", "v1.2", 1},
        {"1.2.3-alpine", "1.2.4-alpine", -1},
        {"v1.2-alpine3.18", "v1.2-alpine3.9", 1},
        {"1.0-rc9", "1.0-rc10", -1},
        {"1.0-rc.2", "1.0-rc.10", -1},
        {"2-rc.1", "1-rc.2", 1},
        {"20190101", "20181231", 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int order;
        if (!tag_compare_versions(cases[i].a, cases[i].b, &order))
            fail_msg("%s and %s have the same shape", cases[i].a, cases[i].b);
        assert_int_equal(sign(order), cases[i].order);
        assert_true(tag_compare_versions(cases[i].b, cases[i].a, &order));
        assert_int_equal(sign(order), -cases[i].order);
    }
}

static void test_tag_order_leaves_versions_of_other_shapes(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"1.2.3", "1.2"},
        {"v1.2.3", "1.2.4"},
        {"1.2.3", "1.2.4-alpine"},
        {"1.2.3-rc.1", "1.2.3"},
        {"1.2-alpine", "1.3-slim"},
        {"1.2-a1", "1.2-a"},
        {"main-1", "main-2"},
        {"1.2.3.4", "1.2.3.5"},
        {"1.2.3", "main"},
        {"1.2-a.1", "1.2-a.1.1"},
        {"1.2", "1.18446744073709551616"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int order = 42;
        if (tag_compare_versions(cases[i][0], cases[i][1], &order) ||
            tag_compare_versions(cases[i][1], cases[i][0], &order))
            fail_msg("%s and %s are not versions of one shape", cases[i][0], cases[i][1]);
        assert_int_equal(order, 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tag_order_is_natural_and_total),
        cmocka_unit_test(test_tag_order_compares_versions_of_one_shape),
        cmocka_unit_test(test_tag_order_leaves_versions_of_other_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
