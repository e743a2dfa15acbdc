/* Helpers are shell scripts here, put first in PATH; the folder goes away at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "scanner/credential_helper.h"

static char directory[] = "/tmp/pawl-test-XXXXXX";

static void write_helper(const char *script)
{
    AUTO_FREE char *path = xasprintf("%s/docker-credential-test", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", script);
    fclose(file);
    assert_int_equal(chmod(path, 0700), 0);
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    AUTO_FREE char *path = xasprintf("%s:%s", directory, getenv("PATH"));
    return setenv("PATH", path, 1);
}

static int tear_down(void **state)
{
    (void)state;
    AUTO_FREE char *path = xasprintf("%s/docker-credential-test", directory);
    unlink(path);
    return rmdir(directory);
}

static void assert_text(const char *got, const char *expected)
{
    if (expected)
        assert_string_equal(got, expected);
    else
        assert_null(got);
}

static void test_credential_helper_answers(void **state)
{
    static const struct {
        const char *script;
        enum error_code code;
        const char *username, *password, *identity_token, *words;
    } cases[] = {
        {"read s; echo "
         "\"{\\\"ServerURL\\\":\\\"$s\\\",\\\"Username\\\":\\\"$1-$s\\\",\\\"Secret\\\":\\\"x:y\\\"}\"",
         ERROR_NONE, "get-reg:5000", "x:y", NULL, NULL},
        {"cat >/dev/null; echo '{\"Username\":\"<token>\",\"Secret\":\"idt\"}'", ERROR_NONE, NULL, NULL,
         "idt", NULL},
        {"echo '{\"Username\":\"u\",\"Secret\":\"s\"}'", ERROR_NONE, "u", "s", NULL, NULL},
        {"echo '{\"Username\":\"\",\"Secret\":\"\"}'", ERROR_NONE, NULL, NULL, NULL, NULL},
        {"echo 'credentials not found in native keychain'; exit 1", ERROR_NONE, NULL, NULL, NULL, NULL},
        {"echo 'the vault is sealed'; exit 3", ERROR_UNAUTHORIZED, NULL, NULL, NULL,
         "failed with 3: the vault is sealed"},
        {"echo 'on the other channel' >&2; exit 1", ERROR_UNAUTHORIZED, NULL, NULL, NULL,
         "on the other channel"},
        {"exit 1", ERROR_UNAUTHORIZED, NULL, NULL, NULL, "said nothing"},
        {"printf 'a\\033[2Jb'; exit 1", ERROR_UNAUTHORIZED, NULL, NULL, NULL, "a [2Jb"},
        {"echo hidden-value", ERROR_INVALID, NULL, NULL, NULL, "no JSON object"},
        {"echo '{\"Username\":\"hidden-value\"}'", ERROR_INVALID, NULL, NULL, NULL, "no JSON object"},
        {"printf %s '{\"Username\":\"<token>\",\"Secret\":\"hidden-value\\n\"}'", ERROR_INVALID, NULL, NULL,
         NULL, "control"},
        {"printf %s '{\"Username\":\"a\\n\",\"Secret\":\"hidden-value\"}'", ERROR_INVALID, NULL, NULL, NULL,
         "control"},
        /* the key of a Google service account is a password of many lines */
        {"printf %s '{\"Username\":\"_json_key\",\"Secret\":\"{\\n \\\"x\\\": 1\\n}\\n\"}'", ERROR_NONE,
         "_json_key", "{\n \"x\": 1\n}\n", NULL, NULL},
        {"exec sleep 20", ERROR_TIMEOUT, NULL, NULL, NULL, "docker-credential-test"},
        {"while :; do echo x; sleep 0.05; done", ERROR_TIMEOUT, NULL, NULL, NULL, "docker-credential-test"},
        {"exec cat /dev/zero", ERROR_TOO_LARGE, NULL, NULL, NULL, "1048576"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct credential_grant grant = CREDENTIAL_GRANT_INIT;
        struct error err = ERROR_INIT;
        int64_t started_ms = clock_monotonic_ms(&system_clock);
        int64_t timeout_ms = cases[i].code == ERROR_TIMEOUT ? 300 : 20000;
        write_helper(cases[i].script);
        int result = credential_helper_get("test", "reg:5000", timeout_ms, &grant, &err);
        if (err.code != cases[i].code || result != (cases[i].code ? -1 : 0))
            fail_msg("%s: %d %s", cases[i].script, result, err.text);
        assert_text(grant.username, cases[i].username);
        assert_text(grant.password, cases[i].password);
        assert_text(grant.identity_token, cases[i].identity_token);
        if (cases[i].words && !strstr(err.text, cases[i].words))
            fail_msg("%s: %s", cases[i].script, err.text);
        assert_null(strstr(err.text, "hidden-value"));
        assert_true(clock_monotonic_ms(&system_clock) - started_ms < 10000);
        credential_grant_release(&grant);
    }
}

static void test_credential_helper_names(void **state)
{
    static const struct {
        const char *name;
        enum error_code code;
    } cases[] = {{"no-such-helper", ERROR_NOT_FOUND}, {"", ERROR_INVALID},    {"a/b", ERROR_INVALID},
                 {"../../sh", ERROR_INVALID},         {"a b", ERROR_INVALID}, {"a;b", ERROR_INVALID},
                 {"gcr_1.0-x", ERROR_NOT_FOUND},      {"a\nb", ERROR_INVALID}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct credential_grant grant = CREDENTIAL_GRANT_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(credential_helper_get(cases[i].name, "h", 5000, &grant, &err), -1);
        if (err.code != cases[i].code)
            fail_msg("%s: %s", cases[i].name, err.text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_credential_helper_answers),
        cmocka_unit_test(test_credential_helper_names),
    };
    return cmocka_run_group_tests_name("credential_helper", tests, set_up, tear_down);
}
