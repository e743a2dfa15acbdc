#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

/* Moves past one line, newline included, and says how long it was. */
static size_t skip_line(const char **text)
{
    size_t len = strcspn(*text, "\n");
    len += (*text)[len] == '\n';
    *text += len;
    return len;
}

static void copy_line(const char **text, struct strbuf *out)
{
    const char *line = *text;
    strbuf_add(out, line, skip_line(text));
}

/* Moves to where a hunk starts, copying what lies before it. `at` is the number of the text's next line. */
static void go_to_hunk(const char *hunk, const char **text, unsigned *at, struct strbuf *out)
{
    unsigned start, count = 1;
    assert_true(sscanf(hunk, "@@ -%u,%u", &start, &count) >= 1);
    for (start += count == 0; *at < start; ++*at)
        copy_line(text, out);
    assert_int_equal(*at, start);
}

/* Does what patch(1) does, and fails where it would. */
static void patch(const char *text, const char *diff, struct strbuf *out)
{
    unsigned at = 1;
    skip_line(&diff);
    skip_line(&diff);
    while (*diff) {
        const char *line = diff;
        size_t len = skip_line(&diff) - 1;
        if (*diff == '\\') {
            skip_line(&diff);
            len--;
        }
        if (*line == '@')
            go_to_hunk(line, &text, &at, out);
        if (*line == '+' || *line == ' ')
            strbuf_add(out, line + 1, len);
        if (*line != '-' && *line != ' ')
            continue;
        assert_memory_equal(text, line + 1, len);
        assert_int_equal(skip_line(&text), len);
        at++;
    }
    strbuf_addstr(out, text);
}

static unsigned next(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

static void add_random_line(struct strbuf *text, unsigned *seed)
{
    static const char *const lines[] = {"a\n", "b\n", "c\r\n", "\n", "image: x:1\n"};
    strbuf_addstr(text, lines[next(seed) % ARRAY_LEN(lines)]);
}

/* A text of up to 40 lines, and another with some of them replaced, taken out or put in; either may lack its
 * last newline. */
static void make_texts(unsigned seed, struct strbuf *before, struct strbuf *after)
{
    bool keeps_length = next(&seed) % 2;
    for (unsigned lines = next(&seed) % 40; lines > 0; lines--) {
        size_t start = before->len;
        add_random_line(before, &seed);
        unsigned what = next(&seed) % 16;
        if (what == 0 || (what < 3 && !keeps_length))
            add_random_line(after, &seed);
        if (what > 2 || (what > 0 && keeps_length))
            strbuf_addstr(after, before->buf + start);
    }
    if (next(&seed) % 4 == 0)
        strbuf_addstr(before, "end");
    if (next(&seed) % 4 == 0)
        strbuf_addstr(after, "end");
}

static void test_diff_can_be_applied(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 20000; seed++) {
        CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf diff = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf patched = STRBUF_INIT;
        make_texts(seed, &before, &after);
        diff_add_unified(&diff, "a.yaml", before.buf, before.len, after.buf, after.len);
        patch(before.buf, diff.buf, &patched);
        assert_string_equal(patched.buf, after.buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_diff_is_what_git_writes),
        cmocka_unit_test(test_diff_can_be_applied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
