#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static void test_error_gathers_context_on_the_way_up(void **state UNUSED)
{
    struct error err = ERROR_INIT;
    assert_int_equal(error_set(&err, ERROR_NETWORK, "connection to %s refused", "h"), -1);
    assert_int_equal(error_wrap(&err, "tag %d", 5), -1);
    assert_int_equal(error_wrap(&err, "scanning"), -1);
    assert_string_equal(err.text, "scanning: tag 5: connection to h refused");
    assert_int_equal(err.code, ERROR_NETWORK);
}

static void test_error_may_quote_itself(void **state UNUSED)
{
    struct error err = ERROR_INIT;
    error_set(&err, ERROR_IO, "first");
    error_set(&err, ERROR_INVALID, "second after %s", err.text);
    assert_string_equal(err.text, "second after first");
    error_wrap(&err, "(%s)", err.text);
    assert_string_equal(err.text, "(second after first): second after first");
}

static void test_error_keeps_when_to_try_again_until_it_is_set_anew(void **state UNUSED)
{
    struct error err = ERROR_INIT;
    error_set(&err, ERROR_RATE_LIMITED, "slow down");
    err.retry_after_s = 30;
    error_wrap(&err, "x");
    assert_int_equal(err.retry_after_s, 30);
    error_set(&err, ERROR_IO, "y");
    assert_int_equal(err.retry_after_s, 0);
}

static void test_error_text_that_is_too_long_is_cut(void **state UNUSED)
{
    char text[3000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct error err = ERROR_INIT;
    error_set(&err, ERROR_IO, "%s", text);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    error_wrap(&err, "context");
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_int_equal(strncmp(err.text, "context: xxx", 12), 0);
    for (int i = 0; i < 5; i++)
        error_wrap(&err, "%.*s", 1019 + i, text);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void test_error_errno_has_its_reason_and_code(void **state UNUSED)
{
    static const struct {
        int number;
        enum error_code code;
        const char *text;
    } cases[] = {
        {ENOENT, ERROR_NOT_FOUND, "x: No such file or directory"},
        {EACCES, ERROR_FORBIDDEN, "x: Permission denied"},
        {EPERM, ERROR_FORBIDDEN, "x: Operation not permitted"},
        {ETIMEDOUT, ERROR_TIMEOUT, "x: Connection timed out"},
        {EFBIG, ERROR_TOO_LARGE, "x: File too large"},
        {ENOSPC, ERROR_IO, "x: No space left on device"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        assert_int_equal(error_errno(&err, cases[i].number, "x"), -1);
        assert_int_equal(err.code, cases[i].code);
        assert_string_equal(err.text, cases[i].text);
    }
}

static void test_error_may_be_absent(void **state UNUSED)
{
    assert_int_equal(error_set(NULL, ERROR_IO, "x"), -1);
    assert_int_equal(error_wrap(NULL, "x"), -1);
    assert_int_equal(error_errno(NULL, EIO, "x"), -1);
    error_clear(NULL);
}

static void test_error_wrap_of_none_is_a_bug_that_shows(void **state UNUSED)
{
    struct error err = ERROR_INIT;
    error_wrap(&err, "x");
    assert_int_equal(err.code, ERROR_INTERNAL);
    error_clear(&err);
    assert_int_equal(err.code, ERROR_NONE);
    assert_string_equal(err.text, "");
}

static void test_error_codes_have_names_of_their_own(void **state UNUSED)
{
    for (int a = ERROR_NONE; a <= ERROR_INTERNAL; a++) {
        assert_non_null(error_code_name((enum error_code)a));
        for (int b = ERROR_NONE; b < a; b++)
            assert_string_not_equal(error_code_name((enum error_code)a), error_code_name((enum error_code)b));
    }
    assert_string_equal(error_code_name((enum error_code)999), "internal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_gathers_context_on_the_way_up),
        cmocka_unit_test(test_error_may_quote_itself),
        cmocka_unit_test(test_error_keeps_when_to_try_again_until_it_is_set_anew),
        cmocka_unit_test(test_error_text_that_is_too_long_is_cut),
        cmocka_unit_test(test_error_errno_has_its_reason_and_code),
        cmocka_unit_test(test_error_may_be_absent),
        cmocka_unit_test(test_error_wrap_of_none_is_a_bug_that_shows),
        cmocka_unit_test(test_error_codes_have_names_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
