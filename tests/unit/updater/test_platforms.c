#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/platforms.h"

static void test_platforms_are_compared_as_runtimes_do(void **state)
{
    (void)state;
    static const struct {
        const char *required, *offered, *missing;
    } cases[] = {
        {"linux/amd64", "linux/amd64", NULL},
        {"linux/amd64", "linux/amd64 linux/arm64", NULL},
        {"linux/arm64", "linux/amd64", "linux/arm64"},
        {"linux/arm64", "", "linux/arm64"},
        {"linux/arm64/v8", "linux/arm64", NULL},
        {"linux/arm64", "linux/amd64 linux/arm64/v8", NULL},
        {"linux/amd64", "linux/amd64/v1", NULL},
        {"linux/amd64", "linux/amd64/v3", "linux/amd64"},
        {"linux/amd64/v3", "linux/amd64", "linux/amd64/v3"},
        {"linux/arm64", "linux/arm64/v9", "linux/arm64"},
        {"linux/arm", "linux/arm/v7", NULL},
        {"linux/arm", "linux/arm64", "linux/arm"},
        {"linux/arm/v7", "linux/arm/v6 linux/arm/v7", NULL},
        {"linux/arm/v7", "linux/arm", "linux/arm/v7"},
        {"linux/amd64", "xlinux/amd64 linux/amd644", "linux/amd64"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strvec_release) struct strvec required = STRVEC_INIT;
        strvec_push(&required, cases[i].required);
        const char *missing = platforms_missing(&required, cases[i].offered);
        if (strcmp(missing ? missing : "-", cases[i].missing ? cases[i].missing : "-") != 0)
            fail_msg("%s of %s: %s", cases[i].required, cases[i].offered, missing);
    }
    CLEANUP(strvec_release) struct strvec none = STRVEC_INIT;
    assert_null(platforms_missing(&none, ""));
}

static void test_platforms_have_a_form(void **state)
{
    (void)state;
    static const char *const good[] = {"linux/amd64", "linux/arm/v7", "windows/amd64", "linux/386"};
    static const char *const bad[] = {"",          "linux",          "linux/",      "/amd64",
                                      "linux//v7", "linux/arm/v7/x", "Linux/amd64", "a b/c"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(platform_is_valid(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(platform_is_valid(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_platforms_are_compared_as_runtimes_do),
        cmocka_unit_test(test_platforms_have_a_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
