#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"

struct fixture {
    char directory[64];
};

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    snprintf(f->directory, sizeof(f->directory), "/tmp/pawl-test-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    umask(022);
    *state = f;
    return 0;
}

static void remove_all(const char *directory)
{
    DIR *entries = opendir(directory);
    const struct dirent *entry;
    while (entries && (entry = readdir(entries)) != NULL) {
        AUTO_FREE char *path = file_join(directory, entry->d_name);
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (entry->d_type == DT_DIR)
            remove_all(path);
        else
            unlink(path);
    }
    if (entries)
        closedir(entries);
    rmdir(directory);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    remove_all(f->directory);
    free(f);
    return 0;
}

static void check_file(const char *path, const char *expected, mode_t mode)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct stat is;
    assert_int_equal(file_read(path, 1000, &out, NULL), 0);
    assert_string_equal(out.buf, expected);
    assert_int_equal(stat(path, &is), 0);
    assert_int_equal(is.st_mode & 07777, mode);
}

static int count_entries(const char *directory)
{
    int count = 0;
    DIR *entries = opendir(directory);
    assert_non_null(entries);
    while (readdir(entries))
        count++;
    closedir(entries);
    return count - 2;
}

static void test_file_read_stops_at_the_limit(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *path = file_join(f->directory, "a");
    struct error err = ERROR_INIT;
    assert_int_equal(file_write_atomic(path, "12345", 5, 0600, &err), 0);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    strbuf_addstr(&out, "before ");
    assert_int_equal(file_read(path, 4, &out, &err), -1);
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_string_equal(out.buf, "before ");
    assert_int_equal(file_read(path, 5, &out, &err), 0);
    assert_string_equal(out.buf, "before 12345");
}

static void test_file_read_says_why_not(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *missing = file_join(f->directory, "missing");
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(file_read(missing, 10, &out, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_non_null(strstr(err.text, missing));
    assert_int_equal(file_read(f->directory, 10, &out, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_int_equal(out.len, 0);
}

static void test_file_write_atomic_leaves_only_the_file(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *path = file_join(f->directory, "a");
    struct error err = ERROR_INIT;
    assert_int_equal(file_write_atomic(path, "one", 3, 0666, &err), 0);
    check_file(path, "one", 0644);
    assert_int_equal(file_write_atomic(path, "", 0, 0600, &err), 0);
    check_file(path, "", 0644);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(file_write_atomic(path, "two", 3, 0666, &err), 0);
    check_file(path, "two", 0600);
    assert_int_equal(count_entries(f->directory), 1);
}

static void test_file_write_atomic_goes_through_symbolic_links(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *path = file_join(f->directory, "a");
    AUTO_FREE char *link = file_join(f->directory, "link");
    struct error err = ERROR_INIT;
    struct stat is;
    assert_int_equal(file_write_atomic(path, "one", 3, 0600, &err), 0);
    assert_int_equal(symlink("a", link), 0);
    assert_int_equal(file_write_atomic(link, "two", 3, 0600, &err), 0);
    check_file(path, "two", 0600);
    assert_int_equal(lstat(link, &is), 0);
    assert_true(S_ISLNK(is.st_mode));
}

static void test_file_write_atomic_that_fails_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *missing = file_join(f->directory, "missing/a");
    AUTO_FREE char *directory = file_join(f->directory, "directory");
    AUTO_FREE char *inside = file_join(directory, "inside");
    struct error err = ERROR_INIT;
    assert_int_equal(file_write_atomic(missing, "x", 1, 0600, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_non_null(strstr(err.text, missing));
    assert_int_equal(mkdir(directory, 0700), 0);
    assert_int_equal(file_write_atomic(inside, "x", 1, 0600, &err), 0);
    assert_int_equal(file_write_atomic(directory, "x", 1, 0600, &err), -1);
    assert_int_equal(count_entries(f->directory), 1);
}

static void test_file_make_directories_with_their_modes(void **state)
{
    static const char *const paths[] = {"a/b", "c/d/", "e//f///", "g"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        AUTO_FREE char *path = file_join(f->directory, paths[i]);
        struct error err = ERROR_INIT;
        struct stat is;
        assert_int_equal(file_make_directories(path, 0700, &err), 0);
        assert_int_equal(stat(path, &is), 0);
        assert_int_equal(is.st_mode & 07777, 0700);
        assert_int_equal(file_make_directories(path, 0755, &err), 0);
        assert_int_equal(stat(path, &is), 0);
        assert_int_equal(is.st_mode & 07777, 0700); /* as it was */
    }
    AUTO_FREE char *parent = file_join(f->directory, "a");
    struct stat is;
    assert_int_equal(stat(parent, &is), 0);
    assert_int_equal(is.st_mode & 07777, 0755);
    assert_int_equal(file_make_directories("/", 0700, NULL), 0);
}

static void test_file_make_directories_refuses_a_file_in_the_way(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *file = file_join(f->directory, "file");
    AUTO_FREE char *below = file_join(file, "below");
    struct error err = ERROR_INIT;
    assert_int_equal(file_write_atomic(file, "", 0, 0600, &err), 0);
    assert_int_equal(file_make_directories(file, 0700, &err), -1);
    assert_int_equal(file_make_directories(below, 0700, &err), -1);
    assert_non_null(strstr(err.text, file));
    assert_int_equal(file_make_directories("", 0700, &err), -1);
}

static void test_file_join_puts_one_slash(void **state UNUSED)
{
    static const struct {
        const char *a, *b, *joined;
    } cases[] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"},
                 {"", "b", "b"},    {"a", "/b", "/b"},  {"a", "", "a/"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *joined = file_join(cases[i].a, cases[i].b);
        assert_string_equal(joined, cases[i].joined);
    }
}

static void test_file_in_home_follows_the_variable(void **state UNUSED)
{
    AUTO_FREE char *before = xstrdup(getenv("HOME"));
    assert_int_equal(setenv("HOME", "/h", 1), 0);
    AUTO_FREE char *path = file_in_home(".config");
    assert_string_equal(path, "/h/.config");
    assert_int_equal(unsetenv("HOME"), 0);
    AUTO_FREE char *listed = file_in_home(".config"); /* from the password file, if we are in it */
    assert_true(!listed || str_ends_with(listed, "/.config"));
    if (before)
        assert_int_equal(setenv("HOME", before, 1), 0);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_file_read_stops_at_the_limit),
        CASE(test_file_read_says_why_not),
        CASE(test_file_write_atomic_leaves_only_the_file),
        CASE(test_file_write_atomic_goes_through_symbolic_links),
        CASE(test_file_write_atomic_that_fails_leaves_nothing),
        CASE(test_file_make_directories_with_their_modes),
        CASE(test_file_make_directories_refuses_a_file_in_the_way),
        cmocka_unit_test(test_file_join_puts_one_slash),
        cmocka_unit_test(test_file_in_home_follows_the_variable),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
