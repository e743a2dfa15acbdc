#include "git/mirror.h"

#include "base/limits.h"

#include "repository_fixture.h"

/* The mirror's directory, of which there is one. */
#define MIRROR "mirrors/????????????????????????????????????????"

static void test_mirror_fetch_finds_the_default_branch(void **state)
{
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    assert_string_equal(mirror_head(mirror), "");
    assert_null(mirror_branch(mirror));
    assert_string_equal(mirror_url(mirror), f->remote);
    fetch(mirror);
    assert_string_equal(mirror_branch(mirror), "main");
    assert_shell(f, "git -C remote.git rev-parse main", mirror_head(mirror));
    mirror_free(mirror);

    mirror = open_remote(f); /* both are known before the next fetch */
    assert_string_equal(mirror_branch(mirror), "main");
    assert_shell(f, "git -C remote.git rev-parse main", mirror_head(mirror));
    mirror_free(mirror);
}

static void test_mirror_fetch_follows_the_remote(void **state)
{
    static const struct {
        const char *change, *branch;
    } cases[] = {
        {"cd work; echo 2 >a.yaml; git commit -qam second; git push -q origin main", "main"},
        {"cd work; git commit -q --amend -m rewritten; git push -qf origin main", "main"},
        {"cd work; git reset -q --hard HEAD~1; git push -qf origin main", "main"},
        {"cd work; git checkout -qb next; git commit -q --allow-empty -m n; git push -q origin next; "
         "git -C ../remote.git symbolic-ref HEAD refs/heads/next",
         "next"},
        {"git -C remote.git symbolic-ref HEAD refs/heads/gone", "main"},
        {"git -C remote.git update-ref --no-deref HEAD refs/heads/next", "next"},
        {"git -C remote.git pack-refs --all", "next"},
    };
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        run(f, cases[i].change);
        fetch(mirror);
        assert_string_equal(mirror_branch(mirror), cases[i].branch);
        AUTO_FREE char *script = xasprintf("git -C remote.git rev-parse %s", cases[i].branch);
        assert_shell(f, script, mirror_head(mirror));
        run(f, "git -C " MIRROR " fsck --strict --connectivity-only");
    }
    mirror_free(mirror);
}

static void test_mirror_fetch_takes_one_branch_and_no_tags(void **state)
{
    struct fixture *f = *state;
    run(f, "cd work; git tag -am t v1; git checkout -qb other; git commit -q --allow-empty -m o; "
           "git push -q origin other v1");
    struct mirror *mirror = open_url(f, f->remote, "other");
    fetch(mirror);
    assert_shell(f, "git -C " MIRROR " for-each-ref --format='%(refname)'", "refs/remotes/origin/other");
    mirror_free(mirror);
}

static void test_mirror_fetch_says_what_is_missing(void **state)
{
    struct fixture *f = *state;
    struct error err;
    run(f,
        "git init -q --bare empty.git; cd work; for i in 1 2 3 4 5 6 7 8 9 10 11; do git branch b$i; done; "
        "git push -q origin --all");
    struct mirror *mirror = open_url(f, f->remote, "mian");
    assert_error(mirror_fetch(mirror, &err), err, ERROR_NOT_FOUND, "no branch mian; it has b1, b10, b11, b2");
    assert_non_null(strstr(err.text, "and 2 more"));
    mirror_free(mirror);

    AUTO_FREE char *empty = xasprintf("file://%s/empty.git", f->directory);
    mirror = open_url(f, empty, NULL);
    assert_error(mirror_fetch(mirror, &err), err, ERROR_NOT_FOUND, "no branch yet");
    mirror_free(mirror);

    AUTO_FREE char *nowhere = xasprintf("%s/nowhere", f->directory);
    mirror = open_url(f, nowhere, NULL);
    assert_error(mirror_fetch(mirror, &err), err, ERROR_NOT_FOUND, "does not appear to be a git repository");
    assert_non_null(strstr(err.text, nowhere));
    assert_string_equal(mirror_head(mirror), "");
    mirror_free(mirror);
}

static void test_mirror_open_refuses_what_is_no_repository_or_branch(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *url, *branch;
        enum error_code code;
    } cases[] = {
        {"git://host/r", NULL, ERROR_UNSUPPORTED},
        {"-x", NULL, ERROR_USAGE},
        {"/srv/r", "a..b", ERROR_USAGE},
        {"/srv/r", "", ERROR_USAGE},
        {"/srv/r", "a:b", ERROR_USAGE},
        {"/srv/r", "a b", ERROR_USAGE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        const struct mirror_options options = {
            .url = cases[i].url, .directory = f->mirrors, .branch = cases[i].branch};
        assert_null(mirror_open(&options, &err));
        assert_int_equal(err.code, cases[i].code);
    }
}

static void test_mirror_open_heals_damage(void **state)
{
    static const char *const damages[] = {
        "rm -rf " MIRROR "/objects/*",
        "for f in " MIRROR "/objects/pack/*.pack; do chmod u+w $f; : >$f; done",
        "rm " MIRROR "/HEAD",
        "cd " MIRROR "; echo '[' >config",
        "cd " MIRROR "; echo junk >refs/remotes/origin/main",
        "cd " MIRROR "; : >refs/remotes/origin/main",
        "cd " MIRROR "; echo 0123456789012345678901234567890123456789 >refs/remotes/origin/main",
        "rm -rf " MIRROR "/refs",
        "d=$(echo " MIRROR "); mv $d $d.old; mkdir $d.new",
        "d=$(echo " MIRROR "); rm -r $d; echo >$d",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
        struct mirror *mirror = open_remote(f);
        fetch(mirror);
        mirror_free(mirror);
        run(f, damages[i]);
        mirror = open_remote(f);
        if (mirror_head(mirror)[0])
            fail_msg("not seen: %s", damages[i]);
        fetch(mirror);
        assert_shell(f, "git -C remote.git rev-parse main", mirror_head(mirror));
        mirror_free(mirror);
        run(f, "git -C " MIRROR " fsck --strict");
        assert_shell(f, "ls -d mirrors/*.old mirrors/*.new 2>/dev/null || echo clean", "clean");
    }
}

/* A blob that is gone is found while reading; the next opening makes the mirror anew. */
static void test_mirror_read_marks_damage(void **state)
{
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    struct error err;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    fetch(mirror);
    assert_error(mirror_read_blob(mirror, "0123456789012345678901234567890123456789", 100, &out, &err), err,
                 ERROR_IO, "damaged");
    mirror_free(mirror);
    mirror = open_remote(f);
    assert_string_equal(mirror_head(mirror), "");
    fetch(mirror);
    mirror_free(mirror);
    mirror = open_remote(f);
    assert_string_not_equal(mirror_head(mirror), "");
    mirror_free(mirror);
}

static void test_mirror_lock_orders_rounds(void **state)
{
    struct fixture *f = *state;
    struct mirror *one = open_remote(f), *two = open_remote(f);
    struct error err = ERROR_INIT;
    AUTO_FREE char *pid = xasprintf("process %d", (int)getpid());
    assert_int_equal(mirror_lock(one, 1000, &err), 0);
    assert_int_equal(mirror_lock(one, 1000, &err), 0); /* held already */
    fetch(one);
    assert_error(mirror_lock(two, 50, &err), err, ERROR_TIMEOUT, pid);
    mirror_unlock(one);
    mirror_unlock(one);
    err = (struct error)ERROR_INIT;
    assert_int_equal(mirror_lock(two, 1000, &err), 0);
    mirror_free(two); /* gives it back */
    assert_int_equal(mirror_lock(one, 1000, &err), 0);
    mirror_free(one);
}

/* Whoever holds the lock after a death removes what stands in the way of writing. */
static void test_mirror_lock_sweeps_after_a_death(void **state)
{
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    fetch(mirror);
    run(f, "cd " MIRROR "; touch refs/remotes/origin/main.lock config.lock objects/pack/pack_git2_0123 "
           "objects/tmp_object_git2_0123; mkdir -p refs/pawl/push; cp refs/remotes/origin/main "
           "refs/pawl/push/1; "
           "echo 99999 >$(pwd).lock");
    run(f, "cd work; echo 2 >a.yaml; git commit -qam second; git push -q origin main");
    fetch(mirror);
    assert_shell(f, "git -C remote.git rev-parse main", mirror_head(mirror));
    assert_shell(
        f, "cd " MIRROR "; find . -name '*.lock' -o -name '*_git2_*' -o -path '*pawl*'; cat $(pwd).lock", "");
    mirror_free(mirror);
}

/* Two branches of one repository share a mirror, a third repository has its own. */
static void test_mirror_directory_is_named_by_the_repository(void **state)
{
    struct fixture *f = *state;
    run(f, "cd work; git branch next; git push -q origin next; cp -r ../remote.git ../other.git");
    AUTO_FREE char *other = xasprintf("%s/other.git", f->directory);
    struct mirror *mirrors[] = {open_url(f, f->remote, "main"), open_url(f, f->remote, "next"),
                                open_url(f, other, "main")};
    for (size_t i = 0; i < ARRAY_LEN(mirrors); i++) {
        fetch(mirrors[i]);
        mirror_free(mirrors[i]);
    }
    assert_shell(f, "ls -d " MIRROR " | wc -l", "2");
}

/* Each fetch leaves a pack; a thousand of them must not be in the way. */
static void test_mirror_fetch_keeps_few_packs(void **state)
{
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    for (unsigned i = 0; i < LIMIT_GIT_PACKS + 5; i++) {
        AUTO_FREE char *script =
            xasprintf("cd work; echo %u >a.yaml; git commit -qam %u; git push -q origin main", i, i);
        run(f, script);
        fetch(mirror);
    }
    AUTO_FREE char *count = shell(f, "ls " MIRROR "/objects/pack/*.pack | wc -l");
    assert_in_range(strtol(count, NULL, 10), 1, 10);
    AUTO_FREE char *mapped =
        xasprintf("grep -c 'objects/pack/.*(deleted)' /proc/%d/maps || true", (int)getpid());
    assert_shell(f, mapped, "0"); /* what was removed is not kept open either */
    run(f, "git -C " MIRROR " fsck --strict");
    char commit[GIT_ID_SIZE];
    struct error err = ERROR_INIT;
    commit_change(mirror, "a.yaml", "image: a:2\n", commit); /* the open mirror reads on */
    assert_int_equal(mirror_push(mirror, commit, &err), 0);
    mirror_free(mirror);
    mirror = open_remote(f);
    assert_string_equal(mirror_head(mirror), commit);
    mirror_free(mirror);
}

/* Each small commit leaves objects in files of their own; a year of them must not fill the disk's table of files. */
static void test_mirror_push_keeps_few_loose_objects(void **state)
{
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    char commit[GIT_ID_SIZE];
    struct error err = ERROR_INIT;
    fetch(mirror);
    run(f, "mkdir many; cd many; for i in $(seq 3000); do echo $i >$i; done; "
           "ls -d $PWD/* | git -C ../" MIRROR " hash-object -w --stdin-paths >/dev/null");
    AUTO_FREE char *before = shell(f, "find " MIRROR "/objects/?? -type f | wc -l");
    assert_in_range(strtol(before, NULL, 10), 3000, 4000);
    commit_change(mirror, "a.yaml", "image: a:2\n", commit);
    assert_int_equal(mirror_push(mirror, commit, &err), 0);
    assert_shell(f, "find " MIRROR "/objects/?? -type f | wc -l", "0");
    run(f, "git -C " MIRROR " fsck --strict; echo 17 | git hash-object --stdin | "
           "xargs git -C " MIRROR " cat-file -e");
    commit_change(mirror, "a.yaml", "image: a:3\n", commit); /* the open mirror reads on */
    assert_int_equal(mirror_push(mirror, commit, &err), 0);
    assert_shell(f, "git -C remote.git show main:a.yaml", "image: a:3");
    mirror_free(mirror);
}

/* -- pushing --------------------------------------------------------------------------------------------- */

static void test_mirror_push_moves_the_branch(void **state)
{
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    char commit[GIT_ID_SIZE];
    struct error err = ERROR_INIT;
    fetch(mirror);
    for (int i = 0; i < 3; i++) {
        AUTO_FREE char *text = xasprintf("image: b:%d\n", i + 2);
        commit_change(mirror, "dir/b.yaml", text, commit);
        assert_int_equal(mirror_push(mirror, commit, &err), 0);
        assert_string_equal(mirror_head(mirror), commit);
        assert_shell(f, "git -C remote.git rev-parse main", commit);
        fetch(mirror);
        assert_string_equal(mirror_head(mirror), commit);
    }
    assert_int_equal(mirror_push(mirror, commit, &err), 0); /* the answer to an earlier push was lost */
    assert_shell(f, "git -C remote.git show main:dir/b.yaml", "image: b:4");
    assert_shell(f, "git -C remote.git rev-list --count main", "4");
    run(f, "git -C remote.git fsck --strict; git -C " MIRROR " fsck --strict");
    assert_shell(f, "git -C " MIRROR " for-each-ref --format='%(refname)' refs/pawl", "");
    mirror_free(mirror);
}

static void test_mirror_push_is_a_conflict_when_the_branch_moved(void **state)
{
    static const char *const moves[] = {
        "cd work; git pull -q; echo x >>run.sh; git commit -qam theirs; git push -q origin main",
        "cd work; git commit -q --amend -m rewritten; git push -qf origin main",
        ("cd work; git checkout -q --orphan new; git commit -qm alone; git push -qf origin new:main; "
         "git checkout -q main; git fetch -q; git reset -q --hard origin/main"),
    };
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    char commit[GIT_ID_SIZE];
    struct error err;
    for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
        fetch(mirror);
        commit_change(mirror, "a.yaml", "image: a:2\n", commit);
        run(f, moves[i]);
        AUTO_FREE char *theirs = shell(f, "git -C remote.git rev-parse main");
        assert_error(mirror_push(mirror, commit, &err), err, ERROR_CONFLICT, "has moved");
        assert_shell(f, "git -C remote.git rev-parse main", theirs);
        fetch(mirror);
        assert_string_equal(mirror_head(mirror), theirs);
    }
    mirror_free(mirror);
}

/* The branch moves after the remote has greeted us: only receive-pack's own comparison can see that. */
static void test_mirror_push_is_a_conflict_when_the_race_is_lost_inside_the_push(void **state)
{
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    char commit[GIT_ID_SIZE];
    struct error err;
    fetch(mirror);
    commit_change(mirror, "a.yaml", "image: a:2\n", commit);
    run(f, "cd work; echo x >>run.sh; git commit -qam theirs; git push -q origin HEAD:refs/heads/theirs; "
           "printf '#!/bin/sh\\nexec git update-ref refs/heads/main refs/heads/theirs\\n' "
           ">../remote.git/hooks/update; "
           "chmod +x ../remote.git/hooks/update");
    assert_error(mirror_push(mirror, commit, &err), err, ERROR_CONFLICT, "has moved");
    AUTO_FREE char *theirs = shell(f, "git -C work rev-parse HEAD");
    assert_shell(f, "git -C remote.git rev-parse main", theirs);
    mirror_free(mirror);
}

static void test_mirror_push_is_a_conflict_when_the_branch_is_gone(void **state)
{
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    char commit[GIT_ID_SIZE];
    struct error err;
    fetch(mirror);
    commit_change(mirror, "a.yaml", "image: a:2\n", commit);
    run(f, "git -C remote.git branch other main; git -C remote.git symbolic-ref HEAD refs/heads/other; "
           "git -C remote.git branch -D main");
    assert_error(mirror_push(mirror, commit, &err), err, ERROR_CONFLICT, "not there any more");
    assert_shell(f, "git -C remote.git for-each-ref --format='%(refname)'", "refs/heads/other");
    mirror_free(mirror);
}

static void test_mirror_push_is_forbidden_in_the_words_of_the_remote(void **state)
{
    static const struct {
        const char *change;
        const char *says[2];
    } cases[] = {
        {"printf '#!/bin/sh\\necho \"only on Mondays\" >&2; exit 1\\n' >remote.git/hooks/pre-receive; "
         "chmod +x remote.git/hooks/pre-receive",
         {"pre-receive hook declined", "only on Mondays"}},
        {"rm remote.git/hooks/pre-receive; printf '#!/bin/sh\\necho \"$1 is \\033[31mprotected\"; exit 1\\n' "
         ">remote.git/hooks/update; chmod +x remote.git/hooks/update",
         {"hook declined", "refs/heads/main is ?[31mprotected"}},
        {"rm remote.git/hooks/update; git -C remote.git config receive.maxInputSize 1",
         {"unpack", "exceeds"}},
        {"git -C remote.git config --unset receive.maxInputSize; git -C remote.git config core.bare false; "
         "git -C remote.git config core.worktree ..",
         {"currently checked out", "updateInstead"}},
    };
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    char commit[GIT_ID_SIZE];
    struct error err;
    fetch(mirror);
    commit_change(mirror, "a.yaml", "image: a:2\n", commit);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        run(f, cases[i].change);
        assert_error(mirror_push(mirror, commit, &err), err, ERROR_FORBIDDEN, cases[i].says[0]);
        if (!strstr(err.text, cases[i].says[1]))
            fail_msg("%s", err.text);
    }
    assert_shell(f, "git --git-dir=remote.git log --format=%s main", "first");
    mirror_free(mirror);
}

/* Hooks of the remote run, and have their time. */
static void test_mirror_push_runs_the_hooks_of_the_remote(void **state)
{
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    char commit[GIT_ID_SIZE];
    struct error err = ERROR_INIT;
    fetch(mirror);
    commit_change(mirror, "a.yaml", "image: a:2\n", commit);
    run(f, "printf '#!/bin/sh\\ncat >received; sleep 0.3; echo thanks >&2; echo done >>received\\n' "
           ">remote.git/hooks/post-receive; chmod +x remote.git/hooks/post-receive");
    assert_int_equal(mirror_push(mirror, commit, &err), 0);
    AUTO_FREE char *received = shell(f, "cat remote.git/received");
    assert_non_null(strstr(received, commit));
    assert_non_null(strstr(received, "done"));
    mirror_free(mirror);
}

static void test_mirror_push_refuses_what_is_not_made_on_the_branch(void **state)
{
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    struct error err;
    fetch(mirror);
    assert_error(mirror_push(mirror, mirror_head(mirror), &err), err, ERROR_INVALID, "was not made on");
    assert_error(mirror_push(mirror, "main", &err), err, ERROR_INVALID, "no commit id");
    assert_error(mirror_push(mirror, "0123456789012345678901234567890123456789", &err), err, ERROR_NOT_FOUND,
                 "has no commit");
    mirror_free(mirror);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_mirror_fetch_finds_the_default_branch),
        TEST(test_mirror_fetch_follows_the_remote),
        TEST(test_mirror_fetch_takes_one_branch_and_no_tags),
        TEST(test_mirror_fetch_says_what_is_missing),
        TEST(test_mirror_open_refuses_what_is_no_repository_or_branch),
        TEST(test_mirror_open_heals_damage),
        TEST(test_mirror_read_marks_damage),
        TEST(test_mirror_lock_orders_rounds),
        TEST(test_mirror_lock_sweeps_after_a_death),
        TEST(test_mirror_directory_is_named_by_the_repository),
        TEST(test_mirror_fetch_keeps_few_packs),
        TEST(test_mirror_push_keeps_few_loose_objects),
        TEST(test_mirror_push_moves_the_branch),
        TEST(test_mirror_push_is_a_conflict_when_the_branch_moved),
        TEST(test_mirror_push_is_a_conflict_when_the_race_is_lost_inside_the_push),
        TEST(test_mirror_push_is_a_conflict_when_the_branch_is_gone),
        TEST(test_mirror_push_is_forbidden_in_the_words_of_the_remote),
        TEST(test_mirror_push_runs_the_hooks_of_the_remote),
        TEST(test_mirror_push_refuses_what_is_not_made_on_the_branch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
