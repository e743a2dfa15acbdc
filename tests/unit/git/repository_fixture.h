/*
 * Real remotes for the tests of git/: a temporary directory with a HOME of its own, so that no configuration
 * of whoever runs the tests matters, and git's own program to make and look at repositories.
 */
#ifndef TESTS_UNIT_GIT_REPOSITORY_FIXTURE_H
#define TESTS_UNIT_GIT_REPOSITORY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "git/mirror.h"

struct fixture {
    char directory[64]; /* holds remote.git (bare), work (a clone), mirrors/ */
    char *remote, *mirrors;
};

/* Runs a script in the fixture's directory; its output without the last newline. free() it. */
static char *shell(const struct fixture *f, const char *script)
{
    const char *const argv[] = {"sh",   "-c", "set -e; cd \"$1\"; eval \"$2\"", "sh", f->directory,
                                script, NULL};
    const struct process_options options = {.argv = argv, .timeout_ms = 60000};
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct error err = ERROR_INIT;
    if (process_run(&options, "", 0, &out, &err) < 0)
        fail_msg("%s: %s", script, err.text);
    while (out.len && out.buf[out.len - 1] == '\n')
        out.buf[--out.len] = '\0';
    return strbuf_detach(&out, NULL);
}

UNUSED static void run(const struct fixture *f, const char *script)
{
    free(shell(f, script));
}

UNUSED static void assert_shell(const struct fixture *f, const char *script, const char *wanted)
{
    AUTO_FREE char *got = shell(f, script);
    assert_string_equal(got, wanted);
}

static void set_environment(const char *home)
{
    const char *const settings[][2] = {
        {"HOME", home},
        {"XDG_CONFIG_HOME", home},
        {"GIT_CONFIG_NOSYSTEM", "1"},
        {"GIT_CONFIG_GLOBAL", "/dev/null"},
        {"GIT_AUTHOR_NAME", "test"},
        {"GIT_AUTHOR_EMAIL", "test@localhost"},
        {"GIT_COMMITTER_NAME", "test"},
        {"GIT_COMMITTER_EMAIL", "test@localhost"},
        {"GIT_CONFIG_COUNT", "2"},
        {"GIT_CONFIG_KEY_0", "init.defaultBranch"},
        {"GIT_CONFIG_VALUE_0", "main"},
        {"GIT_CONFIG_KEY_1", "advice.detachedHead"},
        {"GIT_CONFIG_VALUE_1", "false"},
    };
    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        setenv(settings[i][0], settings[i][1], 1);
}

/* One commit on main: a.yaml, run.sh (executable), dir/b.yaml, dir/sub/c.yaml, a symbolic link. */
static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    snprintf(f->directory, sizeof(f->directory), "/tmp/pawl-test-XXXXXX");
    if (!mkdtemp(f->directory))
        return -1;
    f->remote = xasprintf("%s/remote.git", f->directory);
    f->mirrors = xasprintf("%s/mirrors", f->directory);
    set_environment(f->directory);
    run(f, "git init -q --bare remote.git; git clone -q remote.git work 2>/dev/null; cd work; "
           "mkdir -p dir/sub; echo 'image: a:1' >a.yaml; echo 'image: b:1' >dir/b.yaml; "
           "echo 'image: c:1' >dir/sub/c.yaml; echo '#!/bin/sh' >run.sh; chmod +x run.sh; ln -s a.yaml "
           "link.yaml; "
           "git add .; git commit -qm first; git push -q origin main");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = {"rm", "-rf", f->directory, NULL};
    const struct process_options options = {.argv = argv, .timeout_ms = 60000};
    struct error err = ERROR_INIT;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    int result = process_run(&options, "", 0, &out, &err);
    free(f->remote);
    free(f->mirrors);
    free(f);
    return result;
}

UNUSED static struct mirror *open_url(const struct fixture *f, const char *url, const char *branch)
{
    const struct mirror_options options = {
        .url = url, .directory = f->mirrors, .branch = branch, .timeout_ms = 20000};
    struct error err = ERROR_INIT;
    struct mirror *mirror = mirror_open(&options, &err);
    if (!mirror)
        fail_msg("%s", err.text);
    return mirror;
}

UNUSED static struct mirror *open_remote(const struct fixture *f)
{
    return open_url(f, f->remote, NULL);
}

UNUSED static void fetch(struct mirror *mirror)
{
    struct error err = ERROR_INIT;
    if (mirror_fetch(mirror, &err) < 0)
        fail_msg("%s", err.text);
}

/* Fails in this way, with these words. */
#define assert_error(call, err, wanted_code, words)                                                          \
    do {                                                                                                     \
        (err) = (struct error)ERROR_INIT;                                                                    \
        assert_int_equal((call), -1);                                                                        \
        if ((err).code != (wanted_code) || !strstr((err).text, (words)))                                     \
            fail_msg("%s: %s", error_code_name((err).code), (err).text);                                     \
    } while (0)

UNUSED static int try_commit(struct mirror *mirror, const char *parent, const char *path, const char *text,
                             char commit[GIT_ID_SIZE], struct error *err)
{
    const struct commit_file file = {path, text, strlen(text)};
    const struct commit_author author = {.name = "pawl", .email = "pawl@localhost", .when_ms = 1700000000123};
    return mirror_commit(mirror, parent, &file, 1, &author, "Update images\n", commit, err);
}

/* A commit on the mirror's head with one file changed. */
UNUSED static void commit_change(struct mirror *mirror, const char *path, const char *text,
                                 char commit[GIT_ID_SIZE])
{
    struct error err = ERROR_INIT;
    if (try_commit(mirror, mirror_head(mirror), path, text, commit, &err) < 0)
        fail_msg("%s", err.text);
}

#endif
