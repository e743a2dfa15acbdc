#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/diff.h"

static void test_diff_is_what_git_writes(void **state)
{
    (void)state;
    static const struct {
        const char *path, *before, *after, *diff;
    } cases[] = {
        {"a.yaml", "same\n", "same\n", ""},
        {"a.yaml", "", "", ""},
        {"a.yaml", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
         "--- a/a.yaml\n+++ b/a.yaml\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"},
        {"a.yaml", "1\n2\n", "one\n2\n", "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,2 +1,2 @@\n-1\n+one\n 2\n"},
        {"a.yaml", "1\n", "one\n", "--- a/a.yaml\n+++ b/a.yaml\n@@ -1 +1 @@\n-1\n+one\n"},
        {"a.yaml", "", "1\n2\n", "--- a/a.yaml\n+++ b/a.yaml\n@@ -0,0 +1,2 @@\n+1\n+2\n"},
        {"a.yaml", "1\n2\n", "", "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,2 +0,0 @@\n-1\n-2\n"},
        /* six lines between two changes are one hunk, seven are two */
        {"a.yaml", "a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
         "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n"},
        {"a.yaml", "a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
         "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n "
         "7\n-b\n+B\n"},
        /* neighbours change together */
        {"a.yaml", "1\n2\n3\n", "one\ntwo\n3\n",
         "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,3 +1,3 @@\n-1\n-2\n+one\n+two\n 3\n"},
        /* lines that come or go */
        {"a.yaml", "1\n2\n3\n4\n5\n", "1\n2\n4\n5\n",
         "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,5 +1,4 @@\n 1\n 2\n-3\n 4\n 5\n"},
        {"a.yaml", "1\n1\n", "1\n1\n1\n", "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,2 +1,3 @@\n 1\n 1\n+1\n"},
        /* the end of the file */
        {"a.yaml", "1\n2", "1\ntwo",
         "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,2 +1,2 @@\n 1\n-2\n\\ No newline at end of file\n+two\n"
         "\\ No newline at end of file\n"},
        {"a.yaml", "1\n2", "one\n2",
         "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,2 +1,2 @@\n-1\n+one\n 2\n\\ No newline at end of file\n"},
        {"a.yaml", "1\n2", "1\n2\n",
         "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,2 +1,2 @@\n 1\n-2\n\\ No newline at end of file\n+2\n"},
        /* bytes stay */
        {"a.yaml", "1\r\n2\r\n", "1\r\n3\r\n",
         "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,2 +1,2 @@\n 1\r\n-2\r\n+3\r\n"},
        {"with blank/\xc3\xa9.yaml", "1\n", "2\n",
         "--- a/with blank/\xc3\xa9.yaml\t\n+++ b/with blank/\xc3\xa9.yaml\t\n@@ -1 +1 @@\n-1\n+2\n"},
        {"q\"\n\\.yaml", "1\n", "2\n",
         "--- \"a/q\\\"\\012\\\\.yaml\"\n+++ \"b/q\\\"\\012\\\\.yaml\"\n@@ -1 +1 @@\n-1\n+2\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        diff_add_unified(&out, cases[i].path, cases[i].before, strlen(cases[i].before), cases[i].after,
                         strlen(cases[i].after));
        assert_string_equal(out.buf, cases[i].diff);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_diff_is_what_git_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
