/* What a host's queue lets through, and what answers teach it. No network: the clock is the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "scanner/registry_host.h"

#define WALL_MS INT64_C(1767323045000) /* Fri, 02 Jan 2026 03:04:05 GMT */
#define JOBS    20

struct fixture {
    struct registry_host *host;
    struct registry_job jobs[JOBS];
    int64_t now_ms;
};

static struct registry_job *started[JOBS];
static size_t started_len, refused;
static int refused_s;

static void start(struct registry_job *job)
{
    started[started_len++] = job;
}

static void refuse(struct registry_job *job, const struct error *err)
{
    (void)job;
    refused++;
    refused_s = err->retry_after_s;
    assert_int_equal(err->code, ERROR_RATE_LIMITED);
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    f->now_ms = 1000;
    f->host = registry_host_new("registry.example", NULL, 1000, 100, f->now_ms);
    started_len = refused = 0;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    registry_host_free(f->host);
    free(f);
    return 0;
}

static void enter(struct fixture *f, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        f->jobs[i] = (struct registry_job){.start = start, .refuse = refuse, .kind = REGISTRY_TAGS};
        registry_host_enter(f->host, &f->jobs[i], false);
    }
}

/* Sends one request that is answered with `status` and `fields`. */
static void exchange(struct fixture *f, int status, const char *fields)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    struct registry_job job = {.kind = REGISTRY_TAGS};
    registry_job_send(&job, ++f->now_ms);
    f->host->in_flight++;
    response.status = status;
    strbuf_addf(&response.headers, "HTTP/1.1 %d X\r\n%s\r\n", status, fields);
    registry_host_answered(f->host, &job, &response, ++f->now_ms, WALL_MS);
    http_response_release(&response);
}

/* Seconds that nothing is sent for, rounded. */
static int blocked_s(const struct fixture *f)
{
    int64_t left_ms = f->host->blocked_until_ms - f->now_ms;
    return left_ms > 0 ? (int)((left_ms + 500) / 1000) : 0;
}

static void test_registry_host_retry_after_in_all_its_forms(void **state)
{
    static const struct {
        int status;
        const char *fields;
        int blocked_s;
    } cases[] = {
        {429, "Retry-After: 17\r\n", 17},
        {429, "Retry-After: Fri, 02 Jan 2026 03:04:35 GMT\r\n", 30},
        {429, "Date: Thu, 01 Jan 2026 03:04:05 GMT\r\nRetry-After: Thu, 01 Jan 2026 03:04:15 GMT\r\n", 10},
        {503, "Retry-After: 17\r\n", 17},
        {503, "", 0},
        {500, "", 0},
        {429, "", 1}, /* it does not say: a second */
        {429, "Retry-After: 0\r\n", 1},
        {429, "Retry-After: soon\r\n", 1},
        {429, "Retry-After: -5\r\n", 1},
        {429, "Retry-After: 99999999999999\r\n", 3600}, /* one answer keeps us away no longer */
        {429, "Retry-After: Fri, 02 Jan 2099 03:04:35 GMT\r\n", 3600},
        {200, "Retry-After: 17\r\n", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        set_up(state);
        struct fixture *f = *state;
        exchange(f, cases[i].status, cases[i].fields);
        if (blocked_s(f) != cases[i].blocked_s)
            fail_msg("case %zu: %d s", i, blocked_s(f));
        tear_down(state);
    }
}

static void test_registry_host_pauses_double_until_a_success(void **state)
{
    static const int pauses_s[] = {1, 2, 4, 8, 16, 32, 64, 64};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(pauses_s); i++) {
        exchange(f, 429, "");
        assert_int_equal(blocked_s(f), pauses_s[i]);
        f->now_ms = f->host->blocked_until_ms;
    }
    exchange(f, 404, ""); /* an answer, and no sign that it is well again */
    exchange(f, 429, "");
    assert_int_equal(blocked_s(f), 64);
    f->now_ms = f->host->blocked_until_ms;
    exchange(f, 200, "");
    exchange(f, 429, "");
    assert_int_equal(blocked_s(f), 1);
}

/* Those that were in flight together are refused together, and count once. */
static void test_registry_host_counts_a_burst_of_refusals_once(void **state)
{
    struct fixture *f = *state;
    struct http_response response = HTTP_RESPONSE_INIT;
    struct registry_job job = {.kind = REGISTRY_TAGS};
    response.status = 429;
    registry_job_send(&job, 2000);
    f->host->in_flight = REGISTRY_IN_FLIGHT;
    for (int i = 0; i < REGISTRY_IN_FLIGHT; i++)
        registry_host_answered(f->host, &job, &response, 2100 + i, WALL_MS);
    assert_int_equal(f->host->refusals, 1);
    assert_in_range((int)rate_limit_rps(&f->host->budget, 2200), 500, 501);
    http_response_release(&response);
}

static void test_registry_host_lets_a_few_through_in_their_order(void **state)
{
    struct fixture *f = *state;
    enter(f, JOBS);
    assert_int_equal(registry_host_dispatch(f->host, f->now_ms), -1);
    assert_int_equal(started_len, REGISTRY_IN_FLIGHT);
    for (size_t i = 0; i < REGISTRY_IN_FLIGHT; i++)
        assert_ptr_equal(started[i], &f->jobs[i]);
    struct registry_job next = {.start = start, .refuse = refuse};
    registry_host_enter(f->host, &next, true); /* goes on with what has begun */
    f->host->in_flight--;
    registry_host_dispatch(f->host, f->now_ms);
    assert_ptr_equal(started[REGISTRY_IN_FLIGHT], &next);
}

static void test_registry_host_keeps_back_for_a_little_and_refuses_for_long(void **state)
{
    struct fixture *f = *state;
    exchange(f, 429, "Retry-After: 3\r\n");
    enter(f, 3);
    assert_int_equal(registry_host_dispatch(f->host, f->now_ms), 3000);
    assert_int_equal(started_len + refused, 0);
    registry_host_dispatch(f->host, f->now_ms + 3000);
    assert_int_equal(started_len, 3);
    f->host->in_flight = 0;
    f->now_ms += 3000;
    exchange(f, 429, "Retry-After: 60\r\n");
    enter(f, 3);
    assert_int_equal(registry_host_dispatch(f->host, f->now_ms), -1);
    assert_int_equal(refused, 3);
    assert_int_equal(refused_s, 60);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registry_host_retry_after_in_all_its_forms),
        CASE(test_registry_host_pauses_double_until_a_success),
        CASE(test_registry_host_counts_a_burst_of_refusals_once),
        CASE(test_registry_host_lets_a_few_through_in_their_order),
        CASE(test_registry_host_keeps_back_for_a_little_and_refuses_for_long),
    };
    return cmocka_run_group_tests_name("registry_host", tests, NULL, NULL);
}
