#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "daemon/webhook_token.h"

/* The fixture was issued at 1000 and expires at 4600 (seconds), for "pawl", by a@b.c; its key is named "one". */
struct fixture {
    struct strbuf token, keys;
};

static int read_fixture(void **state)
{
    static struct fixture fixture = {.token = STRBUF_INIT, .keys = STRBUF_INIT};
    *state = &fixture;
    return file_read(FIXTURES "/webhook_token/token", 10000, &fixture.token, NULL) < 0 ||
           file_read(FIXTURES "/webhook_token/keys.json", 10000, &fixture.keys, NULL) < 0;
}

static int release_fixture(void **state)
{
    struct fixture *fixture = *state;
    strbuf_release(&fixture->token);
    strbuf_release(&fixture->keys);
    return 0;
}

static const struct webhook_token_rules good = {
    .audience = "pawl", .issuer = "https://accounts.google.com", .account = "a@b.c"};

static void assert_verified(const char *token, const char *keys, const struct webhook_token_rules *rules,
                            int64_t now_s, enum error_code code, const char *words)
{
    struct error err = ERROR_INIT;
    assert_int_equal(webhook_token_verify(token, keys, rules, now_s * 1000, &err), code ? -1 : 0);
    assert_int_equal(err.code, code);
    if (!strstr(err.text, words))
        fail_msg("no \"%s\" in: %s", words, err.text);
}

static void test_webhook_token_checks_time_and_claims(void **state)
{
    static const struct {
        struct webhook_token_rules rules;
        int64_t now_s;
        const char *words; /* "": it is good */
    } cases[] = {
        {{"pawl", "https://accounts.google.com", "a@b.c"}, 2000, ""},
        {{"pawl", "accounts.google.com", NULL}, 2000, ""},
        {{"pawl", "https://accounts.google.com", NULL}, 4600 + WEBHOOK_TOKEN_SKEW_S, ""},
        {{"pawl", "https://accounts.google.com", NULL}, 4601 + WEBHOOK_TOKEN_SKEW_S, "expired"},
        {{"pawl", "https://accounts.google.com", NULL}, 1000 - WEBHOOK_TOKEN_SKEW_S, ""},
        {{"pawl", "https://accounts.google.com", NULL}, 999 - WEBHOOK_TOKEN_SKEW_S, "future"},
        {{"paw", "https://accounts.google.com", NULL}, 2000, "audience"},
        {{"pawl", "https://accounts.google.co", NULL}, 2000, "issuer"},
        {{"pawl", "https://accounts.google.com", "b@b.c"}, 2000, "account"},
    };
    const struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_verified(fixture->token.buf, fixture->keys.buf, &cases[i].rules, cases[i].now_s,
                        *cases[i].words ? ERROR_UNAUTHORIZED : ERROR_NONE, cases[i].words);
}

static void test_webhook_token_notices_every_changed_letter(void **state)
{
    const struct fixture *fixture = *state;
    AUTO_FREE char *token = xstrdup(fixture->token.buf);
    for (size_t i = 0; token[i]; i++) {
        char was = token[i];
        if (was == '.' || !token[i + 1] || token[i + 1] == '.')
            continue; /* the last letter of a part has bits that mean nothing */
        token[i] = was == 'A' ? 'B' : 'A';
        struct error err = ERROR_INIT;
        assert_int_equal(webhook_token_verify(token, fixture->keys.buf, &good, 2000000, &err), -1);
        token[i] = was;
    }
    assert_verified(token, fixture->keys.buf, &good, 2000, ERROR_NONE, "");
}

static void test_webhook_token_asks_for_keys_that_are_missing(void **state)
{
    static const char *const sets[] = {"", "{}", "{\"keys\":[]}",
                                       "{\"keys\":[{\"kid\":\"two\",\"kty\":\"RSA\"}]}",
                                       "{\"keys\":[{\"kid\":\"one\",\"kty\":\"EC\"}]}"};
    const struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LEN(sets); i++)
        assert_verified(fixture->token.buf, sets[i], &good, 2000, ERROR_NOT_FOUND, "key");
    assert_verified(fixture->token.buf,
                    "{\"keys\":[{\"kid\":\"one\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", &good,
                    2000, ERROR_UNAUTHORIZED, "signature");
}

static void test_webhook_token_refuses_what_is_no_token(void **state)
{
    static const char *const tokens[] = {"", ".", "..", "a.b.c", "e30.e30.e30", "a.b", "a.b.c.d"};
    const struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++)
        assert_verified(tokens[i], fixture->keys.buf, &good, 2000, ERROR_UNAUTHORIZED, "token");
    /* {"alg":"none","kid":"one"} and {"alg":"HS256","kid":"one"} */
    assert_verified("eyJhbGciOiJub25lIiwia2lkIjoib25lIn0.e30.AAAA", fixture->keys.buf, &good, 2000,
                    ERROR_UNAUTHORIZED, "RS256 is expected");
    assert_verified("eyJhbGciOiJIUzI1NiIsImtpZCI6Im9uZSJ9.e30.AAAA", fixture->keys.buf, &good, 2000,
                    ERROR_UNAUTHORIZED, "RS256 is expected");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_webhook_token_checks_time_and_claims),
        cmocka_unit_test(test_webhook_token_notices_every_changed_letter),
        cmocka_unit_test(test_webhook_token_asks_for_keys_that_are_missing),
        cmocka_unit_test(test_webhook_token_refuses_what_is_no_token),
    };
    return cmocka_run_group_tests(tests, read_fixture, release_fixture);
}
