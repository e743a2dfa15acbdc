#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "scanner/auth_challenge.h"

static void assert_text(const char *got, const char *expected)
{
    if (expected)
        assert_string_equal(got ? got : "(null)", expected);
    else
        assert_null(got);
}

static void test_auth_challenge_fields(void **state)
{
    static const struct {
        const char *field;
        enum auth_scheme scheme;
        const char *realm, *service, *scope, *error;
    } cases[] = {
        {"Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
         "scope=\"repository:library/alpine:pull\"",
         AUTH_BEARER, "https://auth.docker.io/token", "registry.docker.io", "repository:library/alpine:pull",
         NULL},
        {"bearer REALM=\"r\" , service=s,error=invalid_token", AUTH_BEARER, "r", "s", NULL, "invalid_token"},
        {"Bearer realm=https://h/t?a=b,service=s", AUTH_BEARER, "https://h/t?a=b", "s", NULL, NULL},
        {"Bearer realm = \"r\"", AUTH_BEARER, "r", NULL, NULL, NULL},
        {"Bearer realm=\"a \\\"quoted\\\", one\"", AUTH_BEARER, "a \"quoted\", one", NULL, NULL, NULL},
        {"Bearer realm=\"one\",realm=\"two\"", AUTH_BEARER, "one", NULL, NULL, NULL},
        {"Basic realm=\"Registry\"", AUTH_BASIC, "Registry", NULL, NULL, NULL},
        {"Basic", AUTH_BASIC, NULL, NULL, NULL, NULL},
        {"Basic realm=\"x\", Bearer realm=\"r\",service=\"s\"", AUTH_BEARER, "r", "s", NULL, NULL},
        {"Bearer realm=\"r\", Basic realm=\"x\"", AUTH_BEARER, "r", NULL, NULL, NULL},
        {"Negotiate, NTLM, Basic realm=\"x\"", AUTH_BASIC, "x", NULL, NULL, NULL},
        {"Digest realm=\"d\", nonce=\"a,b\", qop=\"auth\", Basic realm=b", AUTH_BASIC, "b", NULL, NULL, NULL},
        {"Negotiate YII==, Basic realm=\"x\"", AUTH_BASIC, "x", NULL, NULL, NULL},
        {"Bearer", AUTH_NONE, NULL, NULL, NULL, NULL},
        {"Bearer service=\"s\"", AUTH_NONE, NULL, NULL, NULL, NULL},
        {"Bearer realm=\"open", AUTH_NONE, NULL, NULL, NULL, NULL},
        {"Basic realm=\"x\", Bearer realm=\"open", AUTH_BASIC, "x", NULL, NULL, NULL},
        {"=\"\"", AUTH_NONE, NULL, NULL, NULL, NULL},
        {", ,", AUTH_NONE, NULL, NULL, NULL, NULL},
        {"", AUTH_NONE, NULL, NULL, NULL, NULL},
        {NULL, AUTH_NONE, NULL, NULL, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct auth_challenge got;
        auth_challenge_parse(cases[i].field, &got);
        if (got.scheme != cases[i].scheme)
            fail_msg("%s: scheme %d", cases[i].field, (int)got.scheme);
        assert_text(got.realm, cases[i].realm);
        assert_text(got.service, cases[i].service);
        assert_text(got.scope, cases[i].scope);
        assert_text(got.error, cases[i].error);
        auth_challenge_release(&got);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_auth_challenge_fields)};
    return cmocka_run_group_tests_name("auth_challenge", tests, NULL, NULL);
}
