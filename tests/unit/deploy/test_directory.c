#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "deploy/directory_layout.h"
#include "deploy/target.h"

#define CONFIG_MAP(name) "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " name "\n"
#define IGNORED(name)    CONFIG_MAP(name) "  annotations: {fluxcd.io/ignore: 'true'}\n"

/* A fresh directory, gone after the test. */
static int make_directory(void **state)
{
    char *path = xstrdup("/tmp/pawl-test-XXXXXX");
    *state = path;
    return mkdtemp(path) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *is, int type, struct FTW *where)
{
    (void)is;
    (void)type;
    (void)where;
    return remove(path);
}

static int remove_directory(void **state)
{
    nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return 0;
}

struct text_file {
    const char *path, *text;
};

static bool is_ignored(const struct resource *resource)
{
    const char *value = resource_annotation(resource, "fluxcd.io/ignore");
    return value && strcmp(value, "true") == 0;
}

/* Applies the files (the last has no path) and gives back the report and the set it points into. */
static struct manifest_set *apply_to(const char *root, const struct text_file *files,
                                     const char *const *paths, bool dry_run, struct apply_report *report)
{
    struct manifest_set *set = manifest_set_new();
    for (; files->path; files++)
        manifest_set_add(
            set, manifest_file_new(files->path, xstrdup(files->text), strlen(files->text), "default"));
    manifest_set_finish(set);
    struct apply_request request = {
        .manifests = set, .leave_alone = is_ignored, .paths = paths, .dry_run = dry_run};
    struct deploy_target *target = NULL;
    struct error err = ERROR_INIT;
    if (directory_target_open(root, &target, &err) < 0 ||
        deploy_target_apply(target, &request, report, &err) < 0)
        fail_msg("%s", err.text);
    deploy_target_free(target);
    return set;
}

static void apply_and_count(const char *root, const struct text_file *files, size_t created,
                            size_t configured, size_t unchanged, size_t skipped, size_t failed)
{
    struct apply_report report = APPLY_REPORT_INIT;
    struct manifest_set *set = apply_to(root, files, NULL, false, &report);
    if (report.created != created || report.configured != configured || report.unchanged != unchanged ||
        report.skipped != skipped || report.failed != failed)
        fail_msg("%zu created, %zu configured, %zu unchanged, %zu skipped, %zu failed", report.created,
                 report.configured, report.unchanged, report.skipped, report.failed);
    assert_int_equal(report.deleted, 0);
    apply_report_release(&report);
    manifest_set_free(set);
}

static void assert_file(const char *root, const char *name, const char *expected)
{
    AUTO_FREE char *path = file_join(root, name);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct error err = ERROR_INIT;
    int result = file_read(path, 1 << 20, &text, &err);
    if (!expected)
        assert_int_equal(result, -1);
    else if (result < 0)
        fail_msg("%s", err.text);
    else
        assert_string_equal(text.buf, expected);
}

static void put_file(const char *root, const char *name, const char *text)
{
    AUTO_FREE char *path = file_join(root, name);
    struct error err = ERROR_INIT;
    if (file_write_atomic(path, text, strlen(text), 0644, &err) < 0)
        fail_msg("%s", err.text);
}

static void test_directory_places_files(void **state)
{
    (void)state;
    static const struct {
        const char *path, *configured[3], *place;
    } cases[] = {
        {"a/b.yaml", {NULL}, "a/b.yaml"},
        {"a/b.yaml", {"a"}, "b.yaml"},
        {"a/b.yaml", {"./a//"}, "b.yaml"},
        {"a/b.yaml", {"."}, "a/b.yaml"},
        {"a/b.yaml", {""}, "a/b.yaml"},
        {"a/b.yaml", {"a/b.yaml"}, "b.yaml"},
        {"b.yaml", {"b.yaml"}, "b.yaml"},
        {"ab/c.yaml", {"a"}, "ab/c.yaml"},
        {"a/b.yaml", {"a", "c"}, "a/b.yaml"},
        {"a/...yaml", {NULL}, "a/...yaml"},
        {"../b.yaml", {NULL}, NULL},
        {"a/../../b.yaml", {NULL}, NULL},
        {"/etc/b.yaml", {NULL}, NULL},
        {"a//b.yaml", {NULL}, NULL},
        {"a/./b.yaml", {NULL}, NULL},
        {"a/", {NULL}, NULL},
        {"", {NULL}, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        AUTO_FREE char *place = directory_layout_place(cases[i].path, cases[i].configured, &err);
        if (cases[i].place)
            assert_string_equal(place, cases[i].place);
        else
            assert_null(place);
    }
}

static void test_directory_writes_the_bytes_of_git(void **state)
{
    const char *root = *state;
    static const char crlf[] = "# comment\r\napiVersion: v1\r\nkind: ConfigMap\r\nmetadata: {name: a}\r\n";
    static const char no_newline[] = "---\n" CONFIG_MAP("b") "---\n" CONFIG_MAP("c") "# end";
    const struct text_file files[] = {{"x/a.yaml", crlf}, {"x/y/b.yml", no_newline}, {NULL, NULL}};
    apply_and_count(root, files, 2, 0, 0, 0, 0);
    assert_file(root, "x/a.yaml", crlf);
    assert_file(root, "x/y/b.yml", no_newline);
    apply_and_count(root, files, 0, 0, 2, 0, 0);
    const struct text_file changed[] = {{"x/a.yaml", crlf}, {"x/y/b.yml", CONFIG_MAP("b")}, {NULL, NULL}};
    apply_and_count(root, changed, 0, 1, 1, 0, 0);
    assert_file(root, "x/y/b.yml", CONFIG_MAP("b"));
}

static void test_directory_writes_only_files_with_objects(void **state)
{
    const char *root = *state;
    const struct text_file files[] = {{"values.yaml", "replicas: 1\n"},
                                      {"broken.yaml", "a: [\n"},
                                      {"empty.yaml", ""},
                                      {"kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\n"
                                                             "kind: Kustomization\nmetadata: {name: k}\n"},
                                      {NULL, NULL}};
    apply_and_count(root, files, 0, 0, 0, 0, 0);
    for (const struct text_file *file = files; file->path; file++)
        assert_file(root, file->path, NULL);
}

static void test_directory_leaves_documents_out(void **state)
{
    const char *root = *state;
    const struct text_file files[] = {
        {"first.yaml", IGNORED("a") "---\n" CONFIG_MAP("b")},
        {"last.yaml", CONFIG_MAP("c") "---\n" IGNORED("d")},
        {"all.yaml", IGNORED("e")},
        {"list.yaml",
         "apiVersion: v1\nkind: List\nitems:\n"
         "- {apiVersion: v1, kind: ConfigMap, metadata: {name: f}}\n"
         "- {apiVersion: v1, kind: ConfigMap, metadata: {name: g, annotations: {fluxcd.io/ignore: 'true'}}}"
         "\n"},
        {NULL, NULL}};
    put_file(root, "all.yaml", "as it was");
    apply_and_count(root, files, 2, 0, 0, 5, 0);
    assert_file(root, "first.yaml", "---\n" CONFIG_MAP("b"));
    assert_file(root, "last.yaml", CONFIG_MAP("c"));
    assert_file(root, "all.yaml", "as it was");
    assert_file(root, "list.yaml", NULL);
}

static void test_directory_never_writes_half_a_file(void **state)
{
    const char *root = *state;
    put_file(root, "half.yaml", "as it was");
    const struct text_file files[] = {{"good.yaml", CONFIG_MAP("good")},
                                      {"half.yaml", CONFIG_MAP("a") "---\nb: [\n"},
                                      {"one.yaml", CONFIG_MAP("twice")},
                                      {"two.yaml", CONFIG_MAP("twice")},
                                      {NULL, NULL}};
    apply_and_count(root, files, 1, 0, 0, 3, 0);
    assert_file(root, "good.yaml", CONFIG_MAP("good"));
    assert_file(root, "half.yaml", "as it was");
    assert_file(root, "one.yaml", NULL);
    assert_file(root, "two.yaml", NULL);
}

static void test_directory_reports_each_file_with_its_reason(void **state)
{
    const char *root = *state;
    const struct text_file files[] = {
        {"one.yaml", CONFIG_MAP("twice")}, {"two.yaml", CONFIG_MAP("twice")}, {NULL, NULL}};
    struct apply_report report = APPLY_REPORT_INIT;
    struct manifest_set *set = apply_to(root, files, NULL, false, &report);
    assert_int_equal(report.len, 2);
    assert_null(report.outcomes[0].resource);
    assert_string_equal(report.outcomes[0].file->path, "one.yaml");
    assert_string_equal(
        report.outcomes[0].message,
        "line 1: default:configmap/twice is defined more than once, also in two.yaml:1: remove all but one");
    apply_report_release(&report);
    manifest_set_free(set);
}

static void test_directory_follows_no_links_and_overwrites_no_directory(void **state)
{
    const char *root = *state;
    AUTO_FREE char *inside = file_join(root, "target");
    AUTO_FREE char *outside = file_join(root, "outside");
    AUTO_FREE char *link_directory = file_join(inside, "linked");
    AUTO_FREE char *link_file = file_join(inside, "linked.yaml");
    AUTO_FREE char *directory = file_join(inside, "directory.yaml");
    AUTO_FREE char *victim = file_join(outside, "victim");
    struct error err = ERROR_INIT;
    assert_int_equal(file_make_directories(directory, 0755, &err), 0);
    assert_int_equal(file_make_directories(outside, 0755, &err), 0);
    assert_int_equal(symlink(outside, link_directory), 0);
    assert_int_equal(symlink(victim, link_file), 0);
    put_file(outside, "victim", "mine");
    put_file(inside, "file", "a file");
    const struct text_file files[] = {{"directory.yaml", CONFIG_MAP("a")}, {"file/in.yaml", CONFIG_MAP("b")},
                                      {"good.yaml", CONFIG_MAP("c")},      {"linked.yaml", CONFIG_MAP("d")},
                                      {"linked/in.yaml", CONFIG_MAP("e")}, {NULL, NULL}};
    apply_and_count(inside, files, 1, 0, 0, 0, 4);
    assert_file(outside, "victim", "mine");
    assert_file(outside, "in.yaml", NULL);
    assert_file(inside, "good.yaml", CONFIG_MAP("c"));
}

static void test_directory_sweeps_up_after_a_crash(void **state)
{
    const char *root = *state;
    AUTO_FREE char *sub = file_join(root, "sub");
    struct error err = ERROR_INIT;
    assert_int_equal(file_make_directories(sub, 0755, &err), 0);
    put_file(root, ".pawl-0123456789abcdef", "half");
    put_file(sub, ".pawl-fedcba9876543210", "half");
    put_file(root, ".pawl-notes", "the user's own");
    const struct text_file files[] = {{"sub/a.yaml", CONFIG_MAP("a")}, {NULL, NULL}};
    apply_and_count(root, files, 1, 0, 0, 0, 0);
    assert_file(root, ".pawl-0123456789abcdef", NULL);
    assert_file(sub, ".pawl-fedcba9876543210", NULL);
    assert_file(root, ".pawl-notes", "the user's own");
}

static void test_directory_dry_run_changes_nothing(void **state)
{
    const char *root = *state;
    AUTO_FREE char *missing = file_join(root, "not/yet");
    const struct text_file files[] = {
        {"a.yaml", CONFIG_MAP("a")}, {"b/b.yaml", CONFIG_MAP("b")}, {NULL, NULL}};
    struct apply_report report = APPLY_REPORT_INIT;
    struct manifest_set *set = apply_to(missing, files, NULL, true, &report);
    assert_int_equal(report.created, 2);
    assert_int_equal(access(missing, F_OK), -1);
    apply_report_release(&report);
    manifest_set_free(set);
}

static void test_directory_takes_one_configured_path_for_its_root(void **state)
{
    const char *root = *state;
    static const char *const paths[] = {"releases/staging", NULL};
    const struct text_file files[] = {{"releases/staging/web/a.yaml", CONFIG_MAP("a")}, {NULL, NULL}};
    AUTO_FREE char *fresh = file_join(root, "new/directory/");
    struct apply_report report = APPLY_REPORT_INIT;
    struct manifest_set *set = apply_to(fresh, files, paths, false, &report);
    assert_file(fresh, "web/a.yaml", CONFIG_MAP("a"));
    apply_report_release(&report);
    manifest_set_free(set);
}

static void test_directory_fails_as_a_whole_where_it_cannot_be(void **state)
{
    const char *root = *state;
    put_file(root, "file", "");
    AUTO_FREE char *path = file_join(root, "file");
    struct deploy_target *target = NULL;
    struct error err = ERROR_INIT;
    assert_int_equal(directory_target_open(path, &target, &err), 0);
    struct manifest_set *set = manifest_set_new();
    manifest_set_finish(set);
    struct apply_request request = {.manifests = set};
    struct apply_report report = APPLY_REPORT_INIT;
    assert_int_equal(deploy_target_apply(target, &request, &report, &err), -1);
    assert_non_null(strstr(err.text, path));
    manifest_set_free(set);
    deploy_target_free(target);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directory_places_files),
        IN_DIRECTORY(test_directory_writes_the_bytes_of_git),
        IN_DIRECTORY(test_directory_writes_only_files_with_objects),
        IN_DIRECTORY(test_directory_leaves_documents_out),
        IN_DIRECTORY(test_directory_never_writes_half_a_file),
        IN_DIRECTORY(test_directory_reports_each_file_with_its_reason),
        IN_DIRECTORY(test_directory_follows_no_links_and_overwrites_no_directory),
        IN_DIRECTORY(test_directory_sweeps_up_after_a_crash),
        IN_DIRECTORY(test_directory_dry_run_changes_nothing),
        IN_DIRECTORY(test_directory_takes_one_configured_path_for_its_root),
        IN_DIRECTORY(test_directory_fails_as_a_whole_where_it_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
