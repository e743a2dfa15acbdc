#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "model/resource_id.h"

static void test_resource_id_parses_both_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"default:deployment/web", "default:deployment/web"},
        {"Prod:Deployment/Web", "Prod:deployment/Web"},
        {"deployment/web", "space:deployment/web"},
        {"<cluster>:namespace/demo", "<cluster>:namespace/demo"},
        {"<cluster>:clusterrole/system:node.x", "<cluster>:clusterrole/system:node.x"},
        {"clusterrole/a:b", "space:clusterrole/a:b"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(resource_id_release) struct resource_id id = RESOURCE_ID_INIT;
        struct error err = ERROR_INIT;
        if (resource_id_parse(cases[i].text, "space", &id, &err) < 0)
            fail_msg("%s", err.text);
        AUTO_FREE char *text = resource_id_text(&id);
        assert_string_equal(text, cases[i].expected);
    }
}

static void test_resource_id_refuses_what_is_no_id(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "web",
        "/web",
        "deployment/",
        "a:b",
        "a:b/c/d",
        ":deployment/web",
        "a:/web",
        "a.b:deployment/web",
        "a:b:c/d",
        "<other>:kind/name",
        "default:deploy ment/web",
        "default:deployment/we b",
        "deployment/w\xc3\xa9",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct resource_id id = RESOURCE_ID_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(resource_id_parse(cases[i], "default", &id, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_non_null(strstr(err.text, "namespace:kind/name"));
        assert_null(id.name);
    }
}

static void test_resource_id_compares_kinds_without_case(void **state)
{
    (void)state;
    CLEANUP(resource_id_release) struct resource_id a = RESOURCE_ID_INIT, b = RESOURCE_ID_INIT;
    CLEANUP(resource_id_release) struct resource_id c = RESOURCE_ID_INIT;
    resource_id_init(&a, "default", "Deployment", "web");
    resource_id_init(&b, "default", "deployment", "web");
    resource_id_init(&c, "default", "deployment", "Web");
    assert_true(resource_id_equal(&a, &b));
    assert_false(resource_id_equal(&a, &c));
}

static void test_dns_name_is_what_kubernetes_takes(void **state UNUSED)
{
    static const char *const good[] = {"a", "regcred", "a-b.c-1", "1", "registry.example.com"};
    static const char *const bad[] = {"",     "A",   "a_b", "-a",     "a-",   ".a",   "a.",
                                      "a..b", "a b", "a/b", "../etc", "a.-b", "a-.b", "regcred\n"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(dns_name_is_valid(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(dns_name_is_valid(bad[i]));
    char longest[255];
    memset(longest, 'a', sizeof(longest));
    longest[253] = '\0';
    assert_true(dns_name_is_valid(longest));
    longest[253] = 'a';
    longest[254] = '\0';
    assert_false(dns_name_is_valid(longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resource_id_parses_both_forms),
        cmocka_unit_test(test_resource_id_refuses_what_is_no_id),
        cmocka_unit_test(test_dns_name_is_what_kubernetes_takes),
        cmocka_unit_test(test_resource_id_compares_kinds_without_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
