#include "git/history.h"

#include "repository_fixture.h"

/* What a walk saw: "path:subject " for each change. */
struct seen {
    struct mirror *mirror;
    struct strbuf text;
    size_t most;
};

static int note(const struct history_change *change, void *context, struct error *err)
{
    struct seen *seen = context;
    CLEANUP(commit_info_release) struct commit_info info = {.author = NULL};
    if (mirror_commit_info(seen->mirror, change->commit, &info, err) < 0)
        return -1;
    strbuf_addf(&seen->text, "%s%s:%.*s%s%s", seen->text.len ? " " : "", change->path,
                (int)strcspn(info.message, "\n"), info.message, change->before[0] ? "" : "+",
                change->after[0] ? "" : "-");
    return seen->most && --seen->most == 0 ? 1 : 0;
}

static void assert_history_up_to(struct history *history, struct mirror *mirror, const char *path,
                                 size_t most, const char *wanted)
{
    struct error err = ERROR_INIT;
    struct seen seen = {.mirror = mirror, .text = STRBUF_INIT, .most = most};
    if (history_of_file(history, mirror_head(mirror), path, note, &seen, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(seen.text.buf, wanted);
    strbuf_release(&seen.text);
}

#define assert_history(history, mirror, path, wanted) assert_history_up_to(history, mirror, path, 0, wanted)

static void test_history_of_file_is_newest_first_and_grows(void **state)
{
    struct fixture *f = *state;
    run(f, "cd work; echo 2 >a.yaml; git commit -qam two; echo x >dir/b.yaml; git commit -qam other; "
           "echo 3 >a.yaml; git commit -qam three; git push -q origin main");
    struct mirror *mirror = open_remote(f);
    fetch(mirror);
    struct history *history = history_new(mirror);
    assert_history(history, mirror, "a.yaml", "a.yaml:three a.yaml:two");
    assert_history_up_to(history, mirror, "a.yaml", 1, "a.yaml:three");
    assert_history(history, mirror, "dir/b.yaml", "dir/b.yaml:other");
    assert_history(history, mirror, "dir/sub/c.yaml", "");
    assert_history(history, mirror, "no.yaml", "");
    assert_true(history_is_complete(history));

    run(f, "cd work; echo 4 >a.yaml; git commit -qam four; git push -q origin main");
    fetch(mirror);
    assert_history(history, mirror, "a.yaml", "a.yaml:four a.yaml:three a.yaml:two");

    run(f, "cd work; git reset -q --hard HEAD~2; echo 5 >a.yaml; git commit -qam five; git push -qf origin "
           "main");
    fetch(mirror);
    assert_history(history, mirror, "a.yaml", "a.yaml:five a.yaml:two");
    history_free(history);
    mirror_free(mirror);
}

static void test_history_follows_a_file_that_moved_as_it_is(void **state)
{
    struct fixture *f = *state;
    run(f, "cd work; echo 2 >a.yaml; git commit -qam two; git mv a.yaml dir/a.yaml; git commit -qm move; "
           "echo 3 >dir/a.yaml; git commit -qam three; git mv dir/a.yaml a.yaml; git commit -qm back; "
           "echo 4 >a.yaml; git commit -qam four; git push -q origin main");
    struct mirror *mirror = open_remote(f);
    fetch(mirror);
    struct history *history = history_new(mirror);
    assert_history(history, mirror, "a.yaml", "a.yaml:four dir/a.yaml:three a.yaml:two");
    history_free(history);
    mirror_free(mirror);
}

static void test_history_shows_files_that_came_and_went(void **state)
{
    struct fixture *f = *state;
    run(f, "cd work; echo n >dir/new.yaml; git add .; git commit -qm new; git rm -q dir/new.yaml; git commit "
           "-qm gone; "
           "mkdir dir/new.yaml; echo n2 >dir/new.yaml/x.yaml; git add .; git commit -qm directory; "
           "git rm -qr dir/new.yaml; git commit -qm removed; "
           "echo m >dir/new.yaml; git add .; git commit -qm again; git push -q origin main");
    struct mirror *mirror = open_remote(f);
    fetch(mirror);
    struct history *history = history_new(mirror);
    assert_history(history, mirror, "dir/new.yaml",
                   "dir/new.yaml:again+ dir/new.yaml:gone- dir/new.yaml:new+");
    assert_history(history, mirror, "dir/new.yaml/x.yaml",
                   "dir/new.yaml/x.yaml:removed- dir/new.yaml/x.yaml:directory+");
    history_free(history);
    mirror_free(mirror);
}

/* The newest change of a file. */
static int take_first(const struct history_change *change, void *context, struct error *err UNUSED)
{
    struct history_change *first = context;
    *first = *change;
    return 1;
}

static int list_path(const struct history_change *change, void *context, struct error *err UNUSED)
{
    strbuf_addf(context, "%s%s%s ", change->path, change->before[0] ? "" : "+", change->after[0] ? "" : "-");
    return 0;
}

static void test_history_shows_what_a_commit_did_beside_and_what_was_before(void **state)
{
    struct fixture *f = *state;
    run(f, "cd work; echo 2 >a.yaml; git commit -qam second; "
           "git rm -q a.yaml; echo 3 >new.yaml; echo y >dir/b.yaml; git add .; git commit -qam split; "
           "echo 4 >new.yaml; git commit -qam fourth; git push -q origin main");
    struct mirror *mirror = open_remote(f);
    fetch(mirror);
    struct history *history = history_new(mirror);
    struct error err = ERROR_INIT;
    CLEANUP(strbuf_release) struct strbuf paths = STRBUF_INIT;
    struct history_change split;
    assert_int_equal(history_of_file(history, mirror_head(mirror), "dir/b.yaml", take_first, &split, &err),
                     0);
    assert_int_equal(history_beside(history, &split, list_path, &paths, &err), 0);
    assert_string_equal(paths.buf,
                        "a.yaml- "); /* not itself, nothing that was added, nothing of other commits */
    struct seen seen = {.mirror = mirror, .text = STRBUF_INIT};
    assert_int_equal(history_before(history, "a.yaml", split.order + 2, note, &seen, &err), 0);
    assert_non_null(strstr(seen.text.buf, "a.yaml:second"));
    assert_null(strstr(seen.text.buf, "fourth"));
    strbuf_release(&seen.text);
    history_free(history);
    mirror_free(mirror);
}

static void test_history_goes_through_all_parents_of_a_merge(void **state)
{
    struct fixture *f = *state;
    run(f,
        "cd work; git checkout -qb side; echo 2 >a.yaml; git commit -qam side; git checkout -q main; "
        "echo x >dir/b.yaml; git commit -qam main; git merge -q --no-edit -m merge side; "
        "git checkout -qb other HEAD~1; echo 8 >a.yaml; git commit -qam theirs; git checkout -q main; "
        "git merge -q -m both other || true; echo 9 >a.yaml; git commit -qam both; git push -q origin main");
    struct mirror *mirror = open_remote(f);
    fetch(mirror);
    struct history *history = history_new(mirror);
    struct error err = ERROR_INIT;
    struct seen seen = {.mirror = mirror, .text = STRBUF_INIT};
    assert_int_equal(history_of_file(history, mirror_head(mirror), "a.yaml", note, &seen, &err), 0);
    assert_true(str_starts_with(seen.text.buf, "a.yaml:both")); /* neither parent has that */
    assert_non_null(strstr(seen.text.buf, "a.yaml:side"));
    assert_non_null(strstr(seen.text.buf, "a.yaml:theirs"));
    assert_null(strstr(seen.text.buf, "a.yaml:merge")); /* took one side's text */
    strbuf_release(&seen.text);
    assert_history(history, mirror, "dir/b.yaml", "dir/b.yaml:main");
    history_free(history);
    mirror_free(mirror);
}

static void test_mirror_find_commit_takes_prefixes(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    struct mirror *mirror = open_remote(f);
    fetch(mirror);
    char commit[GIT_ID_SIZE] = "";
    AUTO_FREE char *prefix = xmemdupz(mirror_head(mirror), 7);
    assert_int_equal(mirror_find_commit(mirror, prefix, commit, &err), 0);
    assert_string_equal(commit, mirror_head(mirror));
    assert_error(mirror_find_commit(mirror, "xyz", commit, &err), err, ERROR_INVALID, "no commit id");
    assert_error(mirror_find_commit(mirror, "abc", commit, &err), err, ERROR_INVALID, "no commit id");
    prefix[0] = prefix[0] == 'f' ? '0' : 'f';
    assert_error(mirror_find_commit(mirror, prefix, commit, &err), err, ERROR_NOT_FOUND, "has no commit");
    mirror_free(mirror);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_history_of_file_is_newest_first_and_grows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_history_follows_a_file_that_moved_as_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(test_history_shows_files_that_came_and_went, setup, teardown),
        cmocka_unit_test_setup_teardown(test_history_shows_what_a_commit_did_beside_and_what_was_before,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_history_goes_through_all_parents_of_a_merge, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mirror_find_commit_takes_prefixes, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
