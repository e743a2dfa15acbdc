#include "base/process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"

static int run_shell(const char *script, const char *input, int64_t timeout_ms, struct strbuf *out,
                     struct error *err)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct process_options options = {.argv = argv, .timeout_ms = timeout_ms};
    return process_run(&options, input, strlen(input), out, err);
}

static struct process *start_shell(const char *script, int64_t timeout_ms)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct process_options options = {.argv = argv, .timeout_ms = timeout_ms};
    struct error err = ERROR_INIT;
    struct process *p = process_start(&options, &err);
    if (!p)
        fail_msg("%s", err.text);
    return p;
}

static void test_process_run_carries_input_to_output(void **state UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(run_shell("tr a-z A-Z", "hello\n", 10000, &out, &err), 0);
    assert_string_equal(out.buf, "HELLO\n");
}

/* More than the pipes hold in both directions at once: must not stand still. */
static void test_process_run_interleaves_large_input_and_output(void **state UNUSED)
{
    size_t len = LIMIT_PROCESS_STDOUT_BYTES - 1;
    AUTO_FREE char *input = xmalloc(len + 1);
    memset(input, 'x', len);
    input[len] = '\0';
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(run_shell("cat", input, 30000, &out, &err), 0);
    assert_int_equal(out.len, len);
    assert_memory_equal(out.buf, input, len);
}

static void test_process_run_fails_in_the_words_of_the_program(void **state UNUSED)
{
    static const struct {
        const char *script;
        int64_t timeout_ms;
        enum error_code code;
        const char *says;
    } cases[] = {
        {"echo out; echo 'no key for you' >&2; exit 7", 10000, ERROR_IO, "status 7: no key for you"},
        {"kill -TERM $$", 10000, ERROR_IO, "status 143"},
        {"exec sleep 60", 100, ERROR_TIMEOUT, "did not finish"},
        {"yes", 20000, ERROR_TOO_LARGE, "more than 1048576 bytes"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(run_shell(cases[i].script, "", cases[i].timeout_ms, &out, &err), -1);
        assert_string_equal(error_code_name(err.code), error_code_name(cases[i].code));
        assert_non_null(strstr(err.text, cases[i].says));
        assert_int_equal(out.len, 0);
    }
}

static void test_process_run_takes_a_program_that_ignores_its_input(void **state UNUSED)
{
    size_t len = 300000;
    AUTO_FREE char *input = xmalloc(len + 1);
    memset(input, 'x', len);
    input[len] = '\0';
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(run_shell("exec <&-; echo done", input, 10000, &out, &err), 0);
    assert_string_equal(out.buf, "done\n");
}

static void test_process_start_names_a_missing_program(void **state UNUSED)
{
    const char *const argv[] = {"pawl-no-such-program", NULL};
    const struct process_options options = {.argv = argv};
    struct error err = ERROR_INIT;
    assert_null(process_start(&options, &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_non_null(strstr(err.text, "pawl-no-such-program"));
}

static void test_process_adds_to_and_replaces_the_environment(void **state UNUSED)
{
    const char *const argv[] = {"sh", "-c", "echo \"$HOME|$PAWL_ADDED|${PATH:+path}|${PAWL_GONE-gone}\"",
                                NULL};
    const char *const environment[] = {"HOME=/elsewhere", "PAWL_ADDED=yes", "PAWL_GONE", NULL};
    setenv("PAWL_GONE", "here", 1);
    const struct process_options options = {.argv = argv, .environment = environment, .timeout_ms = 10000};
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(process_run(&options, "", 0, &out, &err), 0);
    assert_string_equal(out.buf, "/elsewhere|yes|path|gone\n");
}

static void test_process_read_and_write_hold_a_conversation(void **state UNUSED)
{
    struct process *p = start_shell("while read line; do echo \"<$line>\"; done; exit 3", 10000);
    struct error err = ERROR_INIT;
    char buffer[64];
    for (int i = 0; i < 3; i++) {
        assert_int_equal(process_write(p, "ping\n", 5, &err), 0);
        ssize_t got = process_read(p, buffer, sizeof(buffer), &err);
        assert_int_equal(got, 7);
        assert_memory_equal(buffer, "<ping>\n", 7);
    }
    process_close_input(p);
    assert_int_equal(process_read(p, buffer, sizeof(buffer), &err), 0);
    assert_int_equal(process_read(p, buffer, sizeof(buffer), &err), 0);
    assert_int_equal(process_close(p), 3);
}

static void test_process_read_stops_at_the_deadline(void **state UNUSED)
{
    struct process *p = start_shell("exec sleep 60", 100);
    struct error err = ERROR_INIT;
    char byte;
    assert_int_equal(process_read(p, &byte, 1, &err), -1);
    assert_int_equal(err.code, ERROR_TIMEOUT);
    assert_int_equal(process_close(p), 128 + SIGTERM);
}

static void test_process_close_kills_what_does_not_want_to_end(void **state UNUSED)
{
    struct process *p = start_shell("trap '' TERM; echo up; while :; do sleep 0.1; done", 2000);
    struct error err = ERROR_INIT;
    char buffer[8];
    assert_int_equal(process_read(p, buffer, sizeof(buffer), &err), 3);
    assert_int_equal(process_close(p), 128 + SIGKILL);
}

/* The grandchild holds the pipes: only a signal to the whole family ends the wait. */
static void test_process_close_ends_the_whole_family(void **state UNUSED)
{
    struct process *p = start_shell("sleep 60 & echo $!; wait", 200);
    struct error err = ERROR_INIT;
    char buffer[32] = "";
    assert_true(process_read(p, buffer, sizeof(buffer) - 1, &err) > 0);
    int grandchild = (int)strtol(buffer, NULL, 10);
    assert_true(grandchild > 1);
    process_close(p);
    bool gone = false;
    for (int i = 0; i < 200 && !gone; i++) {
        char path[64], stat_line[256] = "";
        snprintf(path, sizeof(path), "/proc/%d/stat", grandchild);
        FILE *file = fopen(path, "r");
        if (file && !fgets(stat_line, sizeof(stat_line), file))
            stat_line[0] = '\0';
        if (file)
            fclose(file);
        gone = !file || strstr(stat_line, ") Z ");
        if (!gone)
            usleep(10000);
    }
    assert_true(gone);
}

static void test_process_write_to_the_dead_is_an_error_without_a_signal(void **state UNUSED)
{
    struct process *p = start_shell("exit 0", 10000);
    struct error err = ERROR_INIT;
    char buffer[8];
    assert_int_equal(process_read(p, buffer, sizeof(buffer), &err), 0);
    sigset_t pending;
    int result = 0;
    for (int i = 0; i < 1000 && result == 0; i++, usleep(1000)) /* its two ends do not close in one step */
        result = process_write(p, "x", 1, &err);
    assert_int_equal(result, -1);
    assert_int_equal(err.code, ERROR_IO);
    sigpending(&pending);
    assert_int_equal(sigismember(&pending, SIGPIPE), 0);
    assert_int_equal(process_close(p), 0);
}

static void test_process_gathers_standard_error_up_to_its_limit(void **state UNUSED)
{
    struct process *p = start_shell("i=0; while [ $i -lt 3000 ]; do echo 0123456789 >&2; i=$((i+1)); done; "
                                    "echo >&2; echo ok; exit 4",
                                    20000);
    struct error err = ERROR_INIT;
    char buffer[8];
    assert_int_equal(process_read(p, buffer, sizeof(buffer), &err), 3);
    assert_int_equal(process_end(p), 4);
    assert_int_equal(process_end(p), 4);
    const char *text = process_stderr(p);
    assert_true(strlen(text) > LIMIT_PROCESS_STDERR_BYTES - 16);
    assert_true(strlen(text) <= LIMIT_PROCESS_STDERR_BYTES);
    assert_true(str_starts_with(text, "0123456789\n0123456789\n"));
    assert_int_equal(process_close(p), 4);
    assert_int_equal(process_close(NULL), 0);
}

/* No terminal: a program that asks a question must not get one of ours. */
static void test_process_has_no_terminal(void **state UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(
        run_shell("if (: </dev/tty) 2>/dev/null; then echo tty; else echo none; fi", "", 10000, &out, &err),
        0);
    assert_string_equal(out.buf, "none\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process_run_carries_input_to_output),
        cmocka_unit_test(test_process_run_interleaves_large_input_and_output),
        cmocka_unit_test(test_process_run_fails_in_the_words_of_the_program),
        cmocka_unit_test(test_process_run_takes_a_program_that_ignores_its_input),
        cmocka_unit_test(test_process_start_names_a_missing_program),
        cmocka_unit_test(test_process_adds_to_and_replaces_the_environment),
        cmocka_unit_test(test_process_read_and_write_hold_a_conversation),
        cmocka_unit_test(test_process_read_stops_at_the_deadline),
        cmocka_unit_test(test_process_close_kills_what_does_not_want_to_end),
        cmocka_unit_test(test_process_close_ends_the_whole_family),
        cmocka_unit_test(test_process_write_to_the_dead_is_an_error_without_a_signal),
        cmocka_unit_test(test_process_gathers_standard_error_up_to_its_limit),
        cmocka_unit_test(test_process_has_no_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
