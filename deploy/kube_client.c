#include "deploy/kube_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/http.h"
#include "base/limits.h"
#include "deploy/kube_credentials.h"

#define RETRY_DELAY_MS 500

/* A request from kube_client_send to its reply: in the queue, or in flight. */
struct call {
    struct kube_client *client;
    const char *method, *accept, *content_type;
    char *path;
    json_t *body;
    kube_done done;
    void *context;
    unsigned attempts;
    int64_t not_before_ms; /* monotonic */
    bool was_rejected;     /* with 401, once */
    bool is_secret;
    struct call *next;
};

struct kube_client {
    const struct kube_access *access;
    const struct clock *clock;
    int64_t timeout_ms, retry_delay_ms;
    struct kube_credentials *credentials;
    struct http_client *http;
    struct call *queue, **queue_end;
    unsigned in_flight, window;
    bool has_answered;    /* since kube_client_begin: then a broken connection is worth a retry */
    bool must_renew;      /* the credentials, as soon as nothing is in flight */
    struct error failure; /* of the run */
};

struct kube_client *kube_client_new(const struct kube_client_options *options)
{
    struct kube_client *client = xcalloc(1, sizeof(*client));
    client->access = options->access;
    client->clock = options->clock;
    client->timeout_ms = options->timeout_ms;
    client->retry_delay_ms = options->retry_delay_ms ? options->retry_delay_ms : RETRY_DELAY_MS;
    client->credentials = kube_credentials_new(options->access, options->clock);
    client->queue_end = &client->queue;
    return client;
}

static void call_free(struct call *call)
{
    free(call->path);
    json_decref(call->body);
    free(call);
}

/* Ends what is in flight (each call frees itself when it hears of it) and drops what is queued. */
static void abandon(struct kube_client *client)
{
    http_client_free(client->http);
    client->http = NULL;
    while (client->queue) {
        struct call *call = client->queue;
        client->queue = call->next;
        call_free(call);
    }
    client->queue_end = &client->queue;
    client->must_renew = false;
}

void kube_client_free(struct kube_client *client)
{
    if (!client)
        return;
    abandon(client);
    kube_credentials_free(client->credentials);
    free(client);
}

int kube_client_begin(struct kube_client *client, struct error *err)
{
    static const struct http_client_options options = {.max_connections_per_host = KUBE_WINDOW};
    client->has_answered = false;
    client->window = KUBE_WINDOW;
    error_clear(&client->failure);
    if (!client->http)
        client->http = http_client_new(&options);
    if (kube_credentials_refresh(client->credentials, false, err) < 0)
        return error_wrap(err, "Kubernetes (%s)", client->access->name);
    return 0;
}

void kube_reply_release(struct kube_reply *reply)
{
    kube_status_release(&reply->status);
    json_release(&reply->body);
    free(reply->warnings);
    reply->warnings = NULL;
}

char *kube_reply_text(const struct kube_reply *reply, bool is_secret)
{
    if (reply->error.code)
        return xstrdup(reply->error.text);
    return kube_status_text(&reply->status, is_secret);
}

static void enqueue(struct call *call)
{
    call->next = NULL;
    *call->client->queue_end = call;
    call->client->queue_end = &call->next;
}

/* The first call whose time has come, taken out of the queue. */
static struct call *take_ready(struct kube_client *client, int64_t now)
{
    for (struct call **link = &client->queue; *link; link = &(*link)->next) {
        struct call *call = *link;
        if (call->not_before_ms > now)
            continue;
        *link = call->next;
        if (!*link)
            client->queue_end = link;
        return call;
    }
    return NULL;
}

/* Milliseconds until the next queued call may start; -1 if none waits. */
static int64_t next_delay(const struct kube_client *client)
{
    int64_t now = clock_monotonic_ms(client->clock), delay = -1;
    for (const struct call *call = client->queue; call; call = call->next) {
        int64_t left = call->not_before_ms > now ? call->not_before_ms - now : 0;
        if (delay < 0 || left < delay)
            delay = left;
    }
    return delay;
}

static void answered(struct http_response *response, const struct error *err, void *context);

static void start(struct call *call)
{
    struct kube_client *client = call->client;
    const struct strvec *extra = &client->access->impersonate;
    AUTO_FREE struct http_header *headers = xcalloc(3 + extra->len / 2, sizeof(*headers));
    size_t count = 0;
    headers[count++] = (struct http_header){"Accept", call->accept};
    if (call->body)
        headers[count++] = (struct http_header){"Content-Type", call->content_type};
    for (size_t i = 0; i + 1 < extra->len; i += 2)
        headers[count++] = (struct http_header){extra->items[i], extra->items[i + 1]};
    CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;
    if (call->body)
        json_write(&body, call->body, 0);
    AUTO_FREE char *url = xasprintf("%s%s", client->access->server, call->path);
    struct http_request request = {
        .method = call->method,
        .url = url,
        .headers = headers,
        .authorization = kube_credentials_authorization(client->credentials),
        .body = call->body ? body.buf : NULL,
        .body_len = body.len,
        .tls = kube_credentials_tls(client->credentials),
        .max_body = LIMIT_KUBE_RESPONSE_BYTES,
        .timeout_ms = client->timeout_ms,
    };
    call->attempts++;
    client->in_flight++;
    http_start(client->http, &request, answered, call);
}

static void start_ready(struct kube_client *client)
{
    int64_t now = clock_monotonic_ms(client->clock);
    while (!client->must_renew && !client->failure.code && client->in_flight < client->window) {
        struct call *call = take_ready(client, now);
        if (!call)
            return;
        start(call);
    }
}

static void fail_run(struct kube_client *client, const struct error *why)
{
    if (client->failure.code)
        return;
    bool is_tls = why->code == ERROR_TLS;
    error_set(&client->failure, why->code, "Kubernetes (%s): %s%s", client->access->name, why->text,
              is_tls ? "; in a kubeconfig that is certificate-authority of the cluster" : "");
    http_client_wake(client->http);
}

static void retry_later(struct call *call, int64_t asked_ms)
{
    struct kube_client *client = call->client;
    int64_t delay = asked_ms ? asked_ms : client->retry_delay_ms << (call->attempts - 1);
    if (delay > KUBE_MAX_DELAY_MS)
        delay = KUBE_MAX_DELAY_MS;
    call->not_before_ms = clock_monotonic_ms(client->clock) + delay;
    enqueue(call);
}

/* No answer at all. A server that has answered before may be restarting; one that has not is not there. */
static void handle_failure(struct call *call, const struct error *err)
{
    struct kube_client *client = call->client;
    bool is_passing = err->code == ERROR_NETWORK || (err->code == ERROR_TIMEOUT && call->attempts == 1);
    if (err->code == ERROR_TOO_LARGE) {
        struct kube_reply reply = {.error = *err};
        call->done(&reply, call->context);
        call_free(call);
    } else if (err->code == ERROR_CANCELLED) {
        call_free(call);
    } else if (client->has_answered && is_passing && call->attempts < KUBE_ATTEMPTS) {
        retry_later(call, 0);
    } else {
        fail_run(client, err);
        call_free(call);
    }
}

static void handle_unauthorized(struct call *call, const char *text)
{
    struct kube_client *client = call->client;
    if (!call->was_rejected) {
        call->was_rejected = true;
        client->must_renew = true;
        enqueue(call);
        return;
    }
    struct error rejected = ERROR_INIT;
    error_set(
        &rejected, ERROR_UNAUTHORIZED,
        "%s does not accept our credentials (401: %.200s); check the user of the kubeconfig's context, or "
        "the service account's token",
        client->access->server, text);
    fail_run(client, &rejected);
    call_free(call);
}

static int64_t retry_after_ms(struct http_response *response)
{
    const char *value = http_header(response, "Retry-After");
    char *end = NULL;
    long seconds = value ? strtol(value, &end, 10) : 0;
    bool is_number = value && end != value && *end == '\0' && seconds > 0;
    return !is_number ? 0 : seconds > KUBE_MAX_DELAY_MS / 1000 ? KUBE_MAX_DELAY_MS : (int64_t)seconds * 1000;
}

static void deliver(struct call *call, struct http_response *response, struct kube_status *status)
{
    CLEANUP(kube_reply_release) struct kube_reply reply = {.status = *status};
    *status = (struct kube_status)KUBE_STATUS_INIT;
    reply.warnings = kube_warnings(response->headers.buf);
    if (reply.status.verdict == KUBE_DONE) {
        reply.body = json_read(response->body.buf, response->body.len, &reply.error);
        if (!reply.body)
            error_wrap(&reply.error, "the answer of the API server");
    }
    if (call->is_secret)
        explicit_bzero(response->body.buf, response->body.len);
    call->done(&reply, call->context);
    call_free(call);
}

static void handle_answer(struct call *call, struct http_response *response)
{
    struct kube_client *client = call->client;
    CLEANUP(kube_status_release) struct kube_status status = KUBE_STATUS_INIT;
    kube_status_read(response->status, response->body.buf, response->body.len, &status);
    client->has_answered = true;
    if (response->status == 429)
        client->window = client->window > 1 ? client->window / 2 : 1;
    else if (client->window < KUBE_WINDOW)
        client->window++;
    if (status.verdict == KUBE_UNAUTHORIZED)
        handle_unauthorized(call, status.text);
    else if (status.verdict == KUBE_RETRY && call->attempts < KUBE_ATTEMPTS)
        retry_later(call, retry_after_ms(response));
    else
        deliver(call, response, &status);
}

static void answered(struct http_response *response, const struct error *err, void *context)
{
    struct call *call = context;
    struct kube_client *client = call->client;
    client->in_flight--;
    if (err)
        handle_failure(call, err);
    else
        handle_answer(call, response);
    start_ready(client);
}

void kube_client_send(struct kube_client *client, const struct kube_request *request, kube_done done,
                      void *context)
{
    struct call *call = xcalloc(1, sizeof(*call));
    *call = (struct call){
        .client = client,
        .method = request->method,
        .accept = request->accept ? request->accept : KUBE_JSON,
        .content_type = request->content_type,
        .path = xstrdup(request->path),
        .body = json_incref(request->body),
        .is_secret = request->is_secret,
        .done = done,
        .context = context,
    };
    enqueue(call);
}

void kube_client_sleep(int64_t delay_ms)
{
    struct timespec left = {.tv_sec = delay_ms / 1000, .tv_nsec = (long)(delay_ms % 1000) * 1000000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

/* Credentials change only while no request holds on to them. */
static void renew_credentials(struct kube_client *client)
{
    struct error problem = ERROR_INIT;
    client->must_renew = false;
    if (kube_credentials_refresh(client->credentials, true, &problem) < 0)
        fail_run(client, &problem);
}

int kube_client_run(struct kube_client *client, struct error *err)
{
    for (;;) {
        if (client->must_renew && !client->in_flight)
            renew_credentials(client);
        start_ready(client);
        if (client->failure.code) {
            abandon(client);
            if (err)
                *err = client->failure;
            return -1;
        }
        if (!client->in_flight && !client->queue)
            return 0;
        int64_t delay = next_delay(client);
        if (client->in_flight)
            http_client_run(client->http,
                            client->must_renew || client->in_flight >= client->window ? -1 : delay);
        else
            kube_client_sleep(delay);
    }
}

static void keep(struct kube_reply *reply, void *context)
{
    struct kube_reply *kept = context;
    *kept = *reply;
    *reply = (struct kube_reply){.body = NULL};
}

int kube_client_perform(struct kube_client *client, const struct kube_request *request,
                        struct kube_reply *reply, struct error *err)
{
    *reply = (struct kube_reply){.body = NULL};
    kube_client_send(client, request, keep, reply);
    return kube_client_run(client, err);
}
