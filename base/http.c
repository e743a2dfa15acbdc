/*
 * The client: a curl multi handle, the list of transfers it runs, and a few idle easy handles. Redirects are
 * followed here and not by curl, so that each hop is judged by our own rules (http_transfer.c).
 */
#include "base/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/http_transfer.h"
#include "base/limits.h"

#define IDLE_HANDLES          8
#define CONNECTIONS_PER_HOST  16
#define CONNECTIONS_KEPT_OPEN 64

struct http_client {
    CURLM *multi;
    struct http_transfer *transfers; /* running, or finished and not told yet */
    size_t running;
    CURL *idle[IDLE_HANDLES];
    size_t idle_len;
    char *user_agent;
    char *ca_file; /* of the environment; NULL: curl's own */
    atomic_bool is_woken;
    bool is_closing;
    http_observer observer; /* NULL: none */
    void *observer_context;
};

/* curl wants its global state made once per process, before any thread uses it. */
static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort();
}

struct http_client *http_client_new(const struct http_client_options *options)
{
    static const struct http_client_options defaults = {0};
    const struct http_client_options *o = options ? options : &defaults;
    pthread_once(&curl_once, init_curl);
    struct http_client *client = xcalloc(1, sizeof(*client));
    client->multi = curl_multi_init();
    if (!client->multi)
        abort();
    client->user_agent = xstrdup(o->user_agent ? o->user_agent : "pawl/" PAWL_VERSION);
    const char *ca_file = getenv("SSL_CERT_FILE");
    client->ca_file = ca_file && *ca_file ? xstrdup(ca_file) : NULL;
    client->observer = o->observer;
    client->observer_context = o->observer_context;
    long per_host = o->max_connections_per_host > 0 ? o->max_connections_per_host : CONNECTIONS_PER_HOST;
    curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS, per_host);
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT_OPEN);
    curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    return client;
}

static CURL *lend_handle(struct http_client *client)
{
    CURL *easy = client->idle_len ? client->idle[--client->idle_len] : curl_easy_init();
    if (!easy)
        abort();
    return easy;
}

static void take_handle_back(struct http_client *client, CURL *easy)
{
    if (!easy)
        return;
    curl_multi_remove_handle(client->multi, easy);
    if (client->idle_len == IDLE_HANDLES) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_reset(easy);
    client->idle[client->idle_len++] = easy;
}

/* One hop; a failure finishes the transfer. */
static void launch(struct http_client *client, struct http_transfer *t)
{
    int failed = http_transfer_bind(t, lend_handle(client), client->user_agent, client->ca_file, &t->error);
    CURLMcode code = failed ? CURLM_OK : curl_multi_add_handle(client->multi, t->easy);
    if (code != CURLM_OK)
        failed = error_set(&t->error, ERROR_INTERNAL, "%s: %s", t->url.shown, curl_multi_strerror(code));
    if (!failed)
        return;
    t->is_finished = true;
    take_handle_back(client, http_transfer_unbind(t));
}

void http_client_add(struct http_client *client, struct http_transfer *t)
{
    t->next = client->transfers;
    if (t->next)
        t->next->previous = t;
    client->transfers = t;
    client->running++;
    if (client->is_closing && !t->is_finished) {
        t->is_finished = true;
        error_set(&t->error, ERROR_CANCELLED, "%s: not asked, the client is closing", t->url.shown);
    }
    if (!t->is_finished)
        launch(client, t);
}

void http_client_remove(struct http_client *client, struct http_transfer *t)
{
    take_handle_back(client, http_transfer_unbind(t));
    if (t->previous)
        t->previous->next = t->next;
    else
        client->transfers = t->next;
    if (t->next)
        t->next->previous = t->previous;
    t->previous = t->next = NULL;
    client->running--;
}

static void observe(const struct http_client *client, const struct http_transfer *t)
{
    if (!client->observer)
        return;
    bool failed = t->error.code != ERROR_NONE;
    const struct http_exchange exchange = {.method = t->method,
                                           .url = t->asked ? t->asked : t->url.shown,
                                           .status = failed ? 0 : t->response.status,
                                           .bytes = failed ? 0 : t->response.body.len,
                                           .took_ms = clock_monotonic_ms(&system_clock) -
                                                      (t->deadline_ms - t->timeout_ms),
                                           .error = failed ? &t->error : NULL};
    client->observer(&exchange, client->observer_context);
}

/* Tells the owners of finished transfers. They may start others, so the list is looked at anew each time. */
static void tell_finished(struct http_client *client)
{
    struct http_transfer *t = client->transfers;
    while (t) {
        if (!t->is_finished || !t->done) {
            t = t->next;
            continue;
        }
        http_client_remove(client, t);
        bool failed = t->error.code != ERROR_NONE;
        observe(client, t);
        t->done(failed ? NULL : &t->response, failed ? &t->error : NULL, t->context);
        http_transfer_free(t);
        t = client->transfers;
    }
}

static void collect(struct http_client *client)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left))) {
        struct http_transfer *t = NULL;
        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t) != CURLE_OK)
            continue;
        bool is_finished = http_transfer_complete(t, message->data.result);
        take_handle_back(client, http_transfer_unbind(t));
        if (!is_finished)
            launch(client, t);
    }
}

static bool has_finished(const struct http_client *client)
{
    for (const struct http_transfer *t = client->transfers; t; t = t->next) {
        if (t->is_finished && t->done)
            return true;
    }
    return false;
}

void http_client_step(struct http_client *client)
{
    int running = 0;
    curl_multi_perform(client->multi, &running);
    collect(client);
    tell_finished(client);
}

void http_client_wait(struct http_client *client, int64_t timeout_ms)
{
    int wait_ms = timeout_ms < 0 || timeout_ms > 60000 ? 60000 : (int)timeout_ms;
    curl_multi_poll(client->multi, NULL, 0, wait_ms, NULL);
}

size_t http_client_run(struct http_client *client, int64_t timeout_ms)
{
    int64_t end_ms = clock_monotonic_ms(&system_clock) + timeout_ms;
    for (;;) {
        http_client_step(client);
        int64_t left_ms = timeout_ms < 0 ? -1 : end_ms - clock_monotonic_ms(&system_clock);
        bool is_late = timeout_ms >= 0 && left_ms <= 0;
        if (atomic_exchange(&client->is_woken, false) || !client->running || is_late)
            return client->running;
        if (!has_finished(client)) /* else a callback added one that needs no network to fail */
            http_client_wait(client, left_ms);
    }
}

void http_client_sleep(struct http_client *client, int64_t timeout_ms)
{
    if (!atomic_load(&client->is_woken))
        http_client_wait(client, timeout_ms);
    atomic_store(&client->is_woken, false);
}

void http_client_wake(struct http_client *client)
{
    atomic_store(&client->is_woken, true);
    curl_multi_wakeup(client->multi);
}

void http_start(struct http_client *client, const struct http_request *request, http_done done, void *context)
{
    struct http_transfer *t = http_transfer_new(request);
    t->done = done;
    t->context = context;
    t->asked = client->observer ? xstrdup(request->url) : NULL;
    http_client_add(client, t);
}

void http_client_cancel(struct http_client *client)
{
    client->is_closing = true;
    for (struct http_transfer *t = client->transfers; t; t = t->next) {
        if (!t->is_finished)
            error_set(&t->error, ERROR_CANCELLED, "%s: given up, the client is closing", t->url.shown);
        t->is_finished = true;
    }
    tell_finished(client);
    client->is_closing = false;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    http_client_cancel(client);
    while (client->idle_len)
        curl_easy_cleanup(client->idle[--client->idle_len]);
    curl_multi_cleanup(client->multi);
    free(client->user_agent);
    free(client->ca_file);
    free(client);
}

/* -- one request, waited for ---------------------------------------------------------------------------- */

struct wait {
    struct http_response *response;
    struct error *err;
    int result;
};

static void keep_response(struct http_response *response, const struct error *err, void *context)
{
    struct wait *wait = context;
    wait->result = err ? -1 : 0;
    if (err && wait->err)
        *wait->err = *err;
    if (response) {
        *wait->response = *response;
        *response = (struct http_response)HTTP_RESPONSE_INIT;
    }
}

int http_perform(struct http_client *client, const struct http_request *request,
                 struct http_response *response, struct error *err)
{
    *response = (struct http_response)HTTP_RESPONSE_INIT;
    struct wait wait = {response, err, 1};
    http_start(client, request, keep_response, &wait);
    for (http_client_step(client); wait.result > 0; http_client_step(client))
        http_client_wait(client, -1);
    return wait.result;
}

/* -- responses ------------------------------------------------------------------------------------------ */

void http_response_release(struct http_response *response)
{
    strbuf_release(&response->body);
    strbuf_release(&response->headers);
    strbuf_release(&response->value);
    free(steal(&response->url));
}

/* Adds the value in a header line to `out`, if the line is of that name: true. */
static bool take_value(const char *line, size_t len, const char *name, struct strbuf *out)
{
    size_t name_len = strlen(name);
    if (len <= name_len || strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
        return false;
    const char *start = line + name_len + 1, *end = line + len;
    while (start < end && strchr(" \t", *start))
        start++;
    while (end > start && strchr(" \t\r", end[-1]))
        end--;
    strbuf_add(out, start, (size_t)(end - start));
    return true;
}

/* The last value of that name, or, with a `joint`, all of them with it between. */
static const char *find_header(struct http_response *response, const char *name, const char *joint)
{
    bool found = false;
    strbuf_reset(&response->value);
    const char *end = response->headers.buf + response->headers.len;
    for (const char *line = response->headers.buf; line < end;) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        if (!line_end)
            line_end = end;
        CLEANUP(strbuf_release) struct strbuf one = STRBUF_INIT;
        if (take_value(line, (size_t)(line_end - line), name, &one)) {
            if (!joint)
                strbuf_reset(&response->value);
            else if (found)
                strbuf_addstr(&response->value, joint);
            strbuf_add(&response->value, one.buf, one.len);
            found = true;
        }
        line = line_end + 1;
    }
    return found ? response->value.buf : NULL;
}

const char *http_header(struct http_response *response, const char *name)
{
    return find_header(response, name, NULL);
}

const char *http_header_list(struct http_response *response, const char *name)
{
    return find_header(response, name, ", ");
}

/* The end of the year 9999, the last that HTTP's dates have digits for; curl reads years without end. */
#define LAST_DATE_S INT64_C(253402300799)

/* Seconds since 1970; -1 if it is no date. */
static int64_t read_date(const char *text)
{
    time_t date = text ? curl_getdate(text, NULL) : -1;
    return date < 0 || date > LAST_DATE_S ? -1 : (int64_t)date;
}

int64_t http_date_ms(struct http_response *response, int64_t wall_ms)
{
    int64_t date_s = read_date(http_header(response, "Date"));
    return date_s < 0 ? wall_ms : date_s * 1000;
}

int http_retry_after_s(struct http_response *response, int64_t wall_ms)
{
    const int64_t most = 86400;
    const int64_t date_ms = http_date_ms(response, wall_ms);
    const char *value = http_header(response, "Retry-After");
    if (!value || !*value)
        return 0;
    int64_t seconds = 0;
    size_t digits = strspn(value, "0123456789");
    if (!value[digits]) {
        seconds = digits > 9 ? most : strtoll(value, NULL, 10);
    } else {
        int64_t date_s = read_date(value);
        seconds = date_s < 0 ? 0 : date_s - date_ms / 1000;
    }
    if (seconds < 0)
        return 0;
    return (int)(seconds < most ? seconds : most);
}
