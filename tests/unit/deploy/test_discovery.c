#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deploy/discovery.h"

#include "json_text.h"

static const char apps[] =
    "{'kind':'APIResourceList','groupVersion':'apps/v1','resources':["
    "{'name':'deployments','namespaced':true,'kind':'Deployment','verbs':['create','list','patch']},"
    "{'name':'deployments/scale','namespaced':true,'group':'autoscaling','kind':'Scale','verbs':['patch']},"
    "{'name':'deployments/status','namespaced':true,'kind':'Deployment','verbs':['get']},"
    "{'name':'nodethings','namespaced':false,'kind':'NodeThing','verbs':['patch']},"
    "{'name':'reviews','namespaced':true,'kind':'Review','verbs':['create']},"
    "{'name':'..','kind':'Evil','verbs':['patch']},{'kind':'Nameless'},7]}";

static void test_discovery_finds_resources_of_kinds(void **state)
{
    (void)state;
    struct discovery *discovery = discovery_new();
    AUTO_JSON json_t *list = json_from(apps);
    discovery_add(discovery, "apps/v1", list);
    struct error err = ERROR_INIT;
    const struct kube_kind *kind = discovery_find(discovery, "apps/v1", "Deployment", &err);
    assert_non_null(kind);
    assert_string_equal(kind->plural, "deployments");
    assert_true(kind->is_namespaced && kind->has_list);
    kind = discovery_find(discovery, "apps/v1", "NodeThing", &err);
    assert_non_null(kind);
    assert_false(kind->is_namespaced || kind->has_list);
    discovery_free(discovery);
}

static void test_discovery_says_what_it_does_not_find(void **state)
{
    (void)state;
    static const struct {
        const char *api_version, *kind;
        enum error_code code;
        const char *text;
    } cases[] = {
        {"apps/v1", "Scale", ERROR_NOT_FOUND, "apps/v1 Scale"},
        {"apps/v1", "Evil", ERROR_NOT_FOUND, "apps/v1 Evil"},
        {"apps/v1beta1", "Deployment", ERROR_NOT_FOUND, "apps/v1beta1 Deployment"},
        {"apps/v1", "Review", ERROR_UNSUPPORTED, "cannot be applied"},
    };
    struct discovery *discovery = discovery_new();
    AUTO_JSON json_t *list = json_from(apps);
    discovery_add(discovery, "apps/v1", list);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        assert_null(discovery_find(discovery, cases[i].api_version, cases[i].kind, &err));
        assert_int_equal(err.code, cases[i].code);
        assert_non_null(strstr(err.text, cases[i].text));
    }
    discovery_free(discovery);
}

static void test_discovery_makes_paths(void **state)
{
    (void)state;
    static char core[] = "v1", custom[] = "ex?ample.com/v1", plural[] = "things", kind[] = "Thing";
    static const struct {
        char *api_version;
        bool is_namespaced;
        const char *space, *path;
    } cases[] = {
        {core, true, "a b", "/api/v1/namespaces/a%20b/things"},
        {core, true, NULL, "/api/v1/things"},
        {core, false, "ignored", "/api/v1/things"},
        {custom, true, "n", "/apis/ex%3Fample.com/v1/namespaces/n/things"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct kube_kind is = {.api_version = cases[i].api_version,
                               .kind = kind,
                               .plural = plural,
                               .is_namespaced = cases[i].is_namespaced};
        AUTO_FREE char *path = kube_collection_path(&is, cases[i].space);
        assert_string_equal(path, cases[i].path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_discovery_finds_resources_of_kinds),
        cmocka_unit_test(test_discovery_says_what_it_does_not_find),
        cmocka_unit_test(test_discovery_makes_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
