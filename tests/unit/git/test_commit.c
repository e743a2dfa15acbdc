#include "git/mirror.h"

#include "repository_fixture.h"

/* git's view of a commit that is only in the mirror. */
static char *in_mirror(const struct fixture *f, const char *commit, const char *command)
{
    AUTO_FREE char *script =
        xasprintf("c=%s; git -C mirrors/???????????????????????????????????????? %s", commit, command);
    return shell(f, script);
}

#define assert_in_mirror(f, command, commit, wanted)                                                         \
    do {                                                                                                     \
        AUTO_FREE char *got_ = in_mirror(f, commit, command);                                                \
        assert_string_equal(got_, wanted);                                                                   \
    } while (0)

static void test_commit_changes_files_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    struct error err = ERROR_INIT;
    char commit[GIT_ID_SIZE];
    fetch(mirror);
    const struct commit_file files[] = {
        {"run.sh", "#!/bin/dash\n", 12}, {"dir/sub/c.yaml", "c\0d", 3}, {"a.yaml", "", 0}};
    const struct commit_author author = {
        .name = "Paul Öl", .email = "paul@example.org", .when_ms = 1700000000999};
    assert_int_equal(mirror_commit(mirror, mirror_head(mirror), files, 3, &author, "One\n\n two, no newline",
                                   commit, &err),
                     0);
    assert_in_mirror(f, "diff-tree -r --name-status $c^!", commit, "M\ta.yaml\nM\tdir/sub/c.yaml\nM\trun.sh");
    assert_in_mirror(f, "ls-tree $c run.sh | cut -c1-6", commit, "100755");
    assert_in_mirror(f, "ls-tree $c link.yaml | cut -c1-6", commit, "120000");
    assert_in_mirror(f, "cat-file blob $c:dir/sub/c.yaml | od -An -c", commit, "   c  \\0   d");
    assert_in_mirror(f, "cat-file commit $c | tail -n +3", commit,
                     "author Paul Öl <paul@example.org> 1700000000 +0000\n"
                     "committer Paul Öl <paul@example.org> 1700000000 +0000\n\nOne\n\n two, no newline");
    assert_in_mirror(f, "rev-parse $c^", commit, mirror_head(mirror));
    assert_in_mirror(f, "for-each-ref --contains $c", commit, "");
    assert_in_mirror(f, "fsck --strict --no-dangling $c", commit, "");
    mirror_free(mirror);
}

#define MANY 40 /* more than what is written object by object */

/* The remote gets the files, and the commit changes all but the first. */
static void test_commit_of_many_files_is_one_pack(void **state)
{
    struct fixture *f = *state;
    run(f,
        "cd work && for i in $(seq 0 39); do mkdir -p m/$((i % 7)); echo $i > m/$((i % 7))/$i.yaml; done && "
        "git add m && git commit -qm many && git push -q");
    struct mirror *mirror = open_remote(f);
    fetch(mirror);
    struct commit_file files[MANY];
    char paths[MANY][32], texts[MANY][32];
    for (size_t i = 0; i < MANY; i++) {
        snprintf(paths[i], sizeof(paths[i]), "m/%zu/%zu.yaml", i % 7, i);
        int len = snprintf(texts[i], sizeof(texts[i]), "changed %zu\n", i);
        files[i] = (struct commit_file){paths[i], texts[i], (size_t)len};
    }
    const struct commit_author author = {.name = "pawl", .email = "pawl@localhost", .when_ms = 1700000000000};
    struct error err = ERROR_INIT;
    char commit[GIT_ID_SIZE], again[GIT_ID_SIZE];
    const char *head = mirror_head(mirror);
    assert_int_equal(mirror_commit(mirror, head, files + 1, MANY - 1, &author, "m", commit, &err), 0);
    assert_in_mirror(f, "fsck --strict --no-dangling $c", commit, "");
    assert_in_mirror(f, "diff-tree -r --name-only $c^! | wc -l", commit, "39");
    assert_in_mirror(f, "show $c:m/4/39.yaml", commit, "changed 39");
    assert_in_mirror(f, "count-objects", commit, "0 objects, 0 kilobytes");
    assert_int_equal(mirror_commit(mirror, head, files + 1, MANY - 1, &author, "m", again, &err), 0);
    assert_string_equal(commit, again);
    files[3].path = "m/none.yaml";
    assert_error(mirror_commit(mirror, head, files, MANY, &author, "m", again, &err), err, ERROR_NOT_FOUND,
                 "m/none.yaml");
    assert_int_equal(mirror_push(mirror, commit, &err), 0);
    mirror_free(mirror);
}

/* The same change made again (after a death before the push) is the same commit. */
static void test_commit_is_the_same_for_the_same_change(void **state)
{
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    char one[GIT_ID_SIZE], two[GIT_ID_SIZE];
    fetch(mirror);
    commit_change(mirror, "a.yaml", "image: a:2\n", one);
    commit_change(mirror, "a.yaml", "image: a:2\n", two);
    assert_string_equal(one, two);
    mirror_free(mirror);
}

static void test_commit_refuses_what_is_no_change_of_a_file(void **state)
{
    static const struct {
        const char *path, *text;
        enum error_code code;
        const char *says;
    } cases[] = {
        {"new.yaml", "x", ERROR_NOT_FOUND, "no file new.yaml"},
        {"dir", "x", ERROR_INVALID, "not a regular file"},
        {"link.yaml", "x", ERROR_INVALID, "not a regular file"},
        {"../a.yaml", "x", ERROR_NOT_FOUND, "no file ../a.yaml"},
        {"a.yaml", "image: a:1\n", ERROR_INVALID, "change nothing"},
    };
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    struct error err;
    char commit[GIT_ID_SIZE] = "untouched";
    fetch(mirror);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_error(try_commit(mirror, mirror_head(mirror), cases[i].path, cases[i].text, commit, &err), err,
                     cases[i].code, cases[i].says);
    assert_error(try_commit(mirror, "main", "a.yaml", "x", commit, &err), err, ERROR_INVALID, "no commit id");
    const struct commit_file twice[] = {{"a.yaml", "x", 1}, {"a.yaml", "y", 1}};
    const struct commit_author author = {.name = "pawl", .email = "pawl@localhost"},
                               nobody = {.name = "", .email = ""},
                               two_lines = {.name = "a\nparent b", .email = "a@b"};
    assert_error(mirror_commit(mirror, mirror_head(mirror), twice, 2, &author, "m", commit, &err), err,
                 ERROR_INVALID, "twice");
    assert_error(mirror_commit(mirror, mirror_head(mirror), twice, 1, &nobody, "m", commit, &err), err,
                 ERROR_USAGE, "set a name");
    assert_error(mirror_commit(mirror, mirror_head(mirror), twice, 1, &two_lines, "m", commit, &err), err,
                 ERROR_USAGE, "set a name");
    assert_string_equal(commit, "untouched");
    mirror_free(mirror);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_commit_changes_files_and_nothing_else),
        TEST(test_commit_of_many_files_is_one_pack),
        TEST(test_commit_is_the_same_for_the_same_change),
        TEST(test_commit_refuses_what_is_no_change_of_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
