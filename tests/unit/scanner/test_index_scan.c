/*
 * Charts of Helm repositories: how often the index is asked for, by whom, and what is made of an answer that is odd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scanner/scanner.h"
#include "tests/unit/scanner/scan_fixture.h"

#define MOST 4

struct fixture {
    struct scripted_server *server;
    struct cache *cache;
    struct scanner *scanner;
    char directory[SCAN_DIRECTORY_SIZE];
    struct clock clock;
    atomic_llong ahead_ms; /* of the real clocks */
    atomic_int versions;   /* that each chart has */
    atomic_int status;     /* 0: as it should be */
    atomic_int is_stubborn;
    atomic_int has_no_validator;
};

static int64_t wall_ms(void *context)
{
    return clock_wall_ms(&system_clock) + ((struct fixture *)context)->ahead_ms;
}

static int64_t monotonic_ms(void *context)
{
    return clock_monotonic_ms(&system_clock) + ((struct fixture *)context)->ahead_ms;
}

/* Charts "a", "b", "c" with as many versions; the ETag is their number. */
static bool answer(const struct scripted_request *r, int fd, void *context)
{
    struct fixture *f = context;
    if (f->status)
        return scripted_reply(fd, "500 Broken", "", "");
    if (strcmp(r->target, "/x/index.yaml") != 0)
        return scripted_reply(fd, "404 Not Found", "", "");
    AUTO_FREE char *asked = scripted_header(r, "If-None-Match");
    AUTO_FREE char *etag = xasprintf("\"%d\"", f->versions);
    AUTO_FREE char *headers = f->has_no_validator ? xstrdup("") : xasprintf("ETag: %s\r\n", etag);
    if (asked && (f->is_stubborn || !strcmp(asked, etag)))
        return scripted_reply(fd, "304 Not Modified", headers, "");
    CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;
    strbuf_addstr(&body, "entries:\n");
    for (int chart = 'a'; chart < 'd'; chart++) {
        strbuf_addf(&body, "  %c:\n", chart);
        for (int i = 0; i < f->versions; i++)
            strbuf_addf(&body, "  - version: 1.0.%d\n    created: 2024-01-01T00:00:00Z\n", i);
    }
    return scripted_reply(fd, "200 OK", headers, body.buf);
}

static void open_scanner(struct fixture *f)
{
    scanner_free(f->scanner);
    f->scanner = scanner_new(&(struct scanner_options){.cache = f->cache,
                                                       .clock = &f->clock,
                                                       .rps = 1000,
                                                       .burst = 100,
                                                       .tag_limit = 50,
                                                       .timeout_ms = 5000});
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    f->cache = scan_cache_open(f->directory);
    f->clock = (struct clock){wall_ms, monotonic_ms, f};
    f->server = scripted_start(answer, f);
    open_scanner(f);
    f->versions = 3;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    scanner_free(f->scanner);
    scripted_stop(f->server);
    scan_cache_close(f->cache, f->directory);
    free(f);
    return 0;
}

/* "N", "N!" if it is not believed, "?" without an answer; then the error. */
static void add_result(struct strbuf *out, const struct scan_result *result)
{
    if (result->info)
        strbuf_addf(out, " %zu%s%s", result->info->images_len, result->info->is_shrunken ? "!" : "",
                    result->info->is_truncated ? "+" : "");
    else
        strbuf_addstr(out, " ?");
    if (result->error.code != ERROR_NONE)
        strbuf_addf(out, "(%s)", error_code_name(result->error.code));
    assert_int_equal(result->is_fresh, result->error.code == ERROR_NONE);
}

/* Scans the charts, a letter each, and holds "REQUESTS: RESULTS" against what is expected. */
static void expect(struct fixture *f, const char *charts, int64_t max_age_ms, const char *expected)
{
    struct demand demands[MOST] = {{.repository = NULL}};
    struct scan_result results[MOST] = {{.info = NULL}};
    char *names[MOST];
    size_t len = strlen(charts);
    for (size_t i = 0; i < len; i++) {
        names[i] = xasprintf("127.0.0.1:%d/x#%c", f->server->port, charts[i]);
        demands[i].repository = names[i];
    }
    scanner_scan(f->scanner, demands, len, max_age_ms, NULL, NULL, results);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    unsigned requests = 0;
    for (size_t i = 0; i < len; i++) {
        requests += results[i].requests;
        add_result(&out, &results[i]);
        free(names[i]);
    }
    scan_results_release(results, len);
    AUTO_FREE char *got = xasprintf("%u:%s", requests, out.buf);
    if (strcmp(got, expected) != 0)
        fail_msg("%s: %s, not %s", charts, got, expected);
}

static void test_index_scan_asks_once_for_all_charts(void **state)
{
    struct fixture *f = *state;
    expect(f, "abc", 0, "1: 3 3 3");
    expect(f, "abc", 0, "1: 3 3 3");
    f->versions = 4;
    expect(f, "abc", 0, "1: 4 4 4");
    open_scanner(f); /* the validator is in the cache */
    expect(f, "abc", 0, "1: 4 4 4");
    expect(f, "abc", 60000, "0: 4 4 4");
}

/* One after the other, as a daemon's scans are. */
static void test_index_scan_takes_what_another_chart_was_told(void **state)
{
    struct fixture *f = *state;
    expect(f, "a", 0, "1: 3");
    expect(f, "b", 50000, "1: 3"); /* new: nothing was kept for it */
    f->ahead_ms += 60000;
    expect(f, "a", 50000, "1: 3");
    expect(f, "b", 50000, "0: 3"); /* not changed */
    f->ahead_ms += 60000;
    f->versions = 4;
    expect(f, "a", 50000, "1: 4");
    expect(f, "b", 50000, "0: 4"); /* from the same index */
    expect(f, "b", 50000, "0: 4");
    expect(f, "b", 0, "1: 4");
    f->ahead_ms += 60000;
    expect(f, "b", 50000, "1: 4");
}

static void test_index_scan_without_a_validator(void **state)
{
    struct fixture *f = *state;
    f->has_no_validator = true;
    expect(f, "ab", 0, "1: 3 3");
    f->ahead_ms += 60000;
    expect(f, "a", 50000, "1: 3");
    expect(f, "b", 50000, "0: 3");
    expect(f, "ab", 0, "1: 3 3");
}

/* A chart that is new among old ones has the index sent whole, and a server that never sends it again is not believed for
 * longer than a day. */
static void test_index_scan_whose_validators_differ(void **state)
{
    struct fixture *f = *state;
    expect(f, "a", 0, "1: 3");
    expect(f, "ab", 0, "2: 3 3"); /* not changed for one, and once more for the other */
    f->is_stubborn = true;
    f->versions = 5;
    expect(f, "ab", 0, "1: 3 3");
    f->ahead_ms += INT64_C(25) * 3600000;
    expect(f, "ab", 0, "1: 5 5");
}

static void test_index_scan_short_list_needs_a_second_one(void **state)
{
    struct fixture *f = *state;
    f->versions = 30;
    expect(f, "a", 0, "1: 30");
    f->versions = 2;
    expect(f, "a", 0, "1: 30!");
    expect(f, "a", 0, "1: 30!");
    f->ahead_ms += 61000;
    open_scanner(f);
    expect(f, "a", 0, "1: 2");
    f->versions = 30;
    expect(f, "a", 0, "1: 30");
    f->versions = 2;
    expect(f, "a", 0, "1: 30!");
    f->versions = 30;
    expect(f, "a", 0, "1: 30");
}

static void test_index_scan_says_what_fails(void **state)
{
    struct fixture *f = *state;
    expect(f, "d", 0, "1: ?(not-found)");
    expect(f, "a", 0, "1: 3");
    f->status = 500;
    expect(f, "ad", 0, "1: 3(network) ?(network)");
    f->status = 0;
    f->versions = 60;
    expect(f, "a", 0, "1: 50+");
}

static void count_cancelled(const struct demand *demand, struct scan_result *result, void *context)
{
    (void)demand;
    *(int *)context += result->error.code == ERROR_CANCELLED;
}

/* A slip in a chart's name does not have an index of megabytes sent each time. */
static void test_index_scan_of_a_missing_chart_is_conditional(void **state)
{
    struct fixture *f = *state;
    expect(f, "d", 0, "1: ?(not-found)");
    f->is_stubborn = true; /* 304 to all that is conditional */
    f->versions = 5;
    expect(f, "d", 0, "1: ?(not-found)");
    expect(f, "d", 50000, "0: ?(not-found)");
    expect(f, "a", 0, "1: 5");
    f->is_stubborn = false;
    f->ahead_ms += INT64_C(25) * 3600000;
    expect(f, "d", 0, "1: ?(not-found)");
}

static void test_index_scan_can_be_cancelled(void **state)
{
    struct fixture *f = *state;
    int cancelled = 0;
    AUTO_FREE char *a = xasprintf("127.0.0.1:%d/x#a", f->server->port);
    AUTO_FREE char *b = xasprintf("127.0.0.1:%d/x#b", f->server->port);
    scanner_submit(f->scanner, &(struct demand){.repository = a}, 0, count_cancelled, &cancelled);
    scanner_submit(f->scanner, &(struct demand){.repository = b}, 0, count_cancelled, &cancelled);
    scanner_cancel(f->scanner);
    assert_int_equal(cancelled, 2);
    expect(f, "ab", 0, "1: 3 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_index_scan_asks_once_for_all_charts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_index_scan_takes_what_another_chart_was_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_index_scan_without_a_validator, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_index_scan_whose_validators_differ, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_index_scan_short_list_needs_a_second_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_index_scan_says_what_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_index_scan_of_a_missing_chart_is_conditional, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_index_scan_can_be_cancelled, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
