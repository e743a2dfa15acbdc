/* Docker configuration files as people have them. dTpw is u:p, dTpwOjp4 is u:p::x. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scanner/credentials.h"

static void release(struct credentials **credentials)
{
    credentials_free(*credentials);
}

static struct credentials *parse(const char *text)
{
    struct error err = ERROR_INIT;
    struct credentials *c = credentials_parse(text, strlen(text), "config.json", &err);
    if (!c)
        fail_msg("%s", err.text);
    return c;
}

static void assert_text(const char *got, const char *expected)
{
    if (expected)
        assert_string_equal(got, expected);
    else
        assert_null(got);
}

static void test_credentials_match_key(void **state)
{
    static const struct {
        const char *key, *repository;
        bool matches;
    } cases[] = {
        {"https://index.docker.io/v1/", "index.docker.io/library/alpine", true},
        {"index.docker.io", "index.docker.io/library/alpine", true},
        {"docker.io", "index.docker.io/library/alpine", true},
        {"https://docker.io/", "index.docker.io/me/app", true},
        {"registry-1.docker.io", "index.docker.io/me/app", true},
        {"https://registry-1.docker.io/v2/", "index.docker.io/me/app", true},
        {"docker.io/me", "index.docker.io/me/app", true},
        {"docker.io/me", "index.docker.io/meme/app", false},
        {"quay.io", "quay.io/a/b", true},
        {"QUAY.io", "quay.io/a/b", true},
        {"https://quay.io", "quay.io/a/b", true},
        {"http://quay.io/v2/", "quay.io/a/b", true},
        {"quay.io/a", "quay.io/a/b", true},
        {"quay.io/a/", "quay.io/a/b", true},
        {"quay.io/a/b", "quay.io/a/b", true},
        {"quay.io/a/b/c", "quay.io/a/b", false},
        {"quay.io/v2/a", "quay.io/a/b", false},
        {"quay.io:443", "quay.io/a/b", false},
        {"reg:5000", "reg:5000/app", true},
        {"reg", "reg:5000/app", false},
        {"", "quay.io/a/b", false},
        {"https://", "quay.io/a/b", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        snprintf(text, sizeof(text), "{\"auths\":{\"%s\":{\"auth\":\"dTpw\"}}}", cases[i].key);
        CLEANUP(release) struct credentials *c = parse(text);
        struct credential got = {"x", "x", "x"};
        struct error err = ERROR_INIT;
        assert_int_equal(credentials_for(c, cases[i].repository, &got, &err), 0);
        if (cases[i].matches != (got.username != NULL))
            fail_msg("%s for %s", cases[i].key, cases[i].repository);
    }
}

static void test_credentials_longest_path_wins(void **state)
{
    static const char text[] = "{\"auths\":{"
                               "\"h/a\":{\"username\":\"a\",\"password\":\"1\"},"
                               "\"h/a/b\":{\"username\":\"ab\",\"password\":\"2\"},"
                               "\"h\":{\"username\":\"h\",\"password\":\"3\"}}}";
    static const char *const cases[][2] = {
        {"h/a/b", "ab"}, {"h/a/b/c", "ab"}, {"h/a/bc", "a"}, {"h/a", "a"}, {"h/z", "h"}};
    (void)state;
    CLEANUP(release) struct credentials *c = parse(text);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct credential got;
        struct error err = ERROR_INIT;
        assert_int_equal(credentials_for(c, cases[i][0], &got, &err), 0);
        assert_string_equal(got.username, cases[i][1]);
    }
}

static void test_credentials_entry_forms(void **state)
{
    static const struct {
        const char *entry, *username, *password, *identity_token, *problem;
    } cases[] = {
        {"{\"auth\":\"dTpw\"}", "u", "p", NULL, NULL},
        {"{\"auth\":\"dTpwOjp4\"}", "u", "p::x", NULL, NULL},
        {"{\"auth\":\"dTo=\"}", "u", "", NULL, NULL},
        {"{\"username\":\"n\",\"password\":\"w\"}", "n", "w", NULL, NULL},
        {"{\"auth\":\"dTpw\",\"username\":\"n\",\"password\":\"w\"}", "u", "p", NULL, NULL},
        {"{\"auth\":\"dTo=\",\"identitytoken\":\"t\"}", "u", "", "t", NULL},
        {"{\"identitytoken\":\"t\"}", NULL, NULL, "t", NULL},
        {"{}", NULL, NULL, NULL, NULL},
        {"{\"auth\":\"\"}", NULL, NULL, NULL, NULL},
        {"{\"auth\":\"!!!\"}", NULL, NULL, NULL, "not base64"},
        {"{\"auth\":\"dXA=\"}", NULL, NULL, NULL, "user:password"},
        {"{\"registrytoken\":\"x\"}", NULL, NULL, NULL, "registrytoken"},
        {"17", NULL, NULL, NULL, "not a JSON object"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        snprintf(text, sizeof(text), "{\"auths\":{\"h\":%s,\"other\":{\"auth\":\"dTpw\"}}}", cases[i].entry);
        CLEANUP(release) struct credentials *c = parse(text);
        struct credential got = {NULL, NULL, NULL};
        struct error err = ERROR_INIT;
        int result = credentials_for(c, "h/app", &got, &err);
        assert_int_equal(result, cases[i].problem ? -1 : 0);
        if (cases[i].problem) {
            assert_non_null(strstr(err.text, cases[i].problem));
            assert_non_null(strstr(err.text, "config.json: the credentials for h"));
        }
        assert_text(got.username, cases[i].username);
        assert_text(got.password, cases[i].password);
        assert_text(got.identity_token, cases[i].identity_token);
        assert_int_equal(credentials_for(c, "other/app", &got, &err), 0);
        assert_string_equal(got.username, "u");
    }
}

static void test_credentials_helpers_are_refused_where_they_cover(void **state)
{
    static const char text[] =
        "{\"auths\":{\"stored\":{},\"explicit\":{\"auth\":\"dTpw\"},\"both\":{\"auth\":\"dTpw\"}},"
        "\"credsStore\":\"secretservice\",\"credHelpers\":{\"aws\":\"ecr-login\",\"https://both\":\"x\"}}";
    static const struct {
        const char *repository, *problem, *username;
    } cases[] = {
        {"stored/a", "docker-credential-secretservice", NULL},
        {"aws/a", "docker-credential-ecr-login", NULL},
        {"explicit/a", NULL, "u"},
        {"both/a", NULL, "u"},
        {"elsewhere/a", NULL, NULL},
    };
    (void)state;
    CLEANUP(release) struct credentials *c = parse(text);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct credential got = {NULL, NULL, NULL};
        struct error err = ERROR_INIT;
        int result = credentials_for(c, cases[i].repository, &got, &err);
        assert_int_equal(result, cases[i].problem ? -1 : 0);
        if (cases[i].problem) {
            assert_int_equal(err.code, ERROR_UNSUPPORTED);
            assert_non_null(strstr(err.text, cases[i].problem));
        }
        assert_text(got.username, cases[i].username);
    }
}

static void test_credentials_file_problems(void **state)
{
    static const char *const cases[] = {"", "[]", "{\"auths\":[]}", "{\"auths\":", "17"};
    (void)state;
    struct error err = ERROR_INIT;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_null(credentials_parse(cases[i], strlen(cases[i]), "config.json", &err));
        assert_int_equal(err.code, ERROR_INVALID);
        assert_non_null(strstr(err.text, "config.json"));
    }
    assert_null(credentials_load("/nonexistent/config.json", &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void test_credentials_none_is_anonymous(void **state)
{
    (void)state;
    struct credential got = {"x", "x", "x"};
    struct error err = ERROR_INIT;
    assert_int_equal(credentials_for(NULL, "h/a", &got, &err), 0);
    assert_null(got.username);
    CLEANUP(release) struct credentials *empty = parse("{}");
    assert_int_equal(credentials_for(empty, "h/a", &got, &err), 0);
    assert_null(got.identity_token);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_credentials_match_key),
        cmocka_unit_test(test_credentials_longest_path_wins),
        cmocka_unit_test(test_credentials_entry_forms),
        cmocka_unit_test(test_credentials_helpers_are_refused_where_they_cover),
        cmocka_unit_test(test_credentials_file_problems),
        cmocka_unit_test(test_credentials_none_is_anonymous),
    };
    return cmocka_run_group_tests_name("credentials", tests, NULL, NULL);
}
