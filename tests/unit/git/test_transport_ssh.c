/*
 * ssh:// with a stand-in for the user's ssh: a script that runs the remote command here, or fails in the words
 * of the real one. The real one with a real sshd is for the integration tests.
 */
#include "git/mirror.h"

#include "repository_fixture.h"

/* GIT_SSH: keeps its arguments and runs the last one with a shell, as sshd does. */
static void install_ssh(const struct fixture *f, const char *body)
{
    AUTO_FREE char *script = xasprintf("printf '#!/bin/sh\\n%%s\\n' '%s' >ssh; chmod +x ssh", body);
    AUTO_FREE char *path = xasprintf("%s/ssh", f->directory);
    run(f, script);
    setenv("GIT_SSH", path, 1);
    unsetenv("GIT_SSH_COMMAND");
}

static void test_transport_ssh_fetches_and_pushes(void **state)
{
    struct fixture *f = *state;
    install_ssh(f, "echo \"$@\" >>$HOME/calls; for last; do :; done; exec sh -c \"$last\"");
    AUTO_FREE char *url = xasprintf("ssh://git@example.org:2222%s", f->remote);
    struct mirror *mirror = open_url(f, url, NULL);
    struct error err = ERROR_INIT;
    char commit[GIT_ID_SIZE];
    fetch(mirror);
    commit_change(mirror, "a.yaml", "image: a:2\n", commit);
    if (mirror_push(mirror, commit, &err) < 0)
        fail_msg("%s", err.text);
    assert_shell(f, "git -C remote.git rev-parse main", commit);
    AUTO_FREE char *calls = xasprintf("-p 2222 git@example.org git-upload-pack '%s'\n"
                                      "-p 2222 git@example.org git-receive-pack '%s'",
                                      f->remote, f->remote);
    assert_shell(f, "cat calls", calls);
    mirror_free(mirror);
}

static void test_transport_ssh_command_is_for_the_shell(void **state)
{
    struct fixture *f = *state;
    install_ssh(f, "for last; do :; done; echo \"$1\" >$HOME/first; exec sh -c \"$last\"");
    setenv("GIT_SSH_COMMAND", "X='-i key'; \"$GIT_SSH\" \"$X\"", 1);
    AUTO_FREE char *url = xasprintf("host:%s", f->remote);
    struct mirror *mirror = open_url(f, url, NULL);
    fetch(mirror);
    assert_shell(f, "cat first", "-i key");
    mirror_free(mirror);
    unsetenv("GIT_SSH_COMMAND");
}

static void test_transport_ssh_says_what_failed_and_what_to_try(void **state)
{
    static const struct {
        const char *body;
        enum error_code code;
        const char *says, *hint;
    } cases[] = {
        {"echo \"No ED25519 host key is known for h.\" >&2; echo \"Host key verification failed.\" >&2; exit "
         "255",
         ERROR_TLS, "Host key verification failed", "known_hosts"},
        {"echo \"git@h: Permission denied (publickey).\" >&2; exit 255", ERROR_UNAUTHORIZED,
         "git@h: Permission denied (publickey)", "ssh-add -l"},
        {"echo \"ssh: Could not resolve hostname h: Name or service not known\" >&2; exit 255", ERROR_NETWORK,
         "Could not resolve hostname h", "DNS"},
        {"echo \"ssh: connect to host h port 22: Connection refused\" >&2; exit 255", ERROR_NETWORK,
         "Connection refused", "port"},
        {"echo \"ERROR: Repository not found.\" >&2; exit 1", ERROR_NOT_FOUND, "Repository not found",
         "path"},
        {"echo \"remote: The project you were looking for could not be found\" >&2; exit 1", ERROR_NOT_FOUND,
         "could not be found", "path"},
        {"exec git-upload-pack /nowhere", ERROR_NOT_FOUND, "does not appear to be a git repository", "path"},
        {"exit 255", ERROR_NETWORK, "status 255", "said nothing"},
        {"echo \"something else\" >&2; exit 7", ERROR_NETWORK, "something else", "ssh://h/r"},
        {"echo \"Welcome to h\"", ERROR_NETWORK, "ssh://h/r", ""},
        {"printf \"0012ERR no entry\\n\\n\"", ERROR_NETWORK, "no entry", "ssh://h/r"},
        {"exec sleep 60", ERROR_TIMEOUT, "did not answer within 1 seconds", "is the host up"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        install_ssh(f, cases[i].body);
        const struct mirror_options options = {
            .url = "ssh://h/r", .directory = f->mirrors, .timeout_ms = 900};
        struct error err = ERROR_INIT;
        struct mirror *mirror = mirror_open(&options, &err);
        assert_non_null(mirror);
        assert_error(mirror_fetch(mirror, &err), err, cases[i].code, cases[i].says);
        if (!strstr(err.text, cases[i].hint))
            fail_msg("no \"%s\" in: %s", cases[i].hint, err.text);
        mirror_free(mirror);
    }
}

static void test_transport_ssh_names_a_missing_program(void **state)
{
    struct fixture *f = *state;
    setenv("GIT_SSH", "/nowhere/ssh", 1);
    struct mirror *mirror = open_url(f, "ssh://h/r", NULL);
    struct error err;
    assert_error(mirror_fetch(mirror, &err), err, ERROR_IO, "no program /nowhere/ssh");
    mirror_free(mirror);
}

/* A repository that git is at work in (we run in one of its hooks) is not the one that we mean. */
static void test_transport_process_leaves_out_the_environment_of_git(void **state)
{
    struct fixture *f = *state;
    setenv("GIT_DIR", "/nowhere", 1);
    setenv("GIT_PROTOCOL", "version=2", 1);
    struct mirror *mirror = open_remote(f);
    fetch(mirror);
    unsetenv("GIT_DIR");
    unsetenv("GIT_PROTOCOL");
    assert_shell(f, "git -C remote.git rev-parse main", mirror_head(mirror));
    mirror_free(mirror);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_transport_ssh_fetches_and_pushes),
        TEST(test_transport_ssh_command_is_for_the_shell),
        TEST(test_transport_ssh_says_what_failed_and_what_to_try),
        TEST(test_transport_ssh_names_a_missing_program),
        TEST(test_transport_process_leaves_out_the_environment_of_git),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
