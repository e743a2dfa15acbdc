#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "deploy/target.h"

/* No cluster in sight. */
static int hide_clusters(void **state)
{
    (void)state;
    setenv("HOME", "/nonexistent", 1);
    unsetenv("KUBECONFIG");
    unsetenv("KUBERNETES_SERVICE_HOST");
    return 0;
}

static void test_target_opens_what_the_option_says(void **state)
{
    (void)state;
    static const struct {
        const char *deploy_to;
        enum error_code code;
        const char *text; /* the description, or part of the error; NULL: no target */
    } cases[] = {
        {"none", ERROR_NONE, NULL},
        {"auto", ERROR_NONE, NULL},
        {"", ERROR_NONE, NULL},
        {NULL, ERROR_NONE, NULL},
        {"dir:/srv/manifests/", ERROR_NONE, "directory /srv/manifests"},
        {"dir:/", ERROR_NONE, "directory /"},
        {"dir:", ERROR_USAGE, "none of auto, kubernetes, dir:PATH and none"},
        {"cluster", ERROR_USAGE, "\"cluster\" is none of"},
        {"kubernetes", ERROR_USAGE, "no Kubernetes cluster is configured"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct deploy_options options = {.deploy_to = cases[i].deploy_to};
        struct deploy_target *target = NULL;
        struct error err = ERROR_INIT;
        int result = deploy_target_open(&options, &target, &err);
        assert_int_equal(result, cases[i].code ? -1 : 0);
        assert_int_equal(err.code, cases[i].code);
        if (!cases[i].text)
            assert_null(target);
        else if (cases[i].code)
            assert_non_null(strstr(err.text, cases[i].text));
        else
            assert_string_equal(target->description, cases[i].text);
        deploy_target_free(target);
    }
}

static void test_target_knows_the_default_namespace(void **state)
{
    (void)state;
    static const char text[] =
        "current-context: a\n"
        "contexts: [{name: a, context: {cluster: k, namespace: mine}}, {name: b, context: {cluster: "
        "k}}]\nclusters: [{name: k, cluster: {server: 'https://h'}}]\n";
    char path[] = "/tmp/pawl-test-XXXXXX";
    struct error err = ERROR_INIT;
    close(mkstemp(path));
    assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, &err), 0);
    const struct {
        struct deploy_options options;
        const char *space;
    } cases[] = {
        {{.deploy_to = "none"}, "default"},
        {{.deploy_to = "auto"}, "default"},
        {{.deploy_to = "auto", .kubeconfig = path}, "mine"},
        {{.deploy_to = "auto", .kubeconfig = path, .context = "b"}, "default"},
        {{.deploy_to = "auto", .kubeconfig = path, .default_space = "said"}, "said"},
        {{.deploy_to = "dir:/x", .kubeconfig = path}, "default"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *space = NULL;
        if (deploy_default_space(&cases[i].options, &space, &err) < 0)
            fail_msg("%s", err.text);
        assert_string_equal(space, cases[i].space);
    }
    unlink(path);
}

static void test_target_counts_outcomes(void **state)
{
    (void)state;
    struct apply_report report = APPLY_REPORT_INIT;
    static const enum apply_result results[] = {APPLY_CREATED, APPLY_CONFIGURED, APPLY_UNCHANGED,
                                                APPLY_SKIPPED, APPLY_FAILED,     APPLY_FAILED};
    for (size_t i = 0; i < ARRAY_LEN(results); i++)
        apply_report_add(&report, NULL, NULL, results[i], i ? NULL : xstrdup("kept"));
    assert_int_equal(report.created, 1);
    assert_int_equal(report.configured, 1);
    assert_int_equal(report.unchanged, 1);
    assert_int_equal(report.skipped, 1);
    assert_int_equal(report.failed, 2);
    assert_int_equal(report.deleted, 0);
    assert_int_equal(report.len, ARRAY_LEN(results));
    assert_string_equal(report.outcomes[0].message, "kept");
    assert_string_equal(apply_result_name(report.outcomes[5].result), "failed");
    apply_report_release(&report);
}

static void test_target_none_applies_nothing(void **state)
{
    (void)state;
    struct apply_request request = {.manifests = NULL};
    struct apply_report report = APPLY_REPORT_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(deploy_target_apply(NULL, &request, &report, &err), 0);
    assert_int_equal(report.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_target_opens_what_the_option_says),
        cmocka_unit_test(test_target_knows_the_default_namespace),
        cmocka_unit_test(test_target_counts_outcomes),
        cmocka_unit_test(test_target_none_applies_nothing),
    };
    return cmocka_run_group_tests(tests, hide_clusters, NULL);
}
