#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "deploy/kubeconfig.h"

static void test_kubeconfig_finds_its_files(void **state)
{
    (void)state;
    static const struct {
        const char *flag, *environment, *home, *paths;
    } cases[] = {
        {"/f", "/a:/b", "/h", "/f"}, {NULL, "/a::/b:", "/h", "/a /b"}, {NULL, "/a", "/h", "/a"},
        {NULL, "", "/h", "/h"},      {NULL, NULL, "/h", "/h"},         {NULL, NULL, NULL, ""},
        {NULL, ":", "/h", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strvec_release) struct strvec paths = STRVEC_INIT;
        kubeconfig_paths(cases[i].flag, cases[i].environment, cases[i].home, &paths);
        CLEANUP(strbuf_release) struct strbuf joined = STRBUF_INIT;
        for (size_t p = 0; p < paths.len; p++)
            strbuf_addf(&joined, "%s%s", p ? " " : "", paths.items[p]);
        assert_string_equal(joined.buf, cases[i].paths);
    }
}

static void add(struct kubeconfig *config, const char *file, const char *text)
{
    struct error err = ERROR_INIT;
    if (kubeconfig_add(config, file, text, strlen(text), &err) < 0)
        fail_msg("%s", err.text);
}

static const char *server_of(const struct kubeconfig *config, const char *cluster)
{
    const struct kubeconfig_entry *entry = strmap_get(&config->clusters, cluster);
    return entry ? json_string_at(entry->body, "server") : NULL;
}

static void test_kubeconfig_lets_the_first_file_win_each_name_as_a_whole(void **state)
{
    (void)state;
    CLEANUP(kubeconfig_release) struct kubeconfig config;
    kubeconfig_init(&config);
    add(&config, "/one/config",
        "clusters:\n- name: a\n  cluster: {server: https://one}\ncurrent-context: ''\n");
    add(&config, "/two/config",
        "{\"clusters\": [{\"name\": \"a\", \"cluster\": {\"server\": \"https://two\", \"tls-server-name\": "
        "\"x\"}},"
        " {\"name\": \"b\", \"cluster\": {\"server\": \"https://b\"}}], \"current-context\": \"second\"}");
    add(&config, "/three/config", "current-context: third\nusers: null\ncontexts: [{name: c}]\n");
    add(&config, "/empty", "");
    assert_string_equal(server_of(&config, "a"), "https://one");
    assert_string_equal(server_of(&config, "b"), "https://b");
    assert_string_equal(config.current_context, "second");
    const struct kubeconfig_entry *a = strmap_get(&config.clusters, "a");
    assert_null(json_object_get(a->body, "tls-server-name"));
    AUTO_FREE char *relative = kubeconfig_resolve(a, "certs/ca.crt");
    AUTO_FREE char *absolute = kubeconfig_resolve(a, "/etc/ca.crt");
    assert_string_equal(relative, "/one/certs/ca.crt");
    assert_string_equal(absolute, "/etc/ca.crt");
    assert_true(strmap_has(&config.contexts, "c"));
}

static void test_kubeconfig_refuses_what_it_cannot_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"a: [", "line "},
        {"- just\n- a list\n", "not a map"},
        {"clusters: {}\n", "clusters must be a list"},
        {"users: [{user: {}}]\n", "users[0] has no name"},
        {"contexts: [{name: a, context: text}]\n", "context of \"a\" must be a map"},
        {"\xff\xfe", "kubeconfig /f"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(kubeconfig_release) struct kubeconfig config;
        kubeconfig_init(&config);
        struct error err = ERROR_INIT;
        assert_int_equal(kubeconfig_add(&config, "/f", cases[i].text, strlen(cases[i].text), &err), -1);
        assert_int_equal(err.code, ERROR_USAGE);
        if (!strstr(err.text, cases[i].error) || !strstr(err.text, "/f"))
            fail_msg("%s: %s", cases[i].text, err.text);
    }
}

static void test_kubeconfig_passes_over_missing_files(void **state)
{
    (void)state;
    char path[] = "/tmp/pawl-test-XXXXXX";
    close(mkstemp(path));
    struct error err = ERROR_INIT;
    static const char text[] = "current-context: here\n";
    assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, &err), 0);
    CLEANUP(strvec_release) struct strvec paths = STRVEC_INIT;
    CLEANUP(kubeconfig_release) struct kubeconfig config;
    kubeconfig_init(&config);
    bool found = true;
    strvec_push(&paths, "/nonexistent/kubeconfig");
    assert_int_equal(kubeconfig_read(&config, &paths, &found, &err), 0);
    assert_false(found);
    strvec_push(&paths, path);
    assert_int_equal(kubeconfig_read(&config, &paths, &found, &err), 0);
    assert_true(found);
    assert_string_equal(config.current_context, "here");
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kubeconfig_finds_its_files),
        cmocka_unit_test(test_kubeconfig_lets_the_first_file_win_each_name_as_a_whole),
        cmocka_unit_test(test_kubeconfig_refuses_what_it_cannot_read),
        cmocka_unit_test(test_kubeconfig_passes_over_missing_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
