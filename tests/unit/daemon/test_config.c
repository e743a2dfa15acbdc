#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "daemon/config.h"

static const struct option_row *const tables[] = {config_general_options,
                                                  config_git_options,
                                                  config_registry_options,
                                                  config_cache_options,
                                                  config_cluster_options,
                                                  config_flux_options,
                                                  NULL};

/* A configuration being read, with a file of the given text if there is one. */
struct reading {
    struct config config;
    struct option_set set;
    struct error err;
    char *file;
    int status;
};

/* `flags`: a command line, split at spaces. */
static void read_with(struct reading *r, const char *file_text, const char *flags)
{
    CLEANUP(strvec_release) struct strvec words = STRVEC_INIT;
    AUTO_FREE char *copy = xstrdup(flags);
    char *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        strvec_push(&words, word);
    *r = (struct reading){.err = ERROR_INIT};
    option_set_init(&r->set, tables, &r->config);
    struct strvec operands = STRVEC_INIT;
    r->status = option_read_arguments(&r->set, (int)words.len, words.items, &operands, &r->err);
    strvec_release(&operands);
    if (file_text) {
        r->file = xstrdup("/tmp/pawl-test-config-XXXXXX");
        int fd = mkstemp(r->file);
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(file_write_atomic(r->file, file_text, strlen(file_text), 0600, &r->err), 0);
        free(r->config.config_file);
        r->config.config_file = xstrdup(r->file);
    }
    if (r->status == 0)
        r->status = config_finish(&r->config, &r->set, true, &r->err);
}

static void release(struct reading *r)
{
    if (r->file)
        unlink(r->file);
    free(r->file);
    config_release(&r->config);
    option_set_release(&r->set);
}

static void test_config_makes_one_repository_of_git_url(void **state UNUSED)
{
    struct reading r;
    read_with(&r, NULL, "--git-url git@host:org/gitops.git --git-path=a,b --git-path c --deploy-to none");
    assert_int_equal(r.status, 0);
    assert_int_equal(r.config.repositories_len, 1);
    assert_string_equal(r.config.repositories[0].name, "gitops");
    assert_string_equal(r.config.repositories[0].url, "git@host:org/gitops.git");
    assert_null(r.config.repositories[0].branch);
    assert_int_equal(r.config.repositories[0].paths.len, 3);
    assert_string_equal(r.config.repositories[0].paths.items[2], "c");
    assert_string_equal(r.config.repositories[0].deploy_to, "none");
    release(&r);
}

static void test_config_reads_a_list_of_repositories(void **state UNUSED)
{
    static const char text[] = "git: {user: bot}\n"
                               "deploy-to: none\n"
                               "repositories:\n"
                               "- {name: staging, url: /srv/a.git, path: [x, y]}\n"
                               "- {url: /srv/prod/, branch: live, git-readonly: true, deploy-to: 'dir:/m'}\n";
    struct reading r;
    read_with(&r, text, "");
    assert_string_equal(r.err.text, "");
    assert_int_equal(r.config.repositories_len, 2);
    const struct repository_config *first = &r.config.repositories[0], *second = &r.config.repositories[1];
    assert_string_equal(first->name, "staging");
    assert_int_equal(first->paths.len, 2);
    assert_false(first->readonly);
    assert_string_equal(first->deploy_to, "none");
    assert_string_equal(second->name, "prod");
    assert_string_equal(second->branch, "live");
    assert_true(second->readonly);
    assert_string_equal(second->deploy_to, "dir:/m");
    assert_string_equal(r.config.git_user, "bot");
    release(&r);
}

static void test_config_refuses_what_it_cannot_mean(void **state UNUSED)
{
    static const struct {
        const char *file, *flag, *message;
    } cases[] = {
        {NULL, "--git-readonly", "no repository"},
        {NULL, "--git-url=/a --git-path=/b", "begins with"},
        {"git-url: /a\ngit-path: [x/../../y]\n", NULL, "leads out of the repository"},
        {"git-ulr: /a\n", NULL, "git-url"},
        {"git-url: /a\nrepositories: [{url: /b}]\n", NULL, "exclude each other"},
        {"repositories: [{url: /b/x}, {url: /c/x}]\n", NULL, "two repositories are named \"x\""},
        {"repositories: [{name: x}]\n", NULL, ":1: a repository needs a url"},
        {"repositories: [{url: /x, brnach: y}]\n", NULL, "branch"},
        {"repositories: {url: /b}\n", NULL, "must be a list"},
        {"git-url: /a\n---\ngit-url: /b\n", NULL, "more than one document"},
        {"git-url: [\n", NULL, ":"},
        {"git-url: /a\ngit-gpg-key-import: /k\n", NULL, "does not sign"},
        {"git-url: /a\nregistry-rps: 0\n", NULL, "at least 1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct reading r;
        read_with(&r, cases[i].file, cases[i].flag ? cases[i].flag : "");
        if (r.status == 0 || !strstr(r.err.text, cases[i].message))
            fail_msg("case %zu: status %d: %s", i, r.status, r.err.text);
        release(&r);
    }
}

static void test_config_selects_memcached_by_hostname(void **state UNUSED)
{
    struct reading r;
    read_with(&r, NULL, "--git-url=/a --memcached-hostname cache.local --memcached-port=11222");
    AUTO_FREE char *spec = config_cache_spec(&r.config);
    assert_string_equal(spec, "memcached://cache.local:11222");
    release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config_makes_one_repository_of_git_url),
        cmocka_unit_test(test_config_reads_a_list_of_repositories),
        cmocka_unit_test(test_config_refuses_what_it_cannot_mean),
        cmocka_unit_test(test_config_selects_memcached_by_hostname),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
