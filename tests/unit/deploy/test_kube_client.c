#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "deploy/kube_client.h"

#include "../scripted_server.h"
#include "json_text.h"

/* One server that does as its path says, and a client of it. */
struct bench {
    struct scripted_server *server;
    struct kube_access access;
    struct kube_client *client;
    atomic_int calls, at_once, most_at_once;
};

static bool answer(const struct scripted_request *request, int fd, void *context)
{
    struct bench *b = context;
    int call = atomic_fetch_add(&b->calls, 1) + 1;
    const char *path = request->target;
    if (strcmp(path, "/ok") == 0)
        return scripted_reply(fd, "200 OK", "Warning: 299 - \"old\"\r\n", "{\"a\":1}");
    if (strcmp(path, "/third") == 0 && call < 3)
        return scripted_reply(fd, "503 Service Unavailable", "", "busy");
    if (strcmp(path, "/patience") == 0 && call == 1)
        return scripted_reply(fd, "429 Too Many Requests", "Retry-After: 1\r\n", "{}");
    if (strcmp(path, "/never") == 0)
        return scripted_reply(fd, "500 Internal Server Error", "", "webhook");
    if (strcmp(path, "/typo") == 0)
        return scripted_reply(
            fd, "500 Internal Server Error", "",
            "{\"kind\":\"Status\",\"message\":\"failed to create typed patch object: .x\"}");
    if (strcmp(path, "/stranger") == 0 || (strcmp(path, "/expired") == 0 && call == 1))
        return scripted_reply(fd, "401 Unauthorized", "", "{}");
    if (strcmp(path, "/cut") == 0 && call == 2)
        return false;
    if (strcmp(path, "/html") == 0)
        return scripted_reply(fd, "200 OK", "", "<html>");
    if (strncmp(path, "/slow", 5) == 0) {
        int now = atomic_fetch_add(&b->at_once, 1) + 1;
        if (now > atomic_load(&b->most_at_once))
            atomic_store(&b->most_at_once, now);
        usleep(20000);
        atomic_fetch_sub(&b->at_once, 1);
    }
    return scripted_reply(fd, "200 OK", "", "{}");
}

static int open_bench(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));
    b->server = scripted_start(answer, b);
    kube_access_init(&b->access);
    b->access.server = xasprintf("http://127.0.0.1:%d", b->server->port);
    b->access.name = xstrdup("context test");
    struct kube_client_options options = {
        .access = &b->access, .clock = &system_clock, .timeout_ms = 5000, .retry_delay_ms = 1};
    b->client = kube_client_new(&options);
    struct error err = ERROR_INIT;
    *state = b;
    return kube_client_begin(b->client, &err);
}

static int close_bench(void **state)
{
    struct bench *b = *state;
    kube_client_free(b->client);
    kube_access_release(&b->access);
    scripted_stop(b->server);
    free(b);
    return 0;
}

static int get(struct bench *b, const char *path, struct kube_reply *reply, struct error *err)
{
    error_clear(err);
    atomic_store(&b->calls, 0);
    return kube_client_perform(b->client, &(struct kube_request){.path = path}, reply, err);
}

static void test_kube_client_repeats_what_may_pass(void **state)
{
    static const struct {
        const char *path;
        int calls;
        enum kube_verdict verdict;
    } cases[] = {
        {"/ok", 1, KUBE_DONE},         {"/third", 3, KUBE_DONE},
        {"/patience", 2, KUBE_DONE},   {"/never", KUBE_ATTEMPTS, KUBE_RETRY},
        {"/typo", 1, KUBE_BAD_FIELDS}, {"/expired", 2, KUBE_DONE},
    };
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(kube_reply_release) struct kube_reply reply;
        struct error err = ERROR_INIT;
        if (get(b, cases[i].path, &reply, &err) < 0)
            fail_msg("%s: %s", cases[i].path, err.text);
        if (atomic_load(&b->calls) != cases[i].calls || reply.status.verdict != cases[i].verdict)
            fail_msg("%s: %d calls, verdict %d", cases[i].path, atomic_load(&b->calls),
                     (int)reply.status.verdict);
    }
}

static void test_kube_client_gives_body_and_warnings(void **state)
{
    CLEANUP(kube_reply_release) struct kube_reply reply;
    struct error err = ERROR_INIT;
    assert_int_equal(get(*state, "/ok", &reply, &err), 0);
    assert_json(reply.body, "{'a':1}");
    assert_string_equal(reply.warnings, "old");
}

static void test_kube_client_gives_an_error_for_an_answer_that_is_no_json(void **state)
{
    CLEANUP(kube_reply_release) struct kube_reply reply;
    struct error err = ERROR_INIT;
    assert_int_equal(get(*state, "/html", &reply, &err), 0);
    assert_null(reply.body);
    AUTO_FREE char *text = kube_reply_text(&reply, false);
    assert_non_null(strstr(text, "JSON"));
}

static void test_kube_client_ends_the_run_at_a_second_401(void **state)
{
    struct bench *b = *state;
    CLEANUP(kube_reply_release) struct kube_reply reply;
    struct error err = ERROR_INIT;
    assert_int_equal(get(b, "/stranger", &reply, &err), -1);
    assert_int_equal(err.code, ERROR_UNAUTHORIZED);
    assert_non_null(strstr(err.text, "(context test)"));
    assert_int_equal(atomic_load(&b->calls), 2);
    /* and is as new afterwards */
    assert_int_equal(kube_client_begin(b->client, &err), 0);
    assert_int_equal(get(b, "/ok", &reply, &err), 0);
}

static void test_kube_client_survives_a_broken_connection(void **state)
{
    struct bench *b = *state;
    CLEANUP(kube_reply_release) struct kube_reply first, second;
    struct error err = ERROR_INIT;
    assert_int_equal(get(b, "/ok", &first, &err), 0);
    atomic_store(&b->calls, 1);
    assert_int_equal(kube_client_perform(b->client, &(struct kube_request){.path = "/cut"}, &second, &err),
                     0);
    assert_int_equal(second.status.verdict, KUBE_DONE);
}

static void test_kube_client_fails_at_once_where_nothing_listens(void **state)
{
    (void)state;
    struct kube_access access;
    kube_access_init(&access);
    access.server = xstrdup("http://127.0.0.1:1");
    access.name = xstrdup("context down");
    struct kube_client_options options = {.access = &access, .clock = &system_clock, .retry_delay_ms = 60000};
    struct kube_client *client = kube_client_new(&options);
    struct kube_reply reply;
    struct error err = ERROR_INIT;
    assert_int_equal(kube_client_begin(client, &err), 0);
    assert_int_equal(kube_client_perform(client, &(struct kube_request){.path = "/x"}, &reply, &err), -1);
    assert_int_equal(err.code, ERROR_NETWORK);
    assert_non_null(strstr(err.text, "Kubernetes (context down): http://127.0.0.1:1/x: "));
    kube_client_free(client);
    kube_access_release(&access);
}

static void count_reply(struct kube_reply *reply, void *context)
{
    *(size_t *)context += reply->body != NULL;
}

static void test_kube_client_keeps_a_window_full(void **state)
{
    struct bench *b = *state;
    size_t replies = 0;
    for (int i = 0; i < 40; i++) {
        AUTO_FREE char *path = xasprintf("/slow/%d", i);
        kube_client_send(b->client, &(struct kube_request){.path = path}, count_reply, &replies);
    }
    struct error err = ERROR_INIT;
    assert_int_equal(kube_client_run(b->client, &err), 0);
    assert_int_equal(replies, 40);
    assert_in_range(atomic_load(&b->most_at_once), 2, KUBE_WINDOW);
}

static bool echo(const struct scripted_request *request, int fd, void *context)
{
    (void)context;
    static const char *const names[] = {"Authorization", "Accept", "Content-Type", "Impersonate-User"};
    AUTO_JSON json_t *seen = json_object();
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_FREE char *value = scripted_header(request, names[i]);
        json_object_set_new(seen, names[i], value ? json_string(value) : json_null());
    }
    json_object_set_new(seen, "body", json_string(request->body));
    json_object_set_new(seen, "method", json_string(request->method));
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_write(&text, seen, 0);
    return scripted_reply(fd, "200 OK", "", text.buf);
}

static void test_kube_client_sends_no_secret_without_tls(void **state)
{
    (void)state;
    struct scripted_server *server = scripted_start(echo, NULL);
    struct kube_access access;
    kube_access_init(&access);
    access.server = xasprintf("http://127.0.0.1:%d", server->port);
    access.name = xstrdup("test");
    access.token = xstrdup("hunter2");
    strvec_push(&access.impersonate, "Impersonate-User");
    strvec_push(&access.impersonate, "jane");
    struct kube_client_options options = {.access = &access, .clock = &system_clock};
    struct kube_client *client = kube_client_new(&options);
    struct error err = ERROR_INIT;
    assert_int_equal(kube_client_begin(client, &err), 0);
    AUTO_JSON json_t *body = json_from("{'x':1}");
    struct kube_request request = {.method = "PATCH",
                                   .path = "/x",
                                   .content_type = KUBE_APPLY_PATCH,
                                   .accept = KUBE_METADATA,
                                   .body = body};
    CLEANUP(kube_reply_release) struct kube_reply reply;
    assert_int_equal(kube_client_perform(client, &request, &reply, &err), 0);
    assert_json(reply.body,
                "{'Authorization':null,'Accept':'" KUBE_METADATA "','Content-Type':'" KUBE_APPLY_PATCH
                "','Impersonate-User':'jane','body':'{\\\"x\\\":1}','method':'PATCH'}");
    kube_client_free(client);
    kube_access_release(&access);
    scripted_stop(server);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(test_kube_client_repeats_what_may_pass),
        WITH_SERVER(test_kube_client_gives_body_and_warnings),
        WITH_SERVER(test_kube_client_gives_an_error_for_an_answer_that_is_no_json),
        WITH_SERVER(test_kube_client_ends_the_run_at_a_second_401),
        WITH_SERVER(test_kube_client_survives_a_broken_connection),
        cmocka_unit_test(test_kube_client_fails_at_once_where_nothing_listens),
        WITH_SERVER(test_kube_client_keeps_a_window_full),
        cmocka_unit_test(test_kube_client_sends_no_secret_without_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
