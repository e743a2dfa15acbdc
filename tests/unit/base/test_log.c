#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/log.h"

static int64_t fixed_ms(void *context UNUSED)
{
    return 1767323045600;
}
static const struct clock fixed_clock = {fixed_ms, fixed_ms, NULL};

/* What is written to standard error between start and end. */
struct capture {
    int kept, file;
    struct strbuf text;
};

static void capture_start(struct capture *c)
{
    char name[] = "/tmp/pawl-test-XXXXXX";
    c->text = (struct strbuf)STRBUF_INIT;
    c->file = mkstemp(name);
    assert_true(c->file >= 0);
    unlink(name);
    c->kept = dup(STDERR_FILENO);
    dup2(c->file, STDERR_FILENO);
}

static void capture_end(struct capture *c)
{
    char chunk[4096];
    dup2(c->kept, STDERR_FILENO);
    close(c->kept);
    lseek(c->file, 0, SEEK_SET);
    for (ssize_t got; (got = read(c->file, chunk, sizeof(chunk))) > 0;)
        strbuf_add(&c->text, chunk, (size_t)got);
    close(c->file);
}

static void capture_release(struct capture *c)
{
    strbuf_release(&c->text);
}

static void test_log_writes_logfmt(void **state UNUSED)
{
    CLEANUP(capture_release) struct capture c;
    log_configure(LOG_INFO, LOG_FORMAT_LOGFMT, &fixed_clock);
    capture_start(&c);
    log_event_at("a/b.c", 5, LOG_INFO, "sync-loop", "event", "refreshed", "empty", "", "missing", NULL,
                 "text", "two words", "quoted", "a=\"b\"\n", NULL);
    log_event_at("b.c", 6, LOG_WARN, "x", NULL);
    log_event_at("b.c", 7, LOG_DEBUG, "x", NULL);
    capture_end(&c);
    assert_string_equal(
        c.text.buf, "ts=2026-01-02T03:04:05.600Z caller=b.c:5 component=sync-loop event=refreshed empty=\"\" "
                    "text=\"two words\" quoted=\"a=\\\"b\\\"\\n\"\n"
                    "ts=2026-01-02T03:04:05.600Z caller=b.c:6 component=x level=warn\n");
}

static void test_log_writes_json(void **state UNUSED)
{
    CLEANUP(capture_release) struct capture c;
    log_configure(LOG_ERROR, LOG_FORMAT_JSON, &fixed_clock);
    capture_start(&c);
    log_event_at("b.c", 5, LOG_WARN, "x", NULL);
    log_event_at("b.c", 5, LOG_ERROR, "x", "err", "a \"b\"\xff", NULL);
    capture_end(&c);
    assert_string_equal(c.text.buf,
                        "{\"ts\":\"2026-01-02T03:04:05.600Z\",\"caller\":\"b.c:5\",\"component\":\"x\","
                        "\"level\":\"error\",\"err\":\"a \\\"b\\\"\xef\xbf\xbd\"}\n");
    AUTO_JSON json_t *line = json_read(c.text.buf, c.text.len, NULL);
    assert_non_null(line);
}

static void test_log_masks_passwords_in_urls(void **state UNUSED)
{
    static const struct {
        const char *text, *masked;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"https://host/path", "https://host/path"},
        {"https://user@host/path", "https://user@host/path"},
        {"https://user:secret@host/path", "https://user:xxxxx@host/path"},
        {"https://:secret@host", "https://:xxxxx@host"},
        {"https://user:se:c@ret@host:80/a@b:c", "https://user:xxxxx@host:80/a@b:c"},
        {"from ssh://a:b@c to https://d:e@f.", "from ssh://a:xxxxx@c to https://d:xxxxx@f."},
        {"https://host:80/a:b@c", "https://host:80/a:b@c"},
        {"git@github.com:org/repo", "git@github.com:org/repo"},
        {"://", "://"},
        {"https://user:secret@", "https://user:xxxxx@"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        log_add_masked(&out, cases[i].text);
        assert_string_equal(out.buf, cases[i].masked);
    }
}

static void *log_lines(void *context)
{
    for (int i = 0; i < 200; i++)
        log_event_at("b.c", 1, LOG_INFO, context, "url", "https://u:p@h", NULL);
    return NULL;
}

static void test_log_lines_of_threads_do_not_mix(void **state UNUSED)
{
    CLEANUP(capture_release) struct capture c;
    char one[] = "one", two[] = "two";
    pthread_t threads[2];
    log_configure(LOG_INFO, LOG_FORMAT_LOGFMT, &fixed_clock);
    capture_start(&c);
    assert_int_equal(pthread_create(&threads[0], NULL, log_lines, one), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, log_lines, two), 0);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    capture_end(&c);
    int lines = 0;
    for (const char *at = c.text.buf; *at; lines++) {
        const char *end = strchr(at, '\n');
        assert_non_null(end);
        assert_int_equal(strncmp(at, "ts=2026-01-02T03:04:05.600Z caller=b.c:1 component=", 51), 0);
        assert_int_equal(strncmp(at + 54, " url=https://u:xxxxx@h\n", 23), 0);
        at = end + 1;
    }
    assert_int_equal(lines, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_writes_logfmt),
        cmocka_unit_test(test_log_writes_json),
        cmocka_unit_test(test_log_masks_passwords_in_urls),
        cmocka_unit_test(test_log_lines_of_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
