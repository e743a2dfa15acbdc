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
#include "deploy/kube_place.h"

/* A directory with two kubeconfigs, an empty one and a pod's files. */
struct places {
    char directory[32];
    char *flag, *environment, *empty, *home;
};

static void write_text(const char *directory, const char *name, const char *text, char **path)
{
    struct error err = ERROR_INIT;
    AUTO_FREE char *joined = file_join(directory, name);
    if (file_write_atomic(joined, text, strlen(text), 0600, &err) < 0)
        fail_msg("%s", err.text);
    if (path)
        *path = steal(&joined);
}

static int make_places(void **state)
{
    struct places *p = xcalloc(1, sizeof(*p));
    memcpy(p->directory, "/tmp/pawl-test-XXXXXX", sizeof("/tmp/pawl-test-XXXXXX"));
    if (!mkdtemp(p->directory))
        return -1;
    static const char form[] = "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n"
                               "clusters: [{name: k, cluster: {server: 'https://%s'}}]\n";
    const char *names[] = {"flag", "environment", "home"};
    char **paths[] = {&p->flag, &p->environment, &p->home};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        strbuf_addf(&text, form, names[i]);
        write_text(p->directory, names[i], text.buf, paths[i]);
    }
    write_text(p->directory, "empty", "apiVersion: v1\nkind: Config\n", &p->empty);
    write_text(p->directory, "token", "secret\n", NULL);
    *state = p;
    return 0;
}

static int remove_places(void **state)
{
    struct places *p = *state;
    const char *names[] = {"flag", "environment", "home", "empty", "token"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_FREE char *path = file_join(p->directory, names[i]);
        unlink(path);
    }
    rmdir(p->directory);
    free(p->flag);
    free(p->environment);
    free(p->empty);
    free(p->home);
    free(p);
    return 0;
}

static void test_kube_place_takes_what_the_user_names_first(void **state)
{
    const struct places *p = *state;
    const struct {
        const char *flag, *environment, *home;
        bool pod;
        const char *server; /* NULL: none found */
    } cases[] = {
        {p->flag, p->environment, p->home, true, "https://flag"},
        {NULL, p->environment, p->home, true, "https://environment"},
        {NULL, "/nonexistent", p->home, true, "https://[fd00::1]:443"},
        {NULL, "/nonexistent", p->home, false, NULL},
        {NULL, NULL, p->home, true, "https://[fd00::1]:443"},
        {NULL, NULL, p->home, false, "https://home"},
        {NULL, NULL, p->empty, false, NULL},
        {NULL, p->empty, p->home, false, NULL},
        {NULL, NULL, NULL, false, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct kube_places places = {
            .flag = cases[i].flag,
            .environment = cases[i].environment,
            .home = cases[i].home,
            .pod_host = cases[i].pod ? "fd00::1" : NULL,
            .pod_port = "443",
            .pod_directory = p->directory,
        };
        CLEANUP(kube_access_release) struct kube_access access;
        struct error err = ERROR_INIT;
        bool found = false;
        kube_access_init(&access);
        if (kube_place_find(&places, &access, &found, &err) < 0)
            fail_msg("%zu: %s", i, err.text);
        assert_int_equal(found, cases[i].server != NULL);
        if (found)
            assert_string_equal(access.server, cases[i].server);
    }
}

static void test_kube_place_says_when_the_named_file_is_missing(void **state)
{
    const struct places *p = *state;
    const struct {
        const char *flag, *context, *error;
    } cases[] = {{"/nonexistent", NULL, "--kubeconfig: there is no file /nonexistent"},
                 {p->empty, NULL, "no current-context"},
                 {p->flag, "other", "no context \"other\"; there are: c"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct kube_places places = {
            .flag = cases[i].flag, .context = cases[i].context, .pod_directory = "/nonexistent"};
        CLEANUP(kube_access_release) struct kube_access access;
        struct error err = ERROR_INIT;
        bool found;
        kube_access_init(&access);
        assert_int_equal(kube_place_find(&places, &access, &found, &err), -1);
        assert_int_equal(err.code, ERROR_USAGE);
        if (!strstr(err.text, cases[i].error))
            fail_msg("%s", err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kube_place_takes_what_the_user_names_first, make_places,
                                        remove_places),
        cmocka_unit_test_setup_teardown(test_kube_place_says_when_the_named_file_is_missing, make_places,
                                        remove_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
