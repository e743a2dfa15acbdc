#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deploy/exec_credential.h"

#include "json_text.h"

#define V1            "client.authentication.k8s.io/v1"
#define CREDENTIAL(s) "{'apiVersion':'" V1 "','kind':'ExecCredential','status':{" s "}}"

static void test_exec_credential_reads_what_a_plugin_prints(void **state)
{
    (void)state;
    static const struct {
        const char *text, *token, *certificate;
        int64_t expires_ms;
    } cases[] = {
        {CREDENTIAL("'token':'t'"), "t", NULL, 0},
        {CREDENTIAL("'token':'t','expirationTimestamp':'1970-01-01T00:00:01Z'"), "t", NULL, 1000},
        {CREDENTIAL("'token':'','clientCertificateData':'C','clientKeyData':'K'"), NULL, "C", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(exec_credential_release) struct exec_credential got = EXEC_CREDENTIAL_INIT;
        AUTO_FREE char *text = quoted(cases[i].text);
        struct error err = ERROR_INIT;
        if (exec_credential_parse(text, strlen(text), V1, &got, &err) < 0)
            fail_msg("%s: %s", text, err.text);
        assert_string_equal(got.token ? got.token : "none", cases[i].token ? cases[i].token : "none");
        assert_string_equal(got.certificate_pem ? got.certificate_pem : "none",
                            cases[i].certificate ? cases[i].certificate : "none");
        assert_int_equal(got.expires_ms, cases[i].expires_ms);
    }
}

static void test_exec_credential_refuses_and_quotes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "no ExecCredential"},
        {"hunter2", "no ExecCredential"},
        {"{'kind':'Status'}", "no ExecCredential"},
        {"{'kind':'ExecCredential','apiVersion':'client.authentication.k8s.io/"
         "v1beta1','status':{'token':'hunter2'}}",
         "not of apiVersion " V1},
        {CREDENTIAL(""), "neither a token nor a certificate"},
        {CREDENTIAL("'clientKeyData':'hunter2'"), "neither a token nor a certificate"},
        {CREDENTIAL("'token':'hunter2','clientCertificateData':'hunter2'"), "without the other"},
        {CREDENTIAL("'token':'hunter2\\nX: y'"), "line break"},
        {CREDENTIAL("'token':'hunter2','expirationTimestamp':'soon'"), "RFC 3339"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(exec_credential_release) struct exec_credential got = EXEC_CREDENTIAL_INIT;
        AUTO_FREE char *text = quoted(cases[i].text);
        struct error err = ERROR_INIT;
        assert_int_equal(exec_credential_parse(text, strlen(text), V1, &got, &err), -1);
        if (!strstr(err.text, cases[i].error) || strstr(err.text, "hunter2"))
            fail_msg("%s: %s", text, err.text);
        assert_null(got.token);
    }
}

static void test_exec_credential_tells_the_plugin_what_it_is_for(void **state)
{
    (void)state;
    struct kube_access access;
    kube_access_init(&access);
    access.server = xstrdup("https://h");
    access.insecure = true;
    access.exec.api_version = xstrdup(V1);
    AUTO_FREE char *without = exec_credential_info(&access, "CA");
    AUTO_JSON json_t *short_form = json_from(without);
    assert_json(short_form, "{'apiVersion':'" V1 "','kind':'ExecCredential','spec':{'interactive':false}}");
    access.exec.wants_cluster = true;
    access.exec.cluster_settings = json_pack("{s:i}", "a", 1);
    AUTO_FREE char *with = exec_credential_info(&access, "CA");
    AUTO_JSON json_t *long_form = json_from(with);
    assert_json(long_form,
                "{'apiVersion':'" V1 "','kind':'ExecCredential','spec':{'interactive':false,'cluster':"
                "{'server':'https://h','insecure-skip-tls-verify':true,"
                "'certificate-authority-data':'Q0E=','config':{'a':1}}}}");
    kube_access_release(&access);
}

static int run_script(const char *script, struct exec_credential *out, struct error *err)
{
    struct kube_access access;
    kube_access_init(&access);
    access.server = xstrdup("https://h");
    access.exec.command = xstrdup("sh");
    access.exec.api_version = xstrdup(V1);
    access.exec.install_hint = xstrdup("install sh");
    strvec_push(&access.exec.arguments, "-c");
    strvec_push(&access.exec.arguments, script);
    strvec_push(&access.exec.environment, "MINE=from-the-kubeconfig");
    int result = exec_credential_run(&access, NULL, out, err);
    kube_access_release(&access);
    return result;
}

static void test_exec_credential_runs_a_plugin(void **state)
{
    (void)state;
    CLEANUP(exec_credential_release) struct exec_credential got = EXEC_CREDENTIAL_INIT;
    struct error err = ERROR_INIT;
    static const char script[] =
        "case $KUBERNETES_EXEC_INFO in *'\"interactive\":false'*) ;; *) exit 1;; esac\n"
        "printf '{\"apiVersion\":\"" V1
        "\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"%s\"}}' \"$MINE\"";
    if (run_script(script, &got, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(got.token, "from-the-kubeconfig");
}

static void test_exec_credential_tells_why_a_plugin_failed(void **state)
{
    (void)state;
    CLEANUP(exec_credential_release) struct exec_credential got = EXEC_CREDENTIAL_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(run_script("echo your session has ended >&2; exit 3", &got, &err), -1);
    assert_int_equal(err.code, ERROR_UNAUTHORIZED);
    assert_non_null(strstr(err.text, "your session has ended"));

    struct kube_access access;
    kube_access_init(&access);
    access.exec.command = xstrdup("pawl-no-such-plugin");
    access.exec.api_version = xstrdup(V1);
    access.exec.install_hint = xstrdup("get it at example.com");
    assert_int_equal(exec_credential_run(&access, NULL, &got, &err), -1);
    assert_int_equal(err.code, ERROR_UNAUTHORIZED);
    assert_non_null(strstr(err.text, "pawl-no-such-plugin"));
    assert_non_null(strstr(err.text, "get it at example.com"));
    kube_access_release(&access);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exec_credential_reads_what_a_plugin_prints),
        cmocka_unit_test(test_exec_credential_refuses_and_quotes_nothing),
        cmocka_unit_test(test_exec_credential_tells_the_plugin_what_it_is_for),
        cmocka_unit_test(test_exec_credential_runs_a_plugin),
        cmocka_unit_test(test_exec_credential_tells_why_a_plugin_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
