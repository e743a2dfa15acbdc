#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scanner/token_store.h"

static void test_token_store_answers(void **state)
{
    static const struct {
        const char *answer, *authorization;
        int64_t lives_ms; /* it is used for so long, and no longer: the rest of its life is the margin */
    } cases[] = {
        {"{\"token\":\"t\",\"expires_in\":300}", "Bearer t", 280000},
        {"{\"access_token\":\"a\"}", "Bearer a", 45000},
        {"{\"token\":\"\",\"access_token\":\"a\",\"expires_in\":\"x\"}", "Bearer a", 45000},
        {"{\"token\":\"t\",\"access_token\":\"a\",\"expires_in\":4}", "Bearer t", 3000},
        {"{\"token\":\"t\",\"expires_in\":-1}", "Bearer t", 45000},
        {"{\"token\":\"t\",\"expires_in\":99999999999}", "Bearer t", 86380000},
        {"{\"token\":\"a\\r\\nHost: evil\"}", NULL, 0},
        {"{\"token\":\"a b\"}", NULL, 0},
        {"{\"token\":17}", NULL, 0},
        {"{}", NULL, 0},
        {"secret", NULL, 0},
        {"", NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(token_store_release) struct token_store store;
        token_store_init(&store);
        struct error err = ERROR_INIT;
        int result = token_store_read(&store, "k", cases[i].answer, strlen(cases[i].answer), 1000, &err);
        assert_int_equal(result, cases[i].authorization ? 0 : -1);
        assert_null(strstr(err.text, "secret"));
        if (!cases[i].authorization) {
            assert_null(token_store_get(&store, "k", 1000));
            continue;
        }
        assert_string_equal(token_store_get(&store, "k", 999 + cases[i].lives_ms), cases[i].authorization);
        assert_null(token_store_get(&store, "k", 1000 + cases[i].lives_ms));
        assert_null(token_store_get(&store, "other", 1000));
        token_store_forget(&store, "k");
        assert_null(token_store_get(&store, "k", 1000));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_token_store_answers)};
    return cmocka_run_group_tests_name("token_store", tests, NULL, NULL);
}
