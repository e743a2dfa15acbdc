#include "base/limits.h"
#include "git/mirror.h"

#include "repository_fixture.h"

/* Visits add "path " to the list; a path given here ends the walk. */
struct list {
    struct strbuf text;
    const char *stop_at, *skip, *chart; /* chart: directories that hold such a file are skipped */
    struct mirror *mirror;
};

static int add_file(const struct tree_file *file, void *context, struct error *err)
{
    struct list *list = context;
    if (list->stop_at && !strcmp(file->path, list->stop_at))
        return error_set(err, ERROR_CANCELLED, "stopped");
    strbuf_addf(&list->text, "%s%s ", file->path, file->is_executable ? "*" : "");
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    const char *slash = strrchr(file->path, '/');
    assert_string_equal(file->name, slash ? slash + 1 : file->path);
    return mirror_read_blob(list->mirror, file->blob, 1000, &bytes, err);
}

static bool skip_directory(const char *path, const struct tree_directory *directory, void *context)
{
    struct list *list = context;
    return (list->skip && !strcmp(path, list->skip)) ||
           (list->chart && tree_directory_has(directory, list->chart));
}

static int walk(struct mirror *mirror, const char *path, struct list *list, struct error *err)
{
    strbuf_reset(&list->text);
    list->mirror = mirror;
    return mirror_walk(mirror, mirror_head(mirror), path, skip_directory, add_file, list, err);
}

static void test_tree_walk_visits_files_in_the_order_of_their_paths(void **state)
{
    static const struct {
        const char *path, *skip, *chart, *files;
    } cases[] = {
        {NULL, NULL, NULL, "a.yaml dir-x dir/b.yaml dir/sub/c.yaml dir0 run.sh* "},
        {"", NULL, NULL, "a.yaml dir-x dir/b.yaml dir/sub/c.yaml dir0 run.sh* "},
        {"./", NULL, NULL, "a.yaml dir-x dir/b.yaml dir/sub/c.yaml dir0 run.sh* "},
        {"dir", NULL, NULL, "dir/b.yaml dir/sub/c.yaml "},
        {"/dir//sub/", NULL, NULL, "dir/sub/c.yaml "},
        {"dir/sub/c.yaml", NULL, NULL, "dir/sub/c.yaml "},
        {"run.sh", NULL, NULL, "run.sh* "},
        {NULL, "dir/sub", NULL, "a.yaml dir-x dir/b.yaml dir0 run.sh* "},
        {NULL, "", NULL, ""},
        {NULL, NULL, "b.yaml", "a.yaml dir-x dir0 run.sh* "},
        {NULL, NULL, "sub", "a.yaml dir-x dir/b.yaml dir/sub/c.yaml dir0 run.sh* "}, /* not a file */
    };
    struct fixture *f = *state;
    run(f, "cd work; touch dir-x dir0; git add .; git commit -qm order; git push -q origin main");
    struct mirror *mirror = open_remote(f);
    fetch(mirror);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct list list = {.text = STRBUF_INIT, .skip = cases[i].skip, .chart = cases[i].chart};
        struct error err = ERROR_INIT;
        if (walk(mirror, cases[i].path, &list, &err) < 0)
            fail_msg("%s", err.text);
        assert_string_equal(list.text.buf, cases[i].files);
        strbuf_release(&list.text);
    }
    mirror_free(mirror);
}

static void test_tree_walk_says_why_it_ends(void **state)
{
    static const struct {
        const char *path, *stop_at;
        enum error_code code;
        const char *says;
    } cases[] = {
        {"nowhere", NULL, ERROR_NOT_FOUND, "no file or directory nowhere"},
        {"a.yaml/b", NULL, ERROR_NOT_FOUND, "no file or directory a.yaml/b"},
        {"../etc", NULL, ERROR_NOT_FOUND, "no file or directory"},
        {"link.yaml", NULL, ERROR_NOT_FOUND, "symbolic link"},
        {NULL, "dir/b.yaml", ERROR_CANCELLED, "stopped"},
    };
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    fetch(mirror);
    struct error err;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct list list = {.text = STRBUF_INIT, .stop_at = cases[i].stop_at};
        assert_error(walk(mirror, cases[i].path, &list, &err), err, cases[i].code, cases[i].says);
        strbuf_release(&list.text);
    }
    struct list list = {.text = STRBUF_INIT};
    assert_error(mirror_walk(mirror, "HEAD", NULL, NULL, add_file, &list, &err), err, ERROR_INVALID,
                 "no commit id");
    mirror_free(mirror);
}

/* Trees that git's own tools do not make, but a remote can send. */
static void test_tree_walk_stops_at_names_that_lead_elsewhere(void **state)
{
    static const char *const names[] = {"..", ".", ".git", ".GIT"};
    struct fixture *f = *state;
    struct error err;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_FREE char *script = xasprintf("cd remote.git; blob=$(echo x | git hash-object -w --stdin); "
                                           "tree=$({ printf '100644 %s\\0'; printf %%s $blob | sed "
                                           "'s/../\\\\x&/g' | xargs -0 env printf; } | "
                                           "git hash-object -t tree -w --literally --stdin); "
                                           "git update-ref refs/heads/main $(git commit-tree -m bad $tree)",
                                           names[i]);
        run(f, script);
        struct mirror *mirror = open_remote(f);
        fetch(mirror);
        struct list list = {.text = STRBUF_INIT};
        assert_error(walk(mirror, NULL, &list, &err), err, ERROR_INVALID, "does not allow");
        assert_string_equal(list.text.buf, "");
        strbuf_release(&list.text);
        mirror_free(mirror);
    }
}

static void test_tree_walk_has_a_limit_on_depth(void **state)
{
    struct fixture *f = *state;
    CLEANUP(strbuf_release) struct strbuf script = STRBUF_INIT;
    strbuf_addstr(&script, "cd work; d=.; ");
    strbuf_addf(&script,
                "for i in $(seq %u); do d=$d/d; done; mkdir -p $d; touch $d/ok; git add .; "
                "git commit -qm deep; git push -q origin main",
                LIMIT_GIT_TREE_DEPTH);
    run(f, script.buf);
    struct mirror *mirror = open_remote(f);
    struct list list = {.text = STRBUF_INIT};
    struct error err = ERROR_INIT;
    fetch(mirror);
    assert_int_equal(walk(mirror, "d", &list, &err), 0);
    assert_non_null(strstr(list.text.buf, "d/d/ok "));
    run(f, "cd work; d=$(find d -name ok -printf '%h'); mkdir $d/d; touch $d/d/no; git add .; git commit -qm "
           "deeper; "
           "git push -q origin main");
    fetch(mirror);
    assert_error(walk(mirror, NULL, &list, &err), err, ERROR_TOO_LARGE, "nested deeper");
    strbuf_release(&list.text);
    mirror_free(mirror);
}

static void test_tree_read_blob_keeps_to_its_limit(void **state)
{
    struct fixture *f = *state;
    struct mirror *mirror = open_remote(f);
    struct error err = ERROR_INIT;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    fetch(mirror);
    AUTO_FREE char *blob = shell(f, "git -C remote.git rev-parse main:a.yaml");
    AUTO_FREE char *tree = shell(f, "git -C remote.git rev-parse main:dir");
    strbuf_addstr(&out, "before ");
    assert_int_equal(mirror_read_blob(mirror, blob, 11, &out, &err), 0);
    assert_string_equal(out.buf, "before image: a:1\n");
    assert_error(mirror_read_blob(mirror, blob, 10, &out, &err), err, ERROR_TOO_LARGE, "11 bytes");
    assert_error(mirror_read_blob(mirror, tree, 1000, &out, &err), err, ERROR_INVALID, "no blob");
    assert_error(mirror_read_blob(mirror, "main", 1000, &out, &err), err, ERROR_INVALID, "no blob id");
    assert_string_equal(out.buf, "before image: a:1\n");
    mirror_free(mirror);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_tree_walk_visits_files_in_the_order_of_their_paths),
        TEST(test_tree_walk_says_why_it_ends),
        TEST(test_tree_walk_stops_at_names_that_lead_elsewhere),
        TEST(test_tree_walk_has_a_limit_on_depth),
        TEST(test_tree_read_blob_keeps_to_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
