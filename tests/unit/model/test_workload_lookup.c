#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "model/workload_lookup.h"

#define POD(space, name)                                                                                     \
    "apiVersion: v1\nkind: Pod\nmetadata: {name: " name ", namespace: " space                                \
    "}\nspec: {containers: [{name: c, image: 'a:1'}]}\n"

static void test_workload_is_found_or_the_reason_is_said(void **state)
{
    (void)state;
    static const char text[] = POD("demo", "app") "---\n" POD("demo", "twice") "---\n" POD(
        "demo", "twice") "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: demo}\n"
                         "---\nkind: Pod\nmetadata: {name: odd}\n---\nkind: Pod\nmetadata: {name: "
                         "lost}\nkind: Pod\n---\nname: lost-too\n---\nname: [some\n";
    static const struct {
        const char *id, *error;
        enum error_code code;
    } cases[] = {
        {"demo:pod/app", NULL, ERROR_NONE},
        {"demo:pod/ap", "not found in repository; did you mean demo:pod/app?", ERROR_NOT_FOUND},
        {"prod:pod/app", "not found in repository; did you mean demo:pod/app?", ERROR_NOT_FOUND},
        {"demo:deployment/app", "not found in repository; did you mean demo:pod/app?", ERROR_NOT_FOUND},
        {"demo:pod/something",
         "not found in repository; it may be in u.yaml, which cannot be read: the file is UTF-16; save it as "
         "UTF-8",
         ERROR_NOT_FOUND},
        {"demo:pod/lost",
         "not found in repository; it may be in a.yaml, which cannot be read: line 25: the key \"kind\" is "
         "there twice",
         ERROR_NOT_FOUND},
        {"file/m.yaml", "m.yaml:1: the marker has no value before it", ERROR_INVALID},
        {"demo:pod/odd", "not found in repository; it may be in a.yaml: line 20: this Pod has no apiVersion",
         ERROR_NOT_FOUND},
        {"demo:pod/lost-too", "not found in repository; it may be in u.yaml", ERROR_NOT_FOUND},
        {"demo:configmap/settings", "a.yaml:16: a ConfigMap does not have containers", ERROR_UNSUPPORTED},
        {"demo:pod/twice", "a.yaml:", ERROR_INVALID},
    };
    struct manifest_set *set = manifest_set_new();
    manifest_set_add(set, manifest_file_new("a.yaml", xstrdup(text), strlen(text), "default"));
    static const char marked[] = "# pawl: glob:*\n";
    manifest_set_add(set, manifest_file_new("m.yaml", xstrdup(marked), strlen(marked), "default"));
    static const char utf16[] = "\xff\xfek";
    manifest_set_add(set, manifest_file_new("u.yaml", xstrdup(utf16), strlen(utf16), "default"));
    manifest_set_finish(set);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        CLEANUP(resource_id_release) struct resource_id id = RESOURCE_ID_INIT;
        assert_int_equal(resource_id_parse(cases[i].id, "default", &id, &err), 0);
        const struct resource *found = workload_find(set, &id, &err);
        assert_int_equal(found != NULL, cases[i].code == ERROR_NONE);
        assert_int_equal(err.code, cases[i].code);
        if (cases[i].error && strncmp(err.text, cases[i].error, strlen(cases[i].error)) != 0)
            assert_string_equal(err.text, cases[i].error);
    }
    manifest_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workload_is_found_or_the_reason_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
