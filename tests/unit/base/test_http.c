/* The HTTP client against a server that misbehaves on purpose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/http.h"
#include "base/limits.h"
#include "tests/unit/scripted_server.h"

struct fixture {
    struct scripted_server *server, *other; /* two origins */
    struct http_client *client;
};

static void big_body(int fd, size_t len, bool say_length)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    strbuf_addstr(&b, "HTTP/1.1 200 OK\r\n");
    if (say_length)
        strbuf_addf(&b, "Content-Length: %zu\r\n", len);
    strbuf_addstr(&b, "\r\n");
    for (size_t i = 0; i < len; i++)
        strbuf_addch(&b, (char)('a' + i % 26));
    scripted_send(fd, b.buf, b.len);
}

/* What the paths of the server do; paths not here say what came in. */
static bool answer(const struct scripted_request *r, int fd, void *context)
{
    struct fixture *f = context;
    const char *path = r->target;
    char headers[512];
    if (str_starts_with(path, "/drop"))
        return false;
    if (!strcmp(r->method, "CONNECT"))
        return scripted_reply(fd, "407 Proxy Authentication Required", "", "");
    if (!strcmp(path, "/garbage")) {
        scripted_send(fd, "SSH-2.0-x\r\n", 11);
        return false;
    }
    if (!strcmp(path, "/cut")) {
        scripted_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.", 50);
        return false;
    }
    if (!strcmp(path, "/hang")) {
        struct pollfd until_closed = {.fd = fd, .events = POLLIN};
        poll(&until_closed, 1, 20000);
        return false;
    }
    if (!strcmp(path, "/big-declared") || !strcmp(path, "/big-endless")) {
        big_body(fd, 3 << 20, !strcmp(path, "/big-declared"));
        return false;
    }
    if (!strcmp(path, "/big-headers")) {
        CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
        strbuf_addstr(&b, "HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 1000; i++)
            strbuf_addf(&b, "X-Filler-%d: %080d\r\n", i, i);
        scripted_send(fd, b.buf, b.len);
        return false;
    }
    if (str_starts_with(path, "/to?")) {
        snprintf(headers, sizeof(headers), "Location: %.400s\r\n", path + 4);
        return scripted_reply(fd, "302 Found", headers, "moved");
    }
    if (!strcmp(path, "/to-other")) {
        snprintf(headers, sizeof(headers), "Location: http://u:p@127.0.0.1:%d/seen\r\n", f->other->port);
        return scripted_reply(fd, "307 Temporary Redirect", headers, "");
    }
    if (!strcmp(path, "/loop"))
        return scripted_reply(fd, "301 Moved Permanently", "Location: loop\r\n", "");
    if (!strcmp(path, "/twice"))
        return scripted_reply(fd, "200 OK", "Link: <a>\r\nLINK:\t<b> \r\nEmpty:\r\n", "x");
    if (!strcmp(path, "/status"))
        return scripted_reply(fd, "503 Service Unavailable", "Retry-After: 7\r\n", "later");
    AUTO_FREE char *authorization = scripted_header(r, "Authorization");
    AUTO_FREE char *cookie = scripted_header(r, "Cookie");
    AUTO_FREE char *text = xasprintf("%s %s %s [%s] [%s]", r->method, path,
                                     authorization ? authorization : "-", cookie ? cookie : "-", r->body);
    return scripted_reply(fd, "200 OK", "", text);
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    f->server = scripted_start(answer, f);
    f->other = scripted_start(answer, f);
    f->client = http_client_new(NULL);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    http_client_free(f->client);
    scripted_stop(f->server);
    scripted_stop(f->other);
    free(f);
    return 0;
}

static char *url_of(const struct scripted_server *server, const char *path)
{
    return xasprintf("http://127.0.0.1:%d%s", server->port, path);
}

/* The body of a GET of `path`, or "CODE: text". */
static char *fetch(struct fixture *f, struct http_request request, const char *path)
{
    AUTO_FREE char *url = url_of(f->server, path);
    CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
    struct error err = ERROR_INIT;
    request.url = url;
    if (http_perform(f->client, &request, &response, &err) < 0)
        return xasprintf("%s: %s", error_code_name(err.code), err.text);
    return xasprintf("%d %s", response.status, response.body.buf);
}

static void test_http_request_reaches_server(void **state)
{
    static const struct http_header headers[] = {{"Cookie", "c=1"}, {NULL, NULL}};
    static const struct {
        struct http_request request;
        const char *body;
    } cases[] = {
        {{.method = NULL}, "200 GET /x - [-] []"},
        {{.authorization = "Bearer t"}, "200 GET /x Bearer t [-] []"},
        {{.headers = headers}, "200 GET /x - [c=1] []"},
        {{.method = "POST"}, "200 POST /x - [-] []"},
        {{.method = "POST", .body = "a=b", .body_len = 3}, "200 POST /x - [-] [a=b]"},
        {{.method = "PATCH", .body = "{}", .body_len = 2}, "200 PATCH /x - [-] [{}]"},
        {{.method = "DELETE"}, "200 DELETE /x - [-] []"},
        {{.method = "HEAD", .max_body = 2}, "200 "},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *got = fetch(*state, cases[i].request, "/x");
        assert_string_equal(got, cases[i].body);
    }
}

static void test_http_status_is_no_error(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *url = url_of(f->server, "/status");
    CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(http_perform(f->client, &(struct http_request){.url = url}, &response, &err), 0);
    assert_int_equal(response.status, 503);
    assert_string_equal(http_header(&response, "retry-after"), "7");
    assert_string_equal(response.body.buf, "later");
    assert_string_equal(response.url, url);
}

static void test_http_header_finds_last_and_list(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *url = url_of(f->server, "/twice");
    CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(http_perform(f->client, &(struct http_request){.url = url}, &response, &err), 0);
    assert_string_equal(http_header(&response, "Link"), "<b>");
    assert_string_equal(http_header_list(&response, "link"), "<a>, <b>");
    assert_string_equal(http_header(&response, "Empty"), "");
    assert_null(http_header(&response, "Lin"));
}

static void test_http_faults_are_explained(void **state)
{
    static const struct {
        const char *path, *code, *says;
    } cases[] = {
        {"/drop", "network", "closed without an answer"},
        {"/garbage", "network", "does not speak HTTP"},
        {"/cut", "network", "cut off"},
        {"/hang", "timeout", "waiting for an answer"},
        {"/big-declared", "too-large", "limit of 1048576 bytes"},
        {"/big-endless", "too-large", "limit of 1048576 bytes"},
        {"/big-headers", "too-large", "limit of 65536 bytes"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture *f = *state;
        /* Only what hangs is to run out of time, however busy the machine is. */
        int64_t timeout_ms = strcmp(cases[i].path, "/hang") ? 30000 : 700;
        AUTO_FREE char *got = fetch(f, (struct http_request){.timeout_ms = timeout_ms}, cases[i].path);
        AUTO_FREE char *url = url_of(f->server, cases[i].path);
        assert_true(str_starts_with(got, cases[i].code));
        assert_non_null(strstr(got, url));
        assert_non_null(strstr(got, cases[i].says));
    }
}

static void test_http_error_text_hides_query(void **state)
{
    AUTO_FREE char *got = fetch(*state, (struct http_request){.method = NULL}, "/drop?signature=secret");
    assert_non_null(strstr(got, "/drop: "));
    assert_null(strstr(got, "secret"));
}

struct seen {
    size_t len;
    char text[3][200];
};

static void see(const struct http_exchange *exchange, void *context)
{
    struct seen *seen = context;
    assert_true(seen->len < ARRAY_LEN(seen->text) && exchange->took_ms >= 0 && exchange->took_ms < 60000);
    const char *path = strchr(exchange->url + strlen("http://"), '/');
    snprintf(seen->text[seen->len++], sizeof(seen->text[0]), "%s %s %d %zu %s", exchange->method, path,
             exchange->status, exchange->bytes, exchange->error ? "failed" : "-");
}

static void test_http_observer_is_told_of_each_request(void **state)
{
    struct fixture *f = *state;
    struct seen seen = {0};
    struct http_client *client =
        http_client_new(&(struct http_client_options){.observer = see, .observer_context = &seen});
    AUTO_FREE char *moved = url_of(f->server, "/to?/status"), *broken = url_of(f->server, "/loop");
    const struct http_request requests[] = {
        {.url = moved, .follow_redirects = true},
        {.url = broken, .method = "HEAD", .follow_redirects = true},
    };
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        struct http_response response;
        struct error err = ERROR_INIT;
        assert_int_equal(http_perform(client, &requests[i], &response, &err), i == 0 ? 0 : -1);
        http_response_release(&response);
    }
    http_client_free(client);
    assert_int_equal(seen.len, 2);
    assert_string_equal(seen.text[0], "GET /to?/status 503 5 -");
    assert_string_equal(seen.text[1], "HEAD /loop 0 0 failed");
}

static void test_http_unreachable_is_explained(void **state)
{
    static const struct {
        const char *url, *code, *says;
    } cases[] = {
        {"http://127.0.0.1:1/x", "network", "Connection refused"},
        {"http://no-such-host.invalid/", "network", "does not resolve"},
        {"ftp://127.0.0.1/", "invalid", "not an http or https URL"},
        {"file:///etc/passwd", "invalid", "not an http or https URL"},
        {"127.0.0.1:80", "invalid", "not an http or https URL"},
        {"", "invalid", "not an http or https URL"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
        struct error err = ERROR_INIT;
        struct http_request request = {.url = cases[i].url};
        assert_int_equal(http_perform(f->client, &request, &response, &err), -1);
        assert_string_equal(error_code_name(err.code), cases[i].code);
        assert_non_null(strstr(err.text, cases[i].says));
    }
}

/* What goes wrong at a proxy is not laid at the server's door. */
static void test_http_proxy_in_trouble_is_named(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *refuses = url_of(f->server, "");
    const struct {
        const char *proxy, *says;
    } cases[] = {
        {refuses, "https://quay.example/: the proxy refused (CONNECT tunnel failed, response 407)"},
        {"http://127.0.0.1:1",
         "https://quay.example/: cannot connect to the proxy (Failed to connect to 127.0.0.1 port 1); "},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
        struct error err = ERROR_INIT;
        setenv("https_proxy", cases[i].proxy, 1);
        int result =
            http_perform(f->client, &(struct http_request){.url = "https://quay.example/"}, &response, &err);
        unsetenv("https_proxy");
        assert_int_equal(result, -1);
        assert_int_equal(err.code, ERROR_NETWORK);
        if (!str_starts_with(err.text, cases[i].says) ||
            !strstr(err.text, "check http_proxy and https_proxy"))
            fail_msg("%s", err.text);
    }
}

static void test_http_tls_to_plain_port_is_tls_error(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *url = xasprintf("https://127.0.0.1:%d/garbage", f->server->port);
    CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
    struct error err = ERROR_INIT;
    struct http_request request = {.url = url, .timeout_ms = 2000};
    assert_int_equal(http_perform(f->client, &request, &response, &err), -1);
    assert_true(err.code == ERROR_TLS || err.code == ERROR_TIMEOUT);
}

static void test_http_body_limit_is_exact(void **state)
{
    AUTO_FREE char *fits = fetch(*state, (struct http_request){.max_body = 15}, "/x");
    AUTO_FREE char *over = fetch(*state, (struct http_request){.max_body = 14}, "/x");
    assert_string_equal(fits, "200 GET /x - [-] []");
    assert_true(str_starts_with(over, "too-large"));
}

static void test_http_line_break_in_header_is_refused(void **state)
{
    static const struct http_header headers[] = {{"X", "a\r\nHost: evil"}, {NULL, NULL}};
    AUTO_FREE char *header = fetch(*state, (struct http_request){.headers = headers}, "/x");
    AUTO_FREE char *secret = fetch(*state, (struct http_request){.authorization = "a\nb: c"}, "/x");
    assert_true(str_starts_with(header, "invalid"));
    assert_true(str_starts_with(secret, "invalid"));
    assert_null(strstr(secret, "b: c"));
}

static void test_http_redirect_only_if_asked(void **state)
{
    static const struct {
        struct http_request request;
        const char *path, *expected;
    } cases[] = {
        {{.follow_redirects = false}, "/to?/x", "302 moved"},
        {{.follow_redirects = true}, "/to?/x", "200 GET /x - [-] []"},
        {{.follow_redirects = true}, "/to?x/../y%20z", "200 GET /y%20z - [-] []"},
        {{.follow_redirects = true, .method = "HEAD"}, "/to?/x", "200 "},
        {{.follow_redirects = true, .method = "POST"}, "/to?/x", "302 moved"},
        {{.follow_redirects = true, .authorization = "Basic eA=="}, "/to?/x", "200 GET /x Basic eA== [-] []"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *got = fetch(*state, cases[i].request, cases[i].path);
        assert_string_equal(got, cases[i].expected);
    }
}

static void test_http_redirect_to_other_origin_drops_credentials(void **state)
{
    static const struct http_header headers[] = {
        {"authorization", "Basic eA=="}, {"Cookie", "secret"}, {"Accept", "*/*"}, {NULL, NULL}};
    AUTO_FREE char *got =
        fetch(*state, (struct http_request){.headers = headers, .follow_redirects = true}, "/to-other");
    assert_string_equal(got, "200 GET /seen - [-] []");
}

/* The signature itself is checked where a registry of Amazon's is played, in tests/integration. */
static void test_http_aws_signature_is_for_its_origin(void **state)
{
    static const struct http_aws_sigv4 signature = {
        .region = "us-east-1", .service = "ecr", .key_id = "AKTEST", .secret = "hidden"};
    static const struct {
        const char *path;
        bool is_signed;
    } cases[] = {{"/x", true}, {"/to?/x", true}, {"/to-other", false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *got =
            fetch(*state,
                  (struct http_request){
                      .aws_sigv4 = &signature, .authorization = "Basic eA==", .follow_redirects = true},
                  cases[i].path);
        assert_int_equal(strstr(got, "AWS4-HMAC-SHA256 Credential=AKTEST/") != NULL, cases[i].is_signed);
        assert_non_null(strstr(got, "200 GET /"));
        assert_null(strstr(got, "Basic"));
        assert_null(strstr(got, "hidden"));
    }
}

static void test_http_redirect_refusals(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *path, *says;
    } cases[] = {
        {"/loop", "more than 5 redirects"},
        {"/to?ftp://127.0.0.1/", "not an http or https URL"},
        {"/to?http://", "not a URL"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *got = fetch(f, (struct http_request){.follow_redirects = true}, cases[i].path);
        assert_non_null(strstr(got, cases[i].says));
    }
    assert_int_equal(scripted_count(f->server, "GET /loop"), LIMIT_REDIRECTS + 1);
}

static void test_http_user_part_becomes_basic_and_is_never_shown(void **state)
{
    struct fixture *f = *state;
    CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
    struct error err = ERROR_INIT;
    AUTO_FREE char *url = xasprintf("http://me:s%%40cret@127.0.0.1:%d/x", f->server->port);
    assert_int_equal(http_perform(f->client, &(struct http_request){.url = url}, &response, &err), 0);
    assert_string_equal(response.body.buf, "GET /x Basic bWU6c0BjcmV0 [-] []");
    assert_null(strstr(response.url, "cret"));

    CLEANUP(http_response_release) struct http_response none = HTTP_RESPONSE_INIT;
    struct http_request bad = {.url = "http://me:s3cret@127.0.0.1:1/?token=s3cret#s3cret"};
    assert_int_equal(http_perform(f->client, &bad, &none, &err), -1);
    assert_null(strstr(err.text, "s3cret"));
    assert_non_null(strstr(err.text, "http://127.0.0.1:1/: "));
}

struct tally {
    struct fixture *f;
    int done, failed;
    int again; /* requests still to start from the callback */
};

static void count(struct http_response *response, const struct error *err, void *context)
{
    struct tally *tally = context;
    assert_true(!response != !err);
    tally->done++;
    tally->failed += err != NULL;
    if (tally->again-- <= 0)
        return;
    AUTO_FREE char *url = url_of(tally->f->server, "/x");
    http_start(tally->f->client, &(struct http_request){.url = url}, count, tally);
}

static void test_http_many_at_once_and_one_that_hangs(void **state)
{
    struct fixture *f = *state;
    struct tally quick = {.f = f, .again = 20}, slow = {.f = f};
    AUTO_FREE char *url = url_of(f->server, "/x"), *hanging = url_of(f->server, "/hang");
    http_start(f->client, &(struct http_request){.url = hanging, .timeout_ms = 1500}, count, &slow);
    for (int i = 0; i < 30; i++)
        http_start(f->client, &(struct http_request){.url = url}, count, &quick);
    for (int i = 0; i < 1000 && quick.done < 50; i++)
        http_client_run(f->client, 10);
    assert_int_equal(quick.done, 50);
    assert_int_equal(quick.failed, 0);
    assert_int_equal(slow.done, 0);
    assert_int_equal(http_client_run(f->client, -1), 0);
    assert_int_equal(slow.failed, 1);
}

static void test_http_run_keeps_its_time(void **state)
{
    struct fixture *f = *state;
    struct tally tally = {.f = f};
    AUTO_FREE char *url = url_of(f->server, "/hang");
    http_start(f->client, &(struct http_request){.url = url}, count, &tally);
    int64_t start = clock_monotonic_ms(&system_clock);
    assert_int_equal(http_client_run(f->client, 50), 1);
    int64_t took = clock_monotonic_ms(&system_clock) - start;
    assert_true(took >= 50 && took < 5000);
    http_client_free(steal(&f->client));
    assert_int_equal(tally.failed, 1);
}

static void *wake(void *client)
{
    usleep(50000);
    http_client_wake(client);
    return NULL;
}

static void test_http_wake_ends_run(void **state)
{
    struct fixture *f = *state;
    struct tally tally = {.f = f};
    AUTO_FREE char *url = url_of(f->server, "/hang");
    http_start(f->client, &(struct http_request){.url = url}, count, &tally);
    pthread_t thread;
    pthread_create(&thread, NULL, wake, f->client);
    assert_int_equal(http_client_run(f->client, 10000), 1);
    pthread_join(thread, NULL);
    assert_int_equal(tally.done, 0);
    http_client_free(steal(&f->client));
}

static void test_http_free_cancels(void **state)
{
    struct fixture *f = *state;
    struct tally tally = {.f = f, .again = 1};
    AUTO_FREE char *url = url_of(f->server, "/hang");
    http_start(f->client, &(struct http_request){.url = url}, count, &tally);
    http_client_run(f->client, 20);
    http_client_free(f->client);
    f->client = NULL;
    assert_int_equal(tally.done, 2);
    assert_int_equal(tally.failed, 2);
}

static void test_http_stream_reads_everything_in_order(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *url = url_of(f->server, "/to?/big-declared");
    struct error err = ERROR_INIT;
    struct http_request request = {.url = url, .follow_redirects = true, .max_body = 10};
    struct http_stream *stream = http_stream_open(f->client, &request, &err);
    assert_non_null(stream);
    assert_int_equal(http_stream_status(stream), 200);
    assert_string_equal(http_stream_header(stream, "content-length"), "3145728");
    size_t total = 0;
    char buffer[7919];
    ssize_t got;
    while ((got = http_stream_read(stream, buffer, sizeof(buffer), &err)) > 0) {
        for (ssize_t i = 0; i < got; i++, total++) {
            if (buffer[i] != (char)('a' + total % 26))
                fail_msg("byte %zu is wrong", total);
        }
    }
    assert_int_equal(got, 0);
    assert_int_equal(total, 3 << 20);
    assert_int_equal(http_stream_read(stream, buffer, sizeof(buffer), &err), 0);
    http_stream_close(stream);
}

static void test_http_stream_faults(void **state)
{
    struct fixture *f = *state;
    char buffer[64];
    struct error err = ERROR_INIT;
    AUTO_FREE char *dropped = url_of(f->server, "/drop"), *cut = url_of(f->server, "/cut");
    assert_null(http_stream_open(f->client, &(struct http_request){.url = dropped}, &err));
    assert_int_equal(err.code, ERROR_NETWORK);

    struct http_stream *stream = http_stream_open(f->client, &(struct http_request){.url = cut}, &err);
    assert_non_null(stream);
    assert_int_equal(http_stream_read(stream, buffer, sizeof(buffer), &err), 10);
    assert_int_equal(http_stream_read(stream, buffer, sizeof(buffer), &err), -1);
    assert_non_null(strstr(err.text, "cut off"));
    http_stream_close(stream);

    /* closed long before its end; the client goes on */
    AUTO_FREE char *endless = url_of(f->server, "/big-endless");
    stream = http_stream_open(f->client, &(struct http_request){.url = endless}, &err);
    assert_non_null(stream);
    assert_true(http_stream_read(stream, buffer, sizeof(buffer), &err) > 0);
    http_stream_close(stream);
    AUTO_FREE char *got = fetch(f, (struct http_request){.method = NULL}, "/x");
    assert_string_equal(got, "200 GET /x - [-] []");
}

static void test_http_origin_fills_in_and_lowers(void **state)
{
    static const struct {
        const char *url, *origin;
    } cases[] = {
        {"https://Example.ORG/a?b", "https://example.org:443"},
        {"HTTP://user:pw@h:8080/", "http://h:8080"},
        {"http://h", "http://h:80"},
        {"https://[::1]:5000/", "https://[::1]:5000"},
        {"ftp://h/", NULL},
        {"h/x", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *origin = http_origin(cases[i].url);
        if (cases[i].origin)
            assert_string_equal(origin, cases[i].origin);
        else
            assert_null(origin);
    }
}

static void test_http_resolve_follows_references(void **state)
{
    static const struct {
        const char *reference, *url;
    } cases[] = {
        {"/v2/a?last=x&n=1", "https://h:5000/v2/a?last=x&n=1"},
        {"list?n=2", "https://h:5000/v2/a/tags/list?n=2"},
        {"?n=3", "https://h:5000/v2/a/tags/list?n=3"},
        {"//other/x", "https://other/x"},
        {"http://u:p@h/x#f", "http://h/x"},
        {"ftp://h/x", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *url = http_resolve("https://h:5000/v2/a/tags/list?n=1", cases[i].reference);
        if (cases[i].url)
            assert_string_equal(url, cases[i].url);
        else
            assert_null(url);
    }
}

static void test_http_retry_after_reads_seconds_and_dates(void **state)
{
    static const struct {
        const char *header;
        int seconds;
    } cases[] = {
        {"", 0},
        {"Retry-After: 17\r\n", 17},
        {"Retry-After: 99999999999999999999\r\n", 86400},
        {"Retry-After: soon\r\n", 0},
        {"Retry-After: -5\r\n", 0},
        {"Retry-After: Thu, 01 Jan 1970 00:02:00 GMT\r\n", 20},
        {"Retry-After: Thu, 01 Jan 1970 00:01:00 GMT\r\n", 0},
        {"Date: Fri, 02 Jan 2026 03:04:05 GMT\r\nRetry-After: Fri, 02 Jan 2026 03:04:35 GMT\r\n", 30},
        {"Date: Fri, 02 Jan767321658\r\nRetry-After: Thu, 01 Jan 1970 00:02:00 GMT\r\n", 20},
        {"Retry-After: Fri, 02 Jan767321658\r\n", 0},
        {"Date: yesterday\r\nRetry-After: Thu, 01 Jan 1970 00:02:00 GMT\r\n", 20},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
        strbuf_addstr(&response.headers, cases[i].header);
        assert_int_equal(http_retry_after_s(&response, 100000), cases[i].seconds);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(test_http_request_reaches_server),
        CASE(test_http_status_is_no_error),
        CASE(test_http_header_finds_last_and_list),
        CASE(test_http_faults_are_explained),
        CASE(test_http_error_text_hides_query),
        CASE(test_http_observer_is_told_of_each_request),
        CASE(test_http_unreachable_is_explained),
        CASE(test_http_proxy_in_trouble_is_named),
        CASE(test_http_tls_to_plain_port_is_tls_error),
        CASE(test_http_body_limit_is_exact),
        CASE(test_http_line_break_in_header_is_refused),
        CASE(test_http_redirect_only_if_asked),
        CASE(test_http_redirect_to_other_origin_drops_credentials),
        CASE(test_http_aws_signature_is_for_its_origin),
        CASE(test_http_redirect_refusals),
        CASE(test_http_user_part_becomes_basic_and_is_never_shown),
        CASE(test_http_many_at_once_and_one_that_hangs),
        CASE(test_http_run_keeps_its_time),
        CASE(test_http_wake_ends_run),
        CASE(test_http_free_cancels),
        CASE(test_http_stream_reads_everything_in_order),
        CASE(test_http_stream_faults),
        cmocka_unit_test(test_http_origin_fills_in_and_lowers),
        cmocka_unit_test(test_http_resolve_follows_references),
        cmocka_unit_test(test_http_retry_after_reads_seconds_and_dates),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
