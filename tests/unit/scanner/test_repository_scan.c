/*
 * What a scan does when registries misbehave: lists that shrink, break off or did not change, log-ins that end in the
 * middle, clocks that differ, limits and quotas. Each test says what the user sees of the repository in trouble, and
 * that another one went on: "fine" at the same host where only the one repository is to blame, at `other` where it is
 * the host.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/limits.h"
#include "scanner/credential_source.h"
#include "scanner/scanner.h"
#include "tests/unit/scanner/scan_fixture.h"

#define RPS 1000

struct fixture {
    struct scripted_server *server, *other; /* two hosts; `other` has no troubles */
    scripted_answer answer;                 /* the test's own, for the repository in trouble at `server` */
    struct cache *cache;
    struct credentials *credentials;
    struct scanner *scanner;
    char directory[SCAN_DIRECTORY_SIZE];
    struct clock clock;
    atomic_llong wall_ms, monotonic_ms; /* ahead of the real clocks */
    atomic_int tags;                    /* how many the list has; or what else the test wants */
    atomic_int served, changed;
};

static int64_t wall_ms(void *context)
{
    return clock_wall_ms(&system_clock) + ((struct fixture *)context)->wall_ms;
}

static int64_t monotonic_ms(void *context)
{
    return clock_monotonic_ms(&system_clock) + ((struct fixture *)context)->monotonic_ms;
}

static bool answer(const struct scripted_request *r, int fd, void *context)
{
    struct fixture *f = context;
    if (str_starts_with(r->target, "/v2/fine/"))
        return scripted_reply(fd, "200 OK", "", "{\"tags\":[\"a\",\"b\"]}");
    return f->answer(r, fd, context);
}

/* With what a Docker config file says; NULL: there is none. */
static void open_scanner_with(struct fixture *f, const char *docker_config)
{
    struct error err = ERROR_INIT;
    scanner_free(f->scanner);
    credentials_free(f->credentials);
    f->credentials = NULL;
    if (docker_config) {
        f->credentials = credentials_parse(docker_config, strlen(docker_config), "test", &err);
        assert_non_null(f->credentials);
    }
    f->scanner = scanner_new(&(struct scanner_options){.cache = f->cache,
                                                       .credentials = f->credentials,
                                                       .clock = &f->clock,
                                                       .rps = RPS,
                                                       .burst = 100,
                                                       .tag_limit = 1000,
                                                       .timeout_ms = 5000});
}

/* `auths`: the entry for what is below `path` at the server. */
static void open_scanner_for(struct fixture *f, const char *path, const char *auths)
{
    AUTO_FREE char *text =
        auths ? xasprintf("{\"auths\":{\"127.0.0.1:%d%s\":%s}}", f->server->port, path, auths) : NULL;
    open_scanner_with(f, text);
}

static void open_scanner(struct fixture *f, const char *auths)
{
    open_scanner_for(f, "", auths);
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    f->cache = scan_cache_open(f->directory);
    f->clock = (struct clock){wall_ms, monotonic_ms, f};
    f->server = scripted_start(answer, f);
    f->other = scripted_start(answer, f);
    open_scanner(f, NULL);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    scanner_free(f->scanner);
    credentials_free(f->credentials);
    scripted_stop(f->server);
    scripted_stop(f->other);
    scan_cache_close(f->cache, f->directory);
    free(f);
    return 0;
}

/* -- scanning ---------------------------------------------------------------------------------------------- */

static unsigned want_all(const char *tag, void *context)
{
    (void)tag;
    (void)context;
    return DEMAND_CREATED;
}

/* "N tags", " (lists M)" if that is fewer and not believed, "| CODE: text". */
static char *describe(const struct scan_result *result)
{
    struct strbuf out = STRBUF_INIT;
    if (result->info)
        strbuf_addf(&out, "%zu tags", result->info->images_len);
    if (result->info && result->info->is_shrunken)
        strbuf_addf(&out, " (lists %zu)", result->info->shrunken_len);
    if (result->error.code != ERROR_NONE)
        strbuf_addf(&out, "| %s: %s", error_code_name(result->error.code), result->error.text);
    return strbuf_detach(&out, NULL);
}

/* Scans `path` at the host in trouble beside "fine" at `good`, which must go on. */
static char *scan_beside(struct fixture *f, const char *path, bool with_dates, struct scripted_server *good,
                         unsigned *requests)
{
    AUTO_FREE char *repository = xasprintf("127.0.0.1:%d/%s", f->server->port, path);
    AUTO_FREE char *fine = xasprintf("127.0.0.1:%d/fine", good->port);
    const struct demand demands[] = {
        {.repository = repository, .wants = with_dates ? want_all : NULL},
        {.repository = fine},
    };
    struct scan_result results[2];
    scanner_scan(f->scanner, demands, 2, 0, NULL, NULL, results);
    char *text = describe(&results[0]);
    AUTO_FREE char *fine_text = describe(&results[1]);
    assert_string_equal(fine_text, "2 tags");
    if (requests)
        *requests = results[0].requests;
    scan_results_release(results, 2);
    return text;
}

static void expect_scan(struct fixture *f, const char *path, const char *begins, unsigned requests)
{
    unsigned sent = 0;
    AUTO_FREE char *got = scan_beside(f, path, false, f->server, &sent);
    if (!str_starts_with(got, begins) || sent != requests)
        fail_msg("%s: %s with %u requests", path, got, sent);
}

static bool reply_tags(int fd, const char *headers, int from, int to)
{
    CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;
    strbuf_addstr(&body, "{\"tags\":[");
    for (int i = from; i < to; i++)
        strbuf_addf(&body, "%s\"t%04d\"", i > from ? "," : "", i);
    strbuf_addstr(&body, "]}");
    return scripted_reply(fd, "200 OK", headers, body.buf);
}

/* -- lists that shrink --------------------------------------------------------------------------------------- */

static bool serve_tags(const struct scripted_request *r, int fd, void *context)
{
    struct fixture *f = context;
    (void)r;
    return reply_tags(fd, "", 0, f->tags);
}

static void test_repository_scan_short_list_needs_a_second_one(void **state)
{
    struct fixture *f = *state;
    f->answer = serve_tags;
    f->tags = 30;
    expect_scan(f, "app", "30 tags", 1);
    f->tags = 3;
    expect_scan(f, "app", "30 tags (lists 3)", 1);
    expect_scan(f, "app", "30 tags (lists 3)", 1); /* too soon after the first */
    f->wall_ms += 61000;
    open_scanner(f, NULL); /* the mark is in the cache, and outlives the program */
    expect_scan(f, "app", "3 tags", 1);
    f->tags = 0;
    expect_scan(f, "app", "3 tags (lists 0)", 1);
    f->tags = 4;
    expect_scan(f, "app", "4 tags", 1);
}

/* One who remembers its last answer, in place of a cache that is dead, or that there is none of. */
static struct repository_info *scan_knowing(struct fixture *f, struct repository_info *known, bool with_dates,
                                            const char *path, unsigned *requests)
{
    AUTO_FREE char *repository = xasprintf("127.0.0.1:%d/%s", f->server->port, path);
    const struct demand demand = {
        .repository = repository, .known = known, .wants = with_dates ? want_all : NULL};
    struct scan_result result;
    scanner_scan(f->scanner, &demand, 1, 0, NULL, NULL, &result);
    *requests = result.requests;
    return result.info;
}

static void test_repository_scan_without_a_cache_short_list_needs_a_second_one(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    unsigned requests;
    scanner_free(f->scanner);
    f->scanner = NULL;
    cache_free(f->cache);
    f->cache = cache_open("none", f->directory, 1000, &err);
    open_scanner(f, NULL);
    f->answer = serve_tags;
    f->tags = 30;
    CLEANUP(repository_info_release)
    struct repository_info *first = scan_knowing(f, NULL, false, "app", &requests);
    f->tags = 3;
    CLEANUP(repository_info_release)
    struct repository_info *second = scan_knowing(f, first, false, "app", &requests);
    assert_int_equal(second->images_len, 30);
    assert_true(second->is_shrunken);
    f->wall_ms += 61000;
    CLEANUP(repository_info_release)
    struct repository_info *third = scan_knowing(f, second, false, "app", &requests);
    assert_int_equal(third->images_len, 3);
    assert_false(third->is_shrunken);
}

/* -- the demand's own credentials ----------------------------------------------------------------------------- */

#define GOOD_LOG_IN "Basic cm9ib3Q6Z29vZA==" /* robot:good */

/* Basic log-in of one user; whoever has another password is refused. */
static bool serve_to_robot(const struct scripted_request *r, int fd, void *context)
{
    struct fixture *f = context;
    AUTO_FREE char *given = scripted_header(r, "Authorization");
    if (given && strcmp(given, GOOD_LOG_IN) == 0)
        return reply_tags(fd, "", 0, f->tags);
    return scripted_reply(fd, "401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", "{}");
}

/* As expect_scan, for the demand of a workload with a pull secret. */
static void expect_scan_with(struct fixture *f, const struct credential *credential, int64_t max_age_ms,
                             const char *begins, const char *contains)
{
    AUTO_FREE char *repository = xasprintf("127.0.0.1:%d/app", f->server->port);
    const struct demand demand = {.repository = repository, .credential = credential};
    struct scan_result result;
    scanner_scan(f->scanner, &demand, 1, max_age_ms, NULL, NULL, &result);
    AUTO_FREE char *got = describe(&result);
    scan_results_release(&result, 1);
    if (!str_starts_with(got, begins) || !strstr(got, contains))
        fail_msg("%s", got);
}

static void test_repository_scan_answers_go_to_whose_credentials_they_were_given(void **state)
{
    static const struct credential good = {
        .username = "robot", .password = "good", .secret = "shop/good", .secret_uid = "uid-1"};
    static const struct credential bad = {
        .username = "robot", .password = "wrong-word", .secret = "shop/bad", .secret_uid = "uid-2"};
    struct fixture *f = *state;
    f->answer = serve_to_robot;
    f->tags = 5;
    expect_scan_with(f, &good, 0, "5 tags", "");
    expect_scan_with(f, &good, 60000, "5 tags", "");
    expect_scan_with(f, &bad, 60000, "| unauthorized: ", "/app with the pull secret shop/bad: ");
    expect_scan_with(f, NULL, 60000, "| unauthorized: ", "/app: ");
    expect_scan_with(f, &good, 60000, "5 tags", "");
}

/* What the Docker config file has is not asked for, and not fallen back on. */
static void test_repository_scan_uses_the_demands_credentials_alone(void **state)
{
    static const struct credential bad = {
        .username = "robot", .password = "wrong-word", .secret = "shop/bad", .secret_uid = "uid-2"};
    struct fixture *f = *state;
    f->answer = serve_to_robot;
    f->tags = 5;
    open_scanner(f, "{\"auth\":\"cm9ib3Q6Z29vZA==\"}");
    expect_scan_with(f, NULL, 0, "5 tags", "");
    expect_scan_with(f, &bad, 0, "| unauthorized: ", "pull secret shop/bad");
}

/* Whose log-in has expired is told so with 403, as by Amazon ECR. */
static bool serve_to_the_new_log_in(const struct scripted_request *r, int fd, void *context UNUSED)
{
    AUTO_FREE char *given = scripted_header(r, "Authorization");
    if (given && strcmp(given, GOOD_LOG_IN) == 0)
        return reply_tags(fd, "", 0, 5);
    if (given)
        return scripted_reply(fd, "403 Forbidden", "", "{\"errors\":[{\"code\":\"DENIED\"}]}");
    return scripted_reply(fd, "401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", "{}");
}

static void write_helper(struct fixture *f, const char *password)
{
    AUTO_FREE char *path = file_join(f->directory, "docker-credential-test");
    AUTO_FREE char *script =
        xasprintf("#!/bin/sh\necho '{\"Username\":\"robot\",\"Secret\":\"%s\"}'\n", password);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(script, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0700), 0);
}

static void test_repository_scan_log_in_that_has_expired_is_got_anew(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *before = xstrdup(getenv("PATH"));
    AUTO_FREE char *path = xasprintf("%s:%s", f->directory, before);
    f->answer = serve_to_the_new_log_in;
    setenv("PATH", path, 1);
    write_helper(f, "old");
    open_scanner_with(f, "{\"credsStore\":\"test\"}");
    expect_scan_with(f, NULL, 0, "| forbidden: ", "");
    write_helper(f, "good");
    f->monotonic_ms += CREDENTIAL_EMBARGO_MS;
    expect_scan_with(f, NULL, 0, "| forbidden: ", "");
    expect_scan_with(f, NULL, 0, "5 tags", "");
    setenv("PATH", before, 1);
}

/* -- lists that did not change --------------------------------------------------------------------------------- */

static bool serve_etag(const struct scripted_request *r, int fd, void *context)
{
    struct fixture *f = context;
    char headers[64], etag[32];
    AUTO_FREE char *asked = scripted_header(r, "If-None-Match");
    snprintf(etag, sizeof(etag), "W/\"%d\"", f->tags);
    snprintf(headers, sizeof(headers), "ETag: %s\r\n", etag);
    if (f->changed && strstr(r->target, "n="))
        return scripted_reply(fd, "400 Bad Request", "", "{}");
    if (asked && !strcmp(asked, etag)) {
        f->served++;
        return scripted_reply(fd, "304 Not Modified", headers, "");
    }
    return reply_tags(fd, headers, 0, f->tags);
}

static void test_repository_scan_unchanged_list_is_not_sent_again(void **state)
{
    struct fixture *f = *state;
    f->answer = serve_etag;
    f->tags = 30;
    expect_scan(f, "app", "30 tags", 1);
    expect_scan(f, "app", "30 tags", 1);
    open_scanner(f, NULL);
    expect_scan(f, "app", "30 tags", 1);
    assert_int_equal(f->served, 2);
    f->tags = 31;
    expect_scan(f, "app", "31 tags", 1);
    assert_int_equal(f->served, 2);
    expect_scan(f, "app", "31 tags", 1);
    assert_int_equal(f->served, 3);
    f->wall_ms += INT64_C(25) * 3600000;
    expect_scan(f, "app", "31 tags", 1); /* once a day it is read all the same */
    assert_int_equal(f->served, 3);
}

static void test_repository_scan_unchanged_list_without_a_page_size(void **state)
{
    struct fixture *f = *state;
    f->answer = serve_etag;
    f->changed = 1; /* no page size */
    f->tags = 30;
    expect_scan(f, "app", "30 tags", 2);
    expect_scan(f, "app", "30 tags", 1);
    expect_scan(f, "app", "30 tags", 1);
    assert_int_equal(f->served, 2);
}

/* What the registry's list was when it shrank has the old ETag, and its return is believed at once. */
static void test_repository_scan_unchanged_list_ends_the_doubt(void **state)
{
    struct fixture *f = *state;
    f->answer = serve_etag;
    f->tags = 30;
    expect_scan(f, "app", "30 tags", 1);
    f->tags = 2;
    expect_scan(f, "app", "30 tags (lists 2)", 1);
    f->tags = 30;
    expect_scan(f, "app", "30 tags", 1);
    assert_int_equal(f->served, 1);
}

/* An ETag of the first of two pages, and a registry that says "not modified" to everything. */
static bool serve_pages_with_etag(const struct scripted_request *r, int fd, void *context)
{
    struct fixture *f = context;
    AUTO_FREE char *asked = scripted_header(r, "If-None-Match");
    if (asked || f->changed)
        return scripted_reply(fd, "304 Not Modified", "", "");
    if (strstr(r->target, "last="))
        return reply_tags(fd, "ETag: \"2\"\r\n", 10, 20);
    return reply_tags(fd, "ETag: \"1\"\r\nLink: <?last=t0009>; rel=\"next\"\r\n", 0, 10);
}

static void test_repository_scan_pages_are_never_conditional(void **state)
{
    struct fixture *f = *state;
    f->answer = serve_pages_with_etag;
    expect_scan(f, "app", "20 tags", 2);
    expect_scan(f, "app", "20 tags", 2);
    f->changed = 1;
    /* without having been asked: refused with and without a page size */
    expect_scan(f, "app", "20 tags| invalid: scanning 127.0.0.1:", 2);
}

/* -- lists that break off ---------------------------------------------------------------------------------------- */

/* Three pages of ten. The second is trouble, as often as f->tags says, each kind in its way. */
static bool serve_pages(const struct scripted_request *r, int fd, struct fixture *f,
                        bool (*trouble)(struct fixture *f, int fd))
{
    if (strstr(r->target, "last=t0019"))
        return reply_tags(fd, "", 20, 30);
    if (strstr(r->target, "last=t0009"))
        return f->tags-- > 0 ? trouble(f, fd) : reply_tags(fd, "Link: <?last=t0019>; rel=next\r\n", 10, 20);
    return reply_tags(fd, "Link: <?last=t0009>; rel=next\r\n", 0, 10);
}

/* Half a page, and then a reset. */
static bool reset(struct fixture *f, int fd)
{
    static const char half[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"tags\":[\"x\",";
    const struct linger at_once = {1, 0};
    (void)f;
    scripted_send(fd, half, strlen(half));
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    return false;
}

static bool stumble(struct fixture *f, int fd)
{
    (void)f;
    return scripted_reply(fd, "502 Bad Gateway", "", "");
}

static bool want_pause(struct fixture *f, int fd)
{
    (void)f;
    return scripted_reply(fd, "429 Too Many Requests", "Retry-After: 1\r\n", "");
}

static bool want_long_pause(struct fixture *f, int fd)
{
    (void)f;
    return scripted_reply(fd, "429 Too Many Requests", "Retry-After: 60\r\n", "");
}

static bool serve_reset(const struct scripted_request *r, int fd, void *f)
{
    return serve_pages(r, fd, f, reset);
}

static bool serve_stumble(const struct scripted_request *r, int fd, void *f)
{
    return serve_pages(r, fd, f, stumble);
}

static bool serve_pause(const struct scripted_request *r, int fd, void *f)
{
    return serve_pages(r, fd, f, want_pause);
}

static bool serve_long_pause(const struct scripted_request *r, int fd, void *f)
{
    return serve_pages(r, fd, f, want_long_pause);
}

static void test_repository_scan_goes_on_in_mid_list(void **state)
{
    static const struct {
        scripted_answer answer;
        int times;
        const char *begins, *says;
        unsigned requests;
    } cases[] = {
        {serve_reset, 1, "30 tags", "", 4},   {serve_reset, 2, "| network: scanning 127.0.0.1:", "", 3},
        {serve_stumble, 1, "30 tags", "", 4}, {serve_stumble, 2, "| network: scanning 127.0.0.1:", "502", 3},
        {serve_pause, 1, "30 tags", "", 4},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *path = xasprintf("app%zu", i);
        AUTO_FREE char *first_page = xasprintf("GET /v2/%s/tags/list?n=1000", path);
        unsigned requests = 0;
        f->answer = cases[i].answer;
        f->tags = cases[i].times;
        AUTO_FREE char *got = scan_beside(f, path, false, f->server, &requests);
        if (!str_starts_with(got, cases[i].begins) || !strstr(got, cases[i].says) ||
            requests != cases[i].requests)
            fail_msg("case %zu: %s with %u requests", i, got, requests);
        assert_int_equal(scripted_count(f->server, first_page), 1); /* never from the beginning */
        f->tags = 0;
        AUTO_FREE char *later = scan_beside(f, path, false, f->server, NULL);
        assert_string_equal(later, "30 tags");
    }
}

static void test_repository_scan_long_pause_in_mid_list_ends_it(void **state)
{
    struct fixture *f = *state;
    unsigned requests = 0;
    f->answer = serve_long_pause;
    f->tags = 1;
    AUTO_FREE char *got = scan_beside(f, "app", false, f->other, &requests);
    assert_true(str_starts_with(got, "| rate-limited: scanning 127.0.0.1:"));
    assert_int_equal(requests, 2);
}

/* A list that goes on and on, a tag a page. */
static bool serve_endless_pages(const struct scripted_request *r, int fd, void *context)
{
    struct fixture *f = context;
    char link[64];
    (void)r;
    snprintf(link, sizeof(link), "Link: <?last=t%04d>; rel=next\r\n", f->served);
    int served = f->served++;
    return reply_tags(fd, link, served % 500, served % 500 + 1);
}

static void test_repository_scan_ends_a_list_of_too_many_pages(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *repository = xasprintf("127.0.0.1:%d/app", f->server->port);
    const struct demand demand = {.repository = repository};
    struct scan_result result;
    scanner_free(f->scanner);
    f->scanner = scanner_new(&(struct scanner_options){
        .cache = f->cache, .clock = &f->clock, .tag_limit = 100000, .timeout_ms = 5000});
    f->answer = serve_endless_pages;
    scanner_scan(f->scanner, &demand, 1, 0, NULL, NULL, &result);
    assert_int_equal(result.error.code, ERROR_NONE);
    assert_true(result.info->is_truncated); /* and so never a reason to update */
    assert_int_equal(result.info->images_len, 500);
    assert_int_equal(f->served, LIMIT_TAG_PAGES);
    scan_results_release(&result, 1);
}

/* Lists are answered, and all else is reset. */
static bool serve_lists_alone(const struct scripted_request *r, int fd, void *context)
{
    struct fixture *f = context;
    if (strstr(r->target, "/tags/list"))
        return reply_tags(fd, "", 0, f->tags);
    f->served++;
    return reset(f, fd);
}

/* After three tags in a row the others are not tried: it is the host, and they are left as they were. */
static void test_repository_scan_leaves_a_host_that_breaks_off(void **state)
{
    struct fixture *f = *state;
    f->answer = serve_lists_alone;
    f->tags = 200;
    AUTO_FREE char *got = scan_beside(f, "app", true, f->server, NULL);
    assert_true(str_starts_with(got, "200 tags| network: scanning 127.0.0.1:"));
    assert_non_null(strstr(got, "the manifest of t"));
    assert_in_range(f->served, 3, 8 + 3); /* with those that were in flight */
}

/* -- log-ins --------------------------------------------------------------------------------------------------- */

/* Tokens "t1", "t2", …; those up to f->changed have ended when the second page is asked for. */
static bool serve_with_token(const struct scripted_request *r, int fd, void *context)
{
    struct fixture *f = context;
    char text[256];
    if (str_starts_with(r->target, "/token")) {
        /* a token server whose clock is years off: what counts is how long, not until when */
        snprintf(text, sizeof(text),
                 "{\"token\":\"t%d\",\"expires_in\":300,\"issued_at\":\"2001-01-01T00:00:00Z\"}",
                 ++f->served);
        return scripted_reply(fd, "200 OK", "Date: Mon, 01 Jan 2001 00:00:00 GMT\r\n", text);
    }
    AUTO_FREE char *authorization = scripted_header(r, "Authorization");
    long token = authorization ? strtol(authorization + strlen("Bearer t"), NULL, 10) : 0;
    if (token > (strstr(r->target, "last=") ? f->changed : 0))
        return serve_pages(r, fd, f, stumble);
    snprintf(text, sizeof(text),
             "WWW-Authenticate: Bearer realm=\"http://127.0.0.1:%d/token\",service=\"reg\"\r\n",
             f->server->port);
    return scripted_reply(fd, "401 Unauthorized", text, "");
}

#define TOKENS_OF_APP "GET /token?service=reg&scope=repository:app:pull"

static void test_repository_scan_token_that_ends_in_mid_list_is_replaced(void **state)
{
    struct fixture *f = *state;
    f->answer = serve_with_token;
    expect_scan(f, "app", "30 tags", 1 + 1 + 3); /* refused, token, pages */
    f->changed = f->served;
    expect_scan(f, "app", "30 tags",
                1 + 2 + 2); /* the page that was refused is asked for again, and no other */
    assert_int_equal(scripted_count(f->server, TOKENS_OF_APP), 2);
    assert_int_equal(scripted_count(f->server, "GET /v2/app/tags/list?n=1000"), 2 + 1);
}

static void test_repository_scan_token_lasts_by_our_steady_clock(void **state)
{
    static const struct {
        int64_t wall_ms, monotonic_ms;
        int tokens;
    } cases[] = {
        {0, 0, 1},
        {INT64_C(315360000000), 0, 1},  /* our wall clock was set ten years ahead, */
        {-INT64_C(630720000000), 0, 1}, /* then back */
        {0, 200000, 1},
        {0, 100000, 2}, /* 300 s: replaced before it is refused */
    };
    struct fixture *f = *state;
    f->answer = serve_with_token;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        f->wall_ms += cases[i].wall_ms;
        f->monotonic_ms += cases[i].monotonic_ms;
        AUTO_FREE char *got = scan_beside(f, "app", false, f->server, NULL);
        assert_string_equal(got, "30 tags");
        int tokens = scripted_count(f->server, TOKENS_OF_APP);
        if (tokens != cases[i].tokens)
            fail_msg("case %zu: %d tokens", i, tokens);
    }
    assert_int_equal(scripted_count(f->server, "GET /v2/app/tags/list?n=1000"), 1 + (int)ARRAY_LEN(cases));
}

/* The realm is at a host that a forged answer could name: f->changed 0 plain http, 1 https. */
static bool serve_foreign_realm(const struct scripted_request *r, int fd, void *context)
{
    struct fixture *f = context;
    (void)r;
    return scripted_reply(fd, "401 Unauthorized",
                          f->changed ? "WWW-Authenticate: Bearer realm=\"https://tokens.invalid/\"\r\n"
                                     : "WWW-Authenticate: Bearer realm=\"http://tokens.invalid/\"\r\n",
                          "");
}

static void test_repository_scan_realm_elsewhere_gets_no_credentials(void **state)
{
    static const char *const says[] = {
        "it names a plain http realm for tokens (http://tokens.invalid:80): refused",
        "the credentials stay here"};
    struct fixture *f = *state;
    f->answer = serve_foreign_realm;
    for (int i = 0; i < 2; i++) {
        f->changed = i;
        open_scanner(f, "{\"auth\":\"bWU6c2VjcmV0\"}");
        AUTO_FREE char *got = scan_beside(f, "app", false, f->other, NULL);
        if (!str_starts_with(got, "| forbidden: scanning 127.0.0.1:") || !strstr(got, says[i]))
            fail_msg("case %d: %s", i, got);
        assert_null(strstr(got, "secret"));
    }
}

/* -- limits -------------------------------------------------------------------------------------------------------- */

/* A server whose clock is off by years names a date 20 s later. */
static bool serve_retry_date(const struct scripted_request *r, int fd, void *context)
{
    (void)r;
    (void)context;
    return scripted_reply(
        fd, "429 Too Many Requests",
        "Date: Mon, 01 Jan 2035 00:00:00 GMT\r\nRetry-After: Mon, 01 Jan 2035 00:00:20 GMT\r\n", "");
}

static void test_repository_scan_retry_date_is_by_the_servers_clock(void **state)
{
    struct fixture *f = *state;
    unsigned requests = 7;
    f->answer = serve_retry_date;
    AUTO_FREE char *first = scan_beside(f, "app", false, f->other, NULL);
    assert_true(str_starts_with(first, "| rate-limited: scanning"));
    AUTO_FREE char *second = scan_beside(f, "app", false, f->other, &requests);
    assert_non_null(strstr(second, "for another 20 s"));
    assert_int_equal(requests, 0);
    f->monotonic_ms += 21000;
    f->answer = serve_tags;
    f->tags = 2;
    AUTO_FREE char *third = scan_beside(f, "app", false, f->other, NULL);
    assert_string_equal(third, "2 tags");
}

struct tally {
    int done, failed;
};

static void count(const struct demand *demand, struct scan_result *result, void *context)
{
    struct tally *tally = context;
    (void)demand;
    tally->done++;
    tally->failed += result->error.code != ERROR_NONE;
}

static void submit(struct fixture *f, struct scripted_server *server, const char *path, struct tally *tally)
{
    AUTO_FREE char *repository = xasprintf("127.0.0.1:%d/%s", server->port, path);
    scanner_submit(f->scanner, &(struct demand){.repository = repository}, 0, count, tally);
}

static bool serve_storm(const struct scripted_request *r, int fd, void *context)
{
    struct fixture *f = context;
    (void)r;
    f->served++;
    return scripted_reply(fd, "429 Too Many Requests", "", "");
}

struct seen {
    int port;
    struct registry_host_stats stats;
};

static void see(const struct registry_host_stats *stats, void *context)
{
    struct seen *seen = context;
    AUTO_FREE char *name = xasprintf("127.0.0.1:%d", seen->port);
    if (!strcmp(stats->host, name))
        seen->stats = *stats;
}

static struct registry_host_stats stats_of(struct fixture *f, const struct scripted_server *server)
{
    struct seen seen = {.port = server->port};
    scanner_stats_visit(f->scanner, see, &seen);
    assert_non_null(seen.stats.host);
    return seen.stats;
}

/* A hundred repositories at a host that refuses everything and says not for how long. */
static void test_repository_scan_storm_of_429_is_met_with_silence(void **state)
{
    struct fixture *f = *state;
    struct tally stormy = {0}, quiet = {0};
    int64_t start = clock_monotonic_ms(&system_clock);
    f->answer = serve_storm;
    for (int i = 0; i < 100; i++) {
        AUTO_FREE char *path = xasprintf("app%d", i);
        submit(f, f->server, path, &stormy);
        submit(f, f->other, "fine", &quiet);
    }
    while (quiet.done < 100)
        scanner_run(f->scanner, 50);
    assert_int_equal(quiet.failed, 0);
    assert_in_range(clock_monotonic_ms(&system_clock) - start, 0, 900); /* the first pause alone is longer */
    f->monotonic_ms += 1000;
    while (scanner_run(f->scanner, 50))
        f->monotonic_ms += 1000;
    assert_int_equal(stormy.failed, 100);
    assert_in_range(f->served, 2, 5 * 8); /* five bursts at most, of no more than are in flight */
    struct registry_host_stats stats = stats_of(f, f->server);
    assert_in_range((int)stats.rps, RPS / 32, RPS / 2);
    assert_int_equal(stats.requests[REGISTRY_TAGS][REGISTRY_429], f->served);
    assert_true(stats.blocked_until_ms > clock_wall_ms(&f->clock) + 5000);
    stats = stats_of(f, f->other);
    assert_int_equal((int)stats.rps, RPS);
    assert_int_equal(stats.requests[REGISTRY_TAGS][REGISTRY_2XX], 100);
    assert_int_equal(stats.blocked_until_ms, 0);
}

/* The token server is asked out of the registry's budget, and its refusals are the registry's. */
static bool serve_token_refused(const struct scripted_request *r, int fd, void *context)
{
    struct fixture *f = context;
    char text[128];
    if (str_starts_with(r->target, "/token"))
        return scripted_reply(fd, "429 Too Many Requests", "Retry-After: 30\r\n", "");
    snprintf(text, sizeof(text), "WWW-Authenticate: Bearer realm=\"http://127.0.0.1:%d/token\"\r\n",
             f->server->port);
    return scripted_reply(fd, "401 Unauthorized", text, "");
}

static void test_repository_scan_429_of_a_token_server_counts(void **state)
{
    struct fixture *f = *state;
    unsigned requests = 7;
    f->answer = serve_token_refused;
    AUTO_FREE char *first = scan_beside(f, "app", false, f->other, NULL);
    assert_true(str_starts_with(first, "| rate-limited: scanning 127.0.0.1:"));
    assert_non_null(strstr(first, "getting a token for 127.0.0.1:"));
    AUTO_FREE char *second = scan_beside(f, "app2", false, f->other, &requests);
    assert_non_null(strstr(second, "for another 30 s"));
    assert_int_equal(requests, 0);
    struct registry_host_stats stats = stats_of(f, f->server);
    assert_int_equal(stats.requests[REGISTRY_TOKEN][REGISTRY_429], 1);
    assert_in_range((int)stats.rps, RPS / 2, RPS / 2 + 5);
    assert_int_equal((int)stats_of(f, f->other).rps, RPS);
}

/* -- quotas ---------------------------------------------------------------------------------------------------------- */

/* The config of a tag: of "one" all tags have the same, of "many" each its own. */
static char *config_of(const char *tag, bool is_own)
{
    return xasprintf("{\"created\":\"2024-01-02T03:04:05Z\",\"os\":\"linux\",\"id\":\"%s\"}",
                     is_own ? tag : "");
}

static bool serve_config(int fd, const char *digest, bool is_own)
{
    for (int i = 0; i < 100; i++) {
        char tag[16];
        snprintf(tag, sizeof(tag), "t%04d", i);
        AUTO_FREE char *config = config_of(tag, is_own);
        AUTO_FREE char *its_digest = oci_digest_of(config, strlen(config));
        if (!strcmp(its_digest, digest))
            return scripted_reply(fd, "200 OK", "", config);
    }
    return scripted_reply(fd, "404 Not Found", "", "");
}

/* A registry that counts GETs of manifests as Docker Hub does: f->changed is what remains of 100. */
static bool serve_counting(const struct scripted_request *r, int fd, void *context)
{
    struct fixture *f = context;
    bool is_own = str_starts_with(r->target, "/v2/many/"), is_head = !strcmp(r->method, "HEAD");
    if (strstr(r->target, "/tags/"))
        return reply_tags(fd, "", 0, f->tags);
    if (strstr(r->target, "/blobs/"))
        return serve_config(fd, strstr(r->target, "/blobs/") + strlen("/blobs/"), is_own);
    AUTO_FREE char *config = config_of(strrchr(r->target, '/') + 1, is_own);
    AUTO_FREE char *manifest = scan_manifest_of(config);
    int remaining = is_head ? f->changed : --f->changed;
    f->served += !is_head;
    AUTO_FREE char *headers =
        xasprintf("ratelimit-limit: 100;w=21600\r\nratelimit-remaining: %d;w=21600\r\n", remaining);
    return scan_reply_content(r, fd, headers, manifest);
}

/* The list came back after it was empty for a while: nothing of what was known is asked for again. */
static void test_repository_scan_short_list_loses_no_details(void **state)
{
    struct fixture *f = *state;
    unsigned requests = 0;
    f->answer = serve_counting;
    f->changed = 100;
    f->tags = 30;
    free(scan_beside(f, "many", true, f->server, NULL));
    f->tags = 0;
    AUTO_FREE char *empty = scan_beside(f, "many", true, f->server, &requests);
    assert_string_equal(empty, "30 tags (lists 0)");
    assert_int_equal(requests, 1);
    f->tags = 30;
    AUTO_FREE char *back = scan_beside(f, "many", true, f->server, &requests);
    assert_string_equal(back, "30 tags");
    assert_int_equal(requests, 1);
}

static void test_repository_scan_without_a_cache_asks_nothing_twice(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    unsigned requests;
    scanner_free(f->scanner);
    f->scanner = NULL;
    cache_free(f->cache);
    f->cache = cache_open("none", f->directory, 1000, &err);
    open_scanner(f, NULL);
    f->answer = serve_counting;
    f->changed = 100;
    f->tags = 5;
    CLEANUP(repository_info_release)
    struct repository_info *first = scan_knowing(f, NULL, true, "many", &requests);
    assert_int_equal(requests, 1 + 5 * 2);
    CLEANUP(repository_info_release)
    struct repository_info *second = scan_knowing(f, first, true, "many", &requests);
    assert_int_equal(requests, 1);
    assert_true(repository_info_details(second, 4)->created_ms != 0);
}

static void test_repository_scan_head_spares_a_quota(void **state)
{
    struct fixture *f = *state;
    f->answer = serve_counting;
    f->changed = 100;
    f->tags = 1;
    AUTO_FREE char *one = scan_beside(f, "one", true, f->server, NULL);
    assert_string_equal(one, "1 tags");
    assert_int_equal(f->served, 1);
    f->tags = 40;
    AUTO_FREE char *many = scan_beside(f, "one", true, f->server, NULL);
    assert_string_equal(many, "40 tags");
    assert_int_equal(f->served, 1); /* the others are the same image, says their digest */
    struct registry_host_stats stats = stats_of(f, f->server);
    assert_int_equal(stats.quota_limit, 100);
    assert_int_equal(stats.quota_remaining, 99);
}

static void test_repository_scan_quota_is_left_for_others(void **state)
{
    struct fixture *f = *state;
    f->answer = serve_counting;
    f->changed = 15;
    f->tags = 40;
    AUTO_FREE char *got = scan_beside(f, "many", true, f->server, NULL);
    assert_true(str_starts_with(got, "40 tags| rate-limited: scanning 127.0.0.1:"));
    assert_non_null(strstr(got, " of 100 requests are left of the quota, the next may go in "));
    /* The eight that are under way at once, when nothing was known of a quota, and the first that it spreads. */
    assert_in_range(f->served, 1, 9);
    f->answer = serve_tags;
    AUTO_FREE char *names = scan_beside(f, "names", false, f->server, NULL);
    assert_string_equal(names, "40 tags"); /* lists are not counted, and go on */
    f->answer = serve_counting;
    f->changed = 100;
    f->monotonic_ms += INT64_C(6) * 3600000;
    for (int i = 0; i < 5; i++)
        free(scan_beside(f, "many", true, f->server, NULL));
    AUTO_FREE char *later = scan_beside(f, "many", true, f->server, NULL);
    assert_string_equal(later, "40 tags"); /* the next scans went on with what was missing */
    assert_int_equal(f->served, 40);
}

/* What is left to one log-in says nothing of another: Docker Hub counts by user, or by address for the anonymous. */
static void test_repository_scan_quota_is_that_of_a_log_in(void **state)
{
    struct fixture *f = *state;
    open_scanner_for(f, "/team", "{\"auth\":\"bWU6c2VjcmV0\"}");
    f->answer = serve_counting;
    f->changed = 5;
    f->tags = 20;
    AUTO_FREE char *anonymous = scan_beside(f, "many", true, f->server, NULL);
    assert_non_null(strstr(anonymous, "left of the quota"));
    f->changed = 200;
    AUTO_FREE char *team = scan_beside(f, "team/many", true, f->server, NULL);
    assert_string_equal(team, "20 tags");
    AUTO_FREE char *again = scan_beside(f, "many", true, f->server, NULL);
    assert_non_null(strstr(again, "left of the quota"));
}

/* -- numbers --------------------------------------------------------------------------------------------------------- */

static void test_repository_scan_counts_what_it_sends(void **state)
{
    struct fixture *f = *state;
    f->answer = serve_counting;
    f->changed = 100;
    f->tags = 1;
    free(scan_beside(f, "one", true, f->server, NULL));
    f->answer = serve_reset;
    f->tags = 2;
    free(scan_beside(f, "broken", false, f->server, NULL));
    f->answer = serve_with_token;
    f->served = 0;
    f->changed = 0;
    free(scan_beside(f, "private", false, f->server, NULL));
    struct registry_host_stats stats = stats_of(f, f->server);
    static const struct {
        enum registry_kind kind;
        enum registry_outcome outcome;
        unsigned requests;
    } cases[] = {
        {REGISTRY_TAGS, REGISTRY_2XX, 3 /* fine */ + 1 + 3 + 1},
        {REGISTRY_TAGS, REGISTRY_4XX, 1},
        {REGISTRY_TAGS, REGISTRY_FAILED, 2},
        {REGISTRY_MANIFEST, REGISTRY_2XX, 1},
        {REGISTRY_CONFIG, REGISTRY_2XX, 1},
        {REGISTRY_TOKEN, REGISTRY_2XX, 1},
        {REGISTRY_PING, REGISTRY_FAILED, 0},
        {REGISTRY_TAGS, REGISTRY_5XX, 0},
    };
    uint64_t all = 0, observed = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (stats.requests[cases[i].kind][cases[i].outcome] != cases[i].requests)
            fail_msg("%s %s: %d", registry_kind_name(cases[i].kind), registry_outcome_name(cases[i].outcome),
                     (int)stats.requests[cases[i].kind][cases[i].outcome]);
        all += cases[i].requests;
    }
    for (size_t i = 0; i <= REGISTRY_LATENCY_BOUNDS; i++)
        observed += stats.latency_buckets[i];
    assert_int_equal(observed, all);
    assert_true(stats.bytes > 0 && stats.latency_sum_s > 0);
    assert_int_equal(stats.in_flight, 0);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal((int)stats.rps_ceiling, RPS);
}

/* A host that the user calls insecure is asked over https first, and this one speaks http. */
static void test_repository_scan_counts_a_probe_as_ping(void **state)
{
    struct fixture *f = *state;
    CLEANUP(strvec_release) struct strvec insecure = STRVEC_INIT;
    AUTO_FREE char *name = xasprintf("127.0.0.1:%d", f->server->port);
    strvec_push(&insecure, name);
    scanner_free(f->scanner);
    f->scanner = scanner_new(&(struct scanner_options){.cache = f->cache,
                                                       .clock = &f->clock,
                                                       .insecure_hosts = &insecure,
                                                       .rps = RPS,
                                                       .burst = 100,
                                                       .tag_limit = 1000,
                                                       .timeout_ms = 5000});
    f->answer = serve_tags;
    f->tags = 3;
    AUTO_FREE char *got = scan_beside(f, "app", false, f->server, NULL);
    assert_string_equal(got, "3 tags");
    struct registry_host_stats stats = stats_of(f, f->server);
    assert_int_equal(stats.requests[REGISTRY_PING][REGISTRY_FAILED], 1);
    assert_int_equal(stats.requests[REGISTRY_TAGS][REGISTRY_2XX], 2);
    assert_int_equal(stats.requests[REGISTRY_TAGS][REGISTRY_FAILED], 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(test_repository_scan_short_list_needs_a_second_one),
        CASE(test_repository_scan_short_list_loses_no_details),
        CASE(test_repository_scan_answers_go_to_whose_credentials_they_were_given),
        CASE(test_repository_scan_uses_the_demands_credentials_alone),
        CASE(test_repository_scan_log_in_that_has_expired_is_got_anew),
        CASE(test_repository_scan_unchanged_list_is_not_sent_again),
        CASE(test_repository_scan_unchanged_list_without_a_page_size),
        CASE(test_repository_scan_unchanged_list_ends_the_doubt),
        CASE(test_repository_scan_pages_are_never_conditional),
        CASE(test_repository_scan_goes_on_in_mid_list),
        CASE(test_repository_scan_long_pause_in_mid_list_ends_it),
        CASE(test_repository_scan_ends_a_list_of_too_many_pages),
        CASE(test_repository_scan_leaves_a_host_that_breaks_off),
        CASE(test_repository_scan_token_that_ends_in_mid_list_is_replaced),
        CASE(test_repository_scan_token_lasts_by_our_steady_clock),
        CASE(test_repository_scan_realm_elsewhere_gets_no_credentials),
        CASE(test_repository_scan_retry_date_is_by_the_servers_clock),
        CASE(test_repository_scan_storm_of_429_is_met_with_silence),
        CASE(test_repository_scan_429_of_a_token_server_counts),
        CASE(test_repository_scan_without_a_cache_short_list_needs_a_second_one),
        CASE(test_repository_scan_without_a_cache_asks_nothing_twice),
        CASE(test_repository_scan_head_spares_a_quota),
        CASE(test_repository_scan_quota_is_left_for_others),
        CASE(test_repository_scan_quota_is_that_of_a_log_in),
        CASE(test_repository_scan_counts_what_it_sends),
        CASE(test_repository_scan_counts_a_probe_as_ping),
    };
    return cmocka_run_group_tests_name("repository_scan", tests, NULL, NULL);
}
