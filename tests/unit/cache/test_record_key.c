#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "cache/record_key.h"

static void test_record_key_of_a_repository_says_what_it_is(void **state UNUSED)
{
    static const struct {
        const char *scope, *platform, *identity;
    } cases[] = {
        {"linux/amd64 ", "linux/amd64", "anonymous"},
        {"linux/arm/v7 user:ann", "linux/arm/v7", "user"},
        {"linux/amd64 token:0123", "linux/amd64", "token"},
        {"linux/amd64 user:a b:c|d", "linux/amd64", "user"},
        {"linux/amd64 no kind", "linux/amd64", "credentials"},
        {"linux/amd64 :", "linux/amd64", "credentials"},
        {"linux/amd64 areallylongkindofthing:x", "linux/amd64", "credentials"},
        {"linux/amd64 UP:x", "linux/amd64", "credentials"},
        {"", "", "anonymous"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(record_key_release) struct record_key parsed;
        AUTO_FREE char *key = record_key_repository("quay.io/a/b", cases[i].scope);
        record_key_parse(key, &parsed);
        assert_int_equal(parsed.kind, RECORD_REPOSITORY);
        assert_string_equal(parsed.repository, "quay.io/a/b");
        assert_string_equal(parsed.platform, cases[i].platform);
        assert_string_equal(parsed.identity, cases[i].identity);
        assert_int_equal(strspn(parsed.scope, "0123456789abcdef"), 8);
        assert_int_equal(strlen(parsed.scope), 8);
    }
}

static void test_record_key_names_nobody(void **state UNUSED)
{
    AUTO_FREE char *ann = record_key_repository("quay.io/a/b", "linux/amd64 user:ann");
    AUTO_FREE char *bob = record_key_repository("quay.io/a/b", "linux/amd64 user:bob");
    assert_null(strstr(ann, "ann"));
    assert_string_not_equal(ann, bob);
}

static void test_record_key_of_anything_has_a_kind(void **state UNUSED)
{
    static const struct {
        const char *key;
        enum record_kind kind;
    } cases[] = {
        {"pawl3|facts|sha256:00|linux/amd64", RECORD_FACTS},
        {"pawl3|something|else", RECORD_OTHER},
        {"sha256-0011223344", RECORD_OTHER},
        {"pawl1|facts|sha256:00|linux/amd64", RECORD_FOREIGN},
        {"pawl2|created|sha256:00|linux/amd64", RECORD_FOREIGN},
        {"", RECORD_FOREIGN},
        {"pawl3|repository|", RECORD_OTHER},
        {"pawl3|repository|a/b|linux/amd64|user", RECORD_OTHER},
        {"pawl3|repository|a/b|linux/amd64|user|00112233", RECORD_OTHER},
        {"pawl3|repository|a/b|linux/amd64|user|sha256-0011|more", RECORD_OTHER},
        {"pawl3|repository|a/b|linux/amd64|user|sha256-", RECORD_REPOSITORY},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(record_key_release) struct record_key parsed;
        record_key_parse(cases[i].key, &parsed);
        if (parsed.kind != cases[i].kind)
            fail_msg("%s is of kind %d", cases[i].key, (int)parsed.kind);
        assert_int_equal(parsed.repository != NULL, cases[i].kind == RECORD_REPOSITORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_key_of_a_repository_says_what_it_is),
        cmocka_unit_test(test_record_key_names_nobody),
        cmocka_unit_test(test_record_key_of_anything_has_a_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
