/* Docker configuration files as people have them. dTpw is u:p, dTpwOjp4 is u:p::x. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
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
        {"registry.docker.io", "index.docker.io/me/app", true},
        {"https://registry.hub.docker.com/v1", "index.docker.io/me/app", true},
        {"hub.docker.com", "index.docker.io/me/app", false},
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
        {"*.example.com", "reg.example.com/a", true},
        {"*.EXAMPLE.com/a", "reg.example.com/a/b", true},
        {"https://reg-*.example.com/v1/", "reg-1.example.com/a", true},
        {"reg.*.com", "reg.example.com/a", true},
        {"*.example.com", "example.com/a", false},
        {"*.example.com", "a.reg.example.com/a", false},
        {"*.example.com/b", "reg.example.com/a", false},
        {"*.example.com", "reg.example.com:5000/a", false},
        {"*.example.com:5000", "reg.example.com:5000/a", true},
        {"*.example.com:50*", "reg.example.com:5000/a", false},
        {"*", "reg.example.com/a", false},
        {"https://", "quay.io/a/b", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        snprintf(text, sizeof(text), "{\"auths\":{\"%s\":{\"auth\":\"dTpw\"}}}", cases[i].key);
        CLEANUP(release) struct credentials *c = parse(text);
        struct credential_choice got = {
            .credential = {.username = "x", .password = "x", .identity_token = "x"}};
        struct error err = ERROR_INIT;
        assert_int_equal(credentials_for(c, cases[i].repository, &got, &err), 0);
        if (cases[i].matches != (got.credential.username != NULL))
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
        struct credential_choice got;
        struct error err = ERROR_INIT;
        assert_int_equal(credentials_for(c, cases[i][0], &got, &err), 0);
        assert_string_equal(got.credential.username, cases[i][1]);
    }
}

/* Docker looks for the key that it writes itself before it compares host names. */
static void test_credentials_of_keys_that_cover_as_much(void **state)
{
    static const struct {
        const char *bad, *good, *repository;
    } cases[] = {
        {"https://h.io/v1/", "h.io", "h.io/app"},
        {"http://h.io", "h.io", "h.io/app"},
        {"docker.io", "https://index.docker.io/v1/", "index.docker.io/me/app"},
        {"index.docker.io", "https://index.docker.io/v1/", "index.docker.io/me/app"},
        {"*.io/app", "h.io", "h.io/app"},
        {"*.h.io", "a.h.io", "a.h.io/app"},
        {"*.io", "*.io/app", "h.io/app"},
    };
    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
        const char *const keys[] = {cases[i / 2].bad, cases[i / 2].good};
        char text[256];
        snprintf(text, sizeof(text),
                 "{\"auths\":{\"%s\":{\"username\":\"%s\",\"password\":\"p\"},"
                 "\"%s\":{\"username\":\"%s\",\"password\":\"p\"}}}",
                 keys[i % 2], i % 2 ? "good" : "bad", keys[!(i % 2)], i % 2 ? "bad" : "good");
        CLEANUP(release) struct credentials *c = parse(text);
        struct credential_choice got;
        struct error err = ERROR_INIT;
        assert_int_equal(credentials_for(c, cases[i / 2].repository, &got, &err), 0);
        if (!got.credential.username || strcmp(got.credential.username, "good") != 0)
            fail_msg("%s", text);
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
        {"null", NULL, NULL, NULL, NULL},
        {"{\"auth\":null,\"identitytoken\":null}", NULL, NULL, NULL, NULL},
        {"{\"auth\":17}", NULL, NULL, NULL, "its \"auth\" is not a string"},
        {"{\"username\":\"n\",\"password\":5}", NULL, NULL, NULL, "its \"password\" is not a string"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        snprintf(text, sizeof(text), "{\"auths\":{\"h\":%s,\"other\":{\"auth\":\"dTpw\"}}}", cases[i].entry);
        CLEANUP(release) struct credentials *c = parse(text);
        struct credential_choice got = {.is_listed = false};
        struct error err = ERROR_INIT;
        int result = credentials_for(c, "h/app", &got, &err);
        assert_int_equal(result, cases[i].problem ? -1 : 0);
        if (cases[i].problem) {
            assert_non_null(strstr(err.text, cases[i].problem));
            assert_non_null(strstr(err.text, "config.json: the credentials for h"));
        }
        assert_text(got.credential.username, cases[i].username);
        assert_text(got.credential.password, cases[i].password);
        assert_text(got.credential.identity_token, cases[i].identity_token);
        assert_int_equal(credentials_for(c, "other/app", &got, &err), 0);
        assert_string_equal(got.credential.username, "u");
    }
}

static void test_credentials_helpers(void **state)
{
    static const char text[] =
        "{\"auths\":{\"https://stored\":{},\"explicit\":{\"auth\":\"dTpw\"},\"both\":{\"auth\":\"dTpw\"},"
        "\"aws/path\":{\"auth\":\"dTpw\"},\"own\":{},\"repaired\":{\"auth\":\"!\"}},"
        "\"credsStore\":\"pass\",\"credHelpers\":{\"aws\":\"ecr-login\",\"https://both\":\"x\","
        "\"own\":\"y\",\"repaired\":\"z\",\"outside\":\"../bin/sh\",\"empty\":\"\",\"odd\":17}}";
    static const struct {
        const char *repository, *helper, *server, *username, *problem;
    } cases[] = {
        {"stored/a", "pass", "https://stored", NULL, NULL},
        {"aws/a", "ecr-login", "aws", NULL, NULL},
        {"aws/path/a", NULL, NULL, "u", NULL},
        {"own/a", "y", "own", NULL, NULL},
        {"repaired/a", "z", "repaired", NULL, NULL},
        {"explicit/a", NULL, NULL, "u", NULL},
        {"both/a", NULL, NULL, "u", NULL},
        {"elsewhere/a", "pass", NULL, NULL, NULL},
        {"outside/a", NULL, NULL, NULL,
         "credHelpers: the helper's name (../bin/sh) is not a plain file name"},
        {"empty/a", NULL, NULL, NULL, "not a plain file name"},
        {"odd/a", NULL, NULL, NULL, "is not a string"},
    };
    (void)state;
    CLEANUP(release) struct credentials *c = parse(text);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct credential_choice got = {.is_listed = false};
        struct error err = ERROR_INIT;
        int result = credentials_for(c, cases[i].repository, &got, &err);
        assert_int_equal(result, cases[i].problem ? -1 : 0);
        if (cases[i].problem) {
            assert_int_equal(err.code, ERROR_INVALID);
            assert_non_null(strstr(err.text, cases[i].problem));
            continue;
        }
        assert_text(got.helper, cases[i].helper);
        assert_text(got.server, cases[i].server);
        assert_text(got.credential.username, cases[i].username);
        assert_int_equal(got.is_listed, strcmp(cases[i].repository, "elsewhere/a") != 0);
    }
}

/* To Docker null is the same as nothing. */
static void test_credentials_of_what_is_null(void **state)
{
    (void)state;
    CLEANUP(release)
    struct credentials *c =
        parse("{\"auths\":null,\"credsStore\":null,\"credHelpers\":{\"h\":\"one\"},\"HttpHeaders\":null}");
    struct credential_choice got;
    struct error err = ERROR_INIT;
    assert_int_equal(credentials_for(c, "h/a", &got, &err), 0);
    assert_text(got.helper, "one");
    assert_int_equal(credentials_for(c, "i/a", &got, &err), 0);
    assert_text(got.helper, NULL);
}

static void test_credentials_store_with_a_bad_name(void **state)
{
    (void)state;
    CLEANUP(release)
    struct credentials *c = parse("{\"auths\":{\"h\":{\"auth\":\"dTpw\"}},\"credsStore\":\"/bin/sh\"}");
    struct credential_choice got;
    struct error err = ERROR_INIT;
    assert_int_equal(credentials_for(c, "h/a", &got, &err), 0);
    assert_int_equal(credentials_for(c, "i/a", &got, &err), -1);
    assert_non_null(strstr(err.text, "config.json: credsStore"));
}

static void test_credentials_legacy_layout(void **state)
{
    static const char text[] = "{\"https://index.docker.io/v1/\":{\"auth\":\"dTpw\",\"email\":\"e\"},"
                               "\"quay.io\":{\"username\":\"n\",\"password\":\"w\"}}";
    (void)state;
    CLEANUP(release) struct credentials *c = parse(text);
    struct credential_choice got;
    struct error err = ERROR_INIT;
    assert_int_equal(credentials_for(c, "index.docker.io/library/alpine", &got, &err), 0);
    assert_text(got.credential.username, "u");
    assert_int_equal(credentials_for(c, "quay.io/a", &got, &err), 0);
    assert_text(got.credential.username, "n");
    /* other settings of the newer layout are no hosts */
    CLEANUP(release) struct credentials *newer = parse("{\"HttpHeaders\":{\"User-Agent\":\"x\"}}");
    assert_int_equal(credentials_for(newer, "HttpHeaders/a", &got, &err), 0);
    assert_false(got.is_listed);
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
    struct credential_choice got = {.credential = {.username = "x", .password = "x", .identity_token = "x"}};
    struct error err = ERROR_INIT;
    assert_int_equal(credentials_for(NULL, "h/a", &got, &err), 0);
    assert_null(got.credential.username);
    CLEANUP(release) struct credentials *empty = parse("{}");
    assert_int_equal(credentials_for(empty, "h/a", &got, &err), 0);
    assert_null(got.credential.identity_token);
}

#define LOG_IN(user, word, token)                                                                            \
    {                                                                                                        \
        .username = (user), .password = (word), .identity_token = (token)                                    \
    }
#define OF_SECRET(user, word, uid)                                                                           \
    {                                                                                                        \
        .username = (user), .password = (word), .secret = "shop/regcred", .secret_uid = (uid)                \
    }

static void test_credentials_identity(void **state)
{
    /* {"iss":"i","sub":"a","iat":1}, the same issued later, {"iss":"i","sub":"b"}, {"sub":"a"} */
    static const char first[] = "e30.eyJpc3MiOiJpIiwic3ViIjoiYSIsImlhdCI6MX0.x";
    static const char renewed[] = "e30.eyJpc3MiOiJpIiwic3ViIjoiYSIsImlhdCI6Mn0.y";
    static const char other[] = "e30.eyJpc3MiOiJpIiwic3ViIjoiYiJ9.x";
    static const char nobody[] = "e30.eyJzdWIiOiJhIn0.x";
    static const struct {
        struct credential a, b;
        bool same;
    } cases[] = {
        {LOG_IN(NULL, NULL, NULL), LOG_IN(NULL, NULL, NULL), true},
        {LOG_IN("u", "p", NULL), LOG_IN("u", "q", NULL), true},
        {LOG_IN("u", "p", NULL), LOG_IN("v", "p", NULL), false},
        {LOG_IN(NULL, NULL, "t"), LOG_IN(NULL, NULL, "t"), true},
        {LOG_IN(NULL, NULL, "t"), LOG_IN(NULL, NULL, "s"), false},
        {LOG_IN(NULL, NULL, first), LOG_IN(NULL, NULL, renewed), true},
        {LOG_IN(NULL, NULL, first), LOG_IN(NULL, NULL, other), false},
        {LOG_IN(NULL, NULL, nobody), LOG_IN(NULL, NULL, first), false},
        {LOG_IN("u", "", first), LOG_IN(NULL, NULL, first), false},
        {LOG_IN(NULL, NULL, "a.b.c"), LOG_IN(NULL, NULL, "a.b.d"), false},
        {OF_SECRET("u", "p", "1-2"), OF_SECRET("u", "q", "1-2"),
         true}, /* a new password in the same Secret */
        {OF_SECRET("u", "p", "1-2"), OF_SECRET("v", "p", "1-2"), false},
        {OF_SECRET("u", "p", "1-2"), OF_SECRET("u", "p", "1-3"), false},
        {OF_SECRET("u", "p", "1-2"), LOG_IN("u", "p", NULL), false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *a = credential_identity(&cases[i].a), *b = credential_identity(&cases[i].b);
        if (!strcmp(a, b) != cases[i].same)
            fail_msg("case %zu: %s and %s", i, a, b);
        assert_null(strstr(a, "eyJ"));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_credentials_match_key),
        cmocka_unit_test(test_credentials_longest_path_wins),
        cmocka_unit_test(test_credentials_of_keys_that_cover_as_much),
        cmocka_unit_test(test_credentials_entry_forms),
        cmocka_unit_test(test_credentials_helpers),
        cmocka_unit_test(test_credentials_of_what_is_null),
        cmocka_unit_test(test_credentials_store_with_a_bad_name),
        cmocka_unit_test(test_credentials_legacy_layout),
        cmocka_unit_test(test_credentials_identity),
        cmocka_unit_test(test_credentials_file_problems),
        cmocka_unit_test(test_credentials_none_is_anonymous),
    };
    return cmocka_run_group_tests_name("credentials", tests, NULL, NULL);
}
