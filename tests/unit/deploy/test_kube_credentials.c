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
#include "deploy/kube_credentials.h"

static void write_text(const char *path, const char *text)
{
    struct error err = ERROR_INIT;
    if (file_write_atomic(path, text, strlen(text), 0600, &err) < 0)
        fail_msg("%s", err.text);
}

static void assert_authorization(const struct kube_credentials *credentials, const char *expected)
{
    const char *is = kube_credentials_authorization(credentials);
    assert_string_equal(is ? is : "none", expected);
}

static void refresh(struct kube_credentials *credentials, bool was_rejected)
{
    struct error err = ERROR_INIT;
    if (kube_credentials_refresh(credentials, was_rejected, &err) < 0)
        fail_msg("%s", err.text);
}

static void test_kube_credentials_reads_a_replaced_token(void **state)
{
    (void)state;
    char path[] = "/tmp/pawl-test-XXXXXX";
    close(mkstemp(path));
    struct kube_access access;
    kube_access_init(&access);
    access.server = xstrdup("https://h");
    access.token_file = xstrdup(path);
    struct kube_credentials *credentials = kube_credentials_new(&access, &system_clock);
    struct error err = ERROR_INIT;

    assert_int_equal(kube_credentials_refresh(credentials, false, &err), -1); /* empty */
    assert_int_equal(err.code, ERROR_UNAUTHORIZED);
    assert_non_null(strstr(err.text, path));
    write_text(path, " leading space is no token");
    assert_int_equal(kube_credentials_refresh(credentials, false, &err), -1);
    write_text(path, "first\n");
    refresh(credentials, false);
    assert_authorization(credentials, "Bearer first");
    write_text(path, "second");
    refresh(credentials, false);
    assert_authorization(credentials, "Bearer second");
    unlink(path);
    refresh(credentials, false); /* being replaced at this very moment */
    assert_authorization(credentials, "Bearer second");

    kube_credentials_free(credentials);
    kube_access_release(&access);
}

static void test_kube_credentials_uses_what_the_user_gave(void **state)
{
    (void)state;
    static const struct {
        const char *server, *token, *token_file, *username, *password, *authorization;
    } cases[] = {
        {"https://h", "t", NULL, NULL, NULL, "Bearer t"},
        {"https://h", "t", "/nonexistent", NULL, NULL, "Bearer t"},
        {"https://h", NULL, NULL, "me", "p:w", "Basic bWU6cDp3"},
        {"https://h", NULL, NULL, "me", NULL, "Basic bWU6"},
        {"https://h", NULL, NULL, NULL, NULL, "none"},
        {"http://h", "t", NULL, NULL, NULL, "none"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct kube_access access;
        kube_access_init(&access);
        access.server = xstrdup(cases[i].server);
        access.token = cases[i].token ? xstrdup(cases[i].token) : NULL;
        access.token_file = cases[i].token_file ? xstrdup(cases[i].token_file) : NULL;
        access.username = cases[i].username ? xstrdup(cases[i].username) : NULL;
        access.password = cases[i].password ? xstrdup(cases[i].password) : NULL;
        struct kube_credentials *credentials = kube_credentials_new(&access, &system_clock);
        refresh(credentials, false);
        assert_authorization(credentials, cases[i].authorization);
        kube_credentials_free(credentials);
        kube_access_release(&access);
    }
}

static void test_kube_credentials_gives_certificates_from_files_and_text(void **state)
{
    (void)state;
    char path[] = "/tmp/pawl-test-XXXXXX";
    close(mkstemp(path));
    write_text(path, "CA");
    struct kube_access access;
    kube_access_init(&access);
    access.server = xstrdup("https://h");
    access.server_name = xstrdup("kube");
    access.ca.file = xstrdup(path);
    access.certificate.text = xstrdup("CERT");
    access.key.text = xstrdup("KEY");
    struct kube_credentials *credentials = kube_credentials_new(&access, &system_clock);
    refresh(credentials, false);
    const struct http_tls *tls = kube_credentials_tls(credentials);
    assert_string_equal(tls->ca_pem, "CA");
    assert_string_equal(tls->cert_pem, "CERT");
    assert_string_equal(tls->key_pem, "KEY");
    assert_string_equal(tls->server_name, "kube");
    assert_false(tls->insecure);
    unlink(path);
    struct error err = ERROR_INIT;
    assert_int_equal(kube_credentials_refresh(credentials, false, &err), -1);
    assert_non_null(strstr(err.text, "the certificate authority"));
    kube_credentials_free(credentials);
    kube_access_release(&access);
}

static int64_t wall_ms(void *context)
{
    return *(int64_t *)context;
}

/* A plugin whose token is the number of times it ran, good until second 100. */
static void use_counting_plugin(struct kube_access *access, const char *count_file)
{
    access->exec.command = xstrdup("sh");
    access->exec.api_version = xstrdup("client.authentication.k8s.io/v1");
    strvec_push(&access->exec.arguments, "-c");
    strvec_push_owned(
        &access->exec.arguments,
        xasprintf(
            "echo >>%s; n=$(wc -l <%s); printf '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":"
            "\"ExecCredential\",\"status\":{\"expirationTimestamp\":\"1970-01-01T00:01:40Z\",\"token\":\"t%%"
            "s\"}}' "
            "$n",
            count_file, count_file));
}

static void test_kube_credentials_runs_a_plugin_when_it_must(void **state)
{
    (void)state;
    char path[] = "/tmp/pawl-test-XXXXXX";
    close(mkstemp(path));
    int64_t now = 0;
    const struct clock clock = {.wall_ms = wall_ms, .monotonic_ms = wall_ms, .context = &now};
    struct kube_access access;
    kube_access_init(&access);
    access.server = xstrdup("https://h");
    use_counting_plugin(&access, path);
    struct kube_credentials *credentials = kube_credentials_new(&access, &clock);

    refresh(credentials, false);
    assert_authorization(credentials, "Bearer t1");
    now = 80000;
    refresh(credentials, false); /* good for 20 seconds more */
    assert_authorization(credentials, "Bearer t1");
    refresh(credentials, true); /* but the server says otherwise */
    assert_authorization(credentials, "Bearer t2");
    now = 95000;
    refresh(credentials, false); /* about to expire */
    assert_authorization(credentials, "Bearer t3");

    kube_credentials_free(credentials);
    kube_access_release(&access);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kube_credentials_reads_a_replaced_token),
        cmocka_unit_test(test_kube_credentials_uses_what_the_user_gave),
        cmocka_unit_test(test_kube_credentials_gives_certificates_from_files_and_text),
        cmocka_unit_test(test_kube_credentials_runs_a_plugin_when_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
