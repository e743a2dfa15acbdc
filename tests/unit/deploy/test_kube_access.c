#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "deploy/kube_access.h"

/* A kubeconfig with one context "c" of cluster "k" and user "u". */
static char *config_with(const char *cluster, const char *user)
{
    return xasprintf("current-context: c\n"
                     "contexts: [{name: c, context: {cluster: k, user: u, namespace: space}}]\n"
                     "clusters: [{name: k, cluster: {%s}}]\n"
                     "users: [{name: u, user: {%s}}]\n",
                     cluster, user);
}

static int read_access(const char *text, const char *context, struct kube_access *access, struct error *err)
{
    CLEANUP(kubeconfig_release) struct kubeconfig config;
    kubeconfig_init(&config);
    kube_access_init(access);
    if (kubeconfig_add(&config, "/etc/kube/config", text, strlen(text), err) < 0)
        return -1;
    return kube_access_from_config(&config, context, access, err);
}

static void test_kube_access_reads_a_context(void **state)
{
    (void)state;
    AUTO_FREE char *text = config_with(
        "server: 'https://h:6443/k8s/clusters/c-x//', tls-server-name: kube, certificate-authority: ca.crt",
        "token: t, client-certificate-data: Q0VSVA==, client-certificate: ignored.crt, client-key: key.pem");
    CLEANUP(kube_access_release) struct kube_access access;
    struct error err = ERROR_INIT;
    if (read_access(text, NULL, &access, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(access.server, "https://h:6443/k8s/clusters/c-x");
    assert_string_equal(access.description, "https://h:6443/k8s/clusters/c-x (context c)");
    assert_string_equal(access.space, "space");
    assert_string_equal(access.server_name, "kube");
    assert_string_equal(access.ca.file, "/etc/kube/ca.crt");
    assert_string_equal(access.certificate.text, "CERT");
    assert_null(access.certificate.file);
    assert_string_equal(access.key.file, "/etc/kube/key.pem");
    assert_string_equal(access.token, "t");
    assert_null(access.exec.command);
    assert_false(access.insecure);
}

static void test_kube_access_reads_a_plugin(void **state)
{
    (void)state;
    AUTO_FREE char *text = config_with(
        "server: 'https://h', extensions: [{name: client.authentication.k8s.io/exec, extension: {a: 1}}]",
        "exec: {command: ./bin/login, args: [get, token], env: [{name: A, value: b}, {name: E}], apiVersion: "
        "client.authentication.k8s.io/v1, interactiveMode: IfAvailable, provideClusterInfo: true, "
        "installHint: get it}");
    CLEANUP(kube_access_release) struct kube_access access;
    struct error err = ERROR_INIT;
    if (read_access(text, NULL, &access, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(access.exec.command, "/etc/kube/./bin/login");
    assert_int_equal(access.exec.arguments.len, 2);
    assert_string_equal(access.exec.arguments.items[1], "token");
    assert_string_equal(access.exec.environment.items[0], "A=b");
    assert_string_equal(access.exec.environment.items[1], "E=");
    assert_string_equal(access.exec.install_hint, "get it");
    assert_true(access.exec.wants_cluster);
    assert_int_equal(json_integer_value(json_object_get(access.exec.cluster_settings, "a")), 1);
}

static void test_kube_access_prefers_a_login_to_a_plugin(void **state)
{
    (void)state;
    AUTO_FREE char *text = config_with(
        "server: 'https://h'", "username: u, password: p, exec: {command: login, apiVersion: whatever}");
    CLEANUP(kube_access_release) struct kube_access access;
    struct error err = ERROR_INIT;
    assert_int_equal(read_access(text, "c", &access, &err), 0);
    assert_string_equal(access.username, "u");
    assert_null(access.exec.command);
}

static void test_kube_access_reads_impersonation(void **state)
{
    (void)state;
    AUTO_FREE char *text =
        config_with("server: 'https://h'",
                    "as: jane, as-uid: '7', as-groups: [a, b], as-user-extra: {'Example.com/Team': [x, z]}");
    CLEANUP(kube_access_release) struct kube_access access;
    struct error err = ERROR_INIT;
    assert_int_equal(read_access(text, NULL, &access, &err), 0);
    static const char *const expected[] = {
        "Impersonate-User",
        "jane",
        "Impersonate-Uid",
        "7",
        "Impersonate-Group",
        "a",
        "Impersonate-Group",
        "b",
        "Impersonate-Extra-example.com%2Fteam",
        "x",
        "Impersonate-Extra-example.com%2Fteam",
        "z",
    };
    assert_int_equal(access.impersonate.len, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_string_equal(access.impersonate.items[i], expected[i]);
}

#define SERVER "server: 'https://h'"

static void test_kube_access_refuses_with_the_entry(void **state)
{
    (void)state;
    static const struct {
        const char *cluster, *user;
        enum error_code code;
        const char *text;
    } cases[] = {
        {"", "token: t", ERROR_USAGE, "cluster \"k\": server is missing"},
        {"server: 'h:6443'", "", ERROR_USAGE, "must begin with https://"},
        {"server: 'https://me:pw@h'", "", ERROR_USAGE, "plain URL"},
        {"server: 7", "", ERROR_USAGE, "server must be text"},
        {SERVER ", proxy-url: 'http://p'", "", ERROR_UNSUPPORTED, "proxy-url"},
        {SERVER ", insecure-skip-tls-verify: 'yes'", "", ERROR_USAGE, "must be true or false"},
        {SERVER ", insecure-skip-tls-verify: true, certificate-authority: a", "", ERROR_USAGE,
         "exclude each other"},
        {SERVER ", certificate-authority-data: '%%'", "", ERROR_USAGE,
         "certificate-authority-data is not base64"},
        {SERVER, "auth-provider: {name: gcp}", ERROR_UNSUPPORTED, "user \"u\": auth-provider"},
        {SERVER, "token: t, username: a", ERROR_USAGE, "both a token and a user name"},
        {SERVER, "token: 123", ERROR_USAGE, "token must be text"},
        {SERVER, "token: \"a\\nb\"", ERROR_USAGE, "line break"},
        {SERVER, "client-key: k", ERROR_USAGE, "one is missing"},
        {SERVER, "as-groups: [a]", ERROR_USAGE, "need as"},
        {SERVER, "as: \"a\\r\\nX: y\"", ERROR_USAGE, "line break"},
        {SERVER, "exec: {args: [a]}", ERROR_USAGE, "exec.command is missing"},
        {SERVER, "exec: {command: a, apiVersion: client.authentication.k8s.io/v1alpha1}", ERROR_UNSUPPORTED,
         "exec.apiVersion"},
        {SERVER, "exec: {command: a, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always}",
         ERROR_UNSUPPORTED, "terminal"},
        {SERVER, "exec: {command: a, apiVersion: client.authentication.k8s.io/v1, args: [1]}", ERROR_USAGE,
         "exec.args"},
        {SERVER, "exec: {command: a, apiVersion: client.authentication.k8s.io/v1, env: [{value: 1}]}",
         ERROR_USAGE, "exec.env"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *text = config_with(cases[i].cluster, cases[i].user);
        CLEANUP(kube_access_release) struct kube_access access;
        struct error err = ERROR_INIT;
        if (read_access(text, NULL, &access, &err) == 0 || err.code != cases[i].code ||
            !strstr(err.text, cases[i].text) || !strstr(err.text, "/etc/kube/config"))
            fail_msg("%s | %s: %s %s", cases[i].cluster, cases[i].user, error_code_name(err.code), err.text);
    }
}

static void test_kube_access_names_the_contexts_there_are(void **state)
{
    (void)state;
    static const struct {
        const char *text, *context, *error;
    } cases[] = {
        {"contexts: [{name: a}, {name: b}]", NULL, "no current-context; name one with --context: a, b"},
        {"contexts: [{name: a}, {name: b}]", "c", "no context \"c\"; there are: a, b"},
        {"", "c", "no context \"c\""},
        {"contexts: [{name: a}]", "a", "its cluster is missing"},
        {"contexts: [{name: a, context: {cluster: k, user: u}}]\nclusters: [{name: k}]", "a",
         "its user is not defined"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(kube_access_release) struct kube_access access;
        struct error err = ERROR_INIT;
        assert_int_equal(read_access(cases[i].text, cases[i].context, &access, &err), -1);
        assert_int_equal(err.code, ERROR_USAGE);
        if (!strstr(err.text, cases[i].error))
            fail_msg("%s", err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kube_access_reads_a_context),
        cmocka_unit_test(test_kube_access_reads_a_plugin),
        cmocka_unit_test(test_kube_access_prefers_a_login_to_a_plugin),
        cmocka_unit_test(test_kube_access_reads_impersonation),
        cmocka_unit_test(test_kube_access_refuses_with_the_entry),
        cmocka_unit_test(test_kube_access_names_the_contexts_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
