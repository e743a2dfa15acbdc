#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "daemon/webhook_keys.h"

static void test_webhook_keys_compares_whole_texts(void **state UNUSED)
{
    static const struct {
        const char *a, *b;
        bool is_same;
    } cases[] = {{"abc", "abc", true},   {"abc", "abd", false}, {"abc", "abcd", false},
                 {"abcd", "abc", false}, {"", "", true},        {"", "a", false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(webhook_is_same(cases[i].a, cases[i].b), cases[i].is_same);
}

static void test_webhook_keys_checks_signatures(void **state UNUSED)
{
    /* RFC 4231, test case 2 */
    static const char key[] = "Jefe", text[] = "what do ya want for nothing?";
    static const char good[] = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_true(webhook_is_signed(key, text, strlen(text), good));
    assert_false(webhook_is_signed(key, text, strlen(text) - 1, good));
    assert_false(webhook_is_signed("jefe", text, strlen(text), good));
    static const char *const bad[] = {
        NULL,
        "",
        "sha256=",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        "sha1=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec384",
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec38430"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(webhook_is_signed(key, text, strlen(text), bad[i]));
}

static void test_webhook_keys_checks_signatures_of_nexus(void **state UNUSED)
{
    /* RFC 2202, test case 2 */
    static const char text[] = "what do ya want for nothing?";
    assert_true(
        webhook_is_signed_by_nexus("Jefe", text, strlen(text), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"));
    /* printf %s '{"a b":["x \\" y",1]}' | openssl dgst -sha1 -hmac secret */
    static const char good[] = "64e2142fad3832f2e6a69ea9e8eb258c6c9c0caf";
    static const struct {
        const char *body;
        bool is_signed;
    } cases[] = {
        {"{\"a b\":[\"x \\\" y\",1]}", true},   {" {\"a b\" :\n\t[ \"x \\\" y\", 1]}\r\n", true},
        {"{\"ab\":[\"x \\\" y\",1]}", false},   {"{\"a b\":[\"x \\\"y\",1]}", false},
        {"{\"a b\":[\"x \\\" y\",1]}x", false}, {"", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(webhook_is_signed_by_nexus("secret", cases[i].body, strlen(cases[i].body), good),
                         cases[i].is_signed);
    static const char *const bad[] = {NULL, "", "sha1=64e2142fad3832f2e6a69ea9e8eb258c6c9c0caf",
                                      "64e2142fad3832f2e6a69ea9e8eb258c6c9c0caf0"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(webhook_is_signed_by_nexus("secret", cases[0].body, strlen(cases[0].body), bad[i]));
    assert_false(webhook_is_signed_by_nexus("Secret", cases[0].body, strlen(cases[0].body), good));
}

static void test_webhook_keys_finds_whole_keys(void **state UNUSED)
{
    char first[] = "first-key-of-the-test", second[] = "second-key-of-the-test", secret[] = "x";
    struct webhook_key items[] = {{first, secret, true}, {second, second, false}};
    const struct webhook_keys keys = {.items = items, .len = 2};
    assert_ptr_equal(webhook_keys_find(&keys, first), &items[0]);
    assert_ptr_equal(webhook_keys_find(&keys, second), &items[1]);
    assert_null(webhook_keys_find(&keys, "first-key-of-the-tes"));
    assert_null(webhook_keys_find(&keys, ""));
    assert_null(webhook_keys_find(&(struct webhook_keys)WEBHOOK_KEYS_INIT, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_webhook_keys_compares_whole_texts),
        cmocka_unit_test(test_webhook_keys_checks_signatures),
        cmocka_unit_test(test_webhook_keys_checks_signatures_of_nexus),
        cmocka_unit_test(test_webhook_keys_finds_whole_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
