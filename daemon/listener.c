/*
 * libmicrohttpd calls on_request several times for one request: when the headers are in (`*state` is NULL), for each
 * piece of the body, and at the end with no piece. A reply may be queued at the first and the last of these only;
 * in between, a request that goes too far loses its connection.
 */
#include "daemon/listener.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/limits.h"
#include "daemon/listen_socket.h"

struct listener {
    struct listener_options options;
    struct MHD_Daemon *daemon;
    char *address;
};

struct request {
    struct strbuf body;
    int64_t until_ms;
};

const char *listener_header(const struct listener_call *call, const char *name)
{
    return MHD_lookup_connection_value(call->headers, MHD_HEADER_KIND, name);
}

void listener_reply_error(struct listener_reply *reply, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_FREE char *text = xvasprintf(format, args);
    va_end(args);
    const char *type = status == 404 ? "missing" : status < 500 ? "user" : "server";
    AUTO_JSON json_t *error =
        json_pack("{s:s, s:o, s:o}", "type", type, "help", json_text(text), "error", json_text(text));
    reply->status = status;
    reply->type = "application/json; charset=utf-8";
    strbuf_reset(&reply->body);
    json_write(&reply->body, error, 0);
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct listener_reply *reply)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body.len, reply->body.buf, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    if (reply->type)
        MHD_add_response_header(response, "Content-Type", reply->type);
    if (reply->allow)
        MHD_add_response_header(response, "Allow", reply->allow);
    if (reply->retry_after_s) {
        AUTO_FREE char *seconds = xasprintf("%d", reply->retry_after_s);
        MHD_add_response_header(response, "Retry-After", seconds);
    }
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static void release_reply(struct listener_reply *reply)
{
    strbuf_release(&reply->body);
}

/* The headers are in. */
static enum MHD_Result begin(struct listener *l, struct MHD_Connection *connection,
                             const struct listener_call *call, void **state)
{
    CLEANUP(release_reply) struct listener_reply reply = {.status = 200, .body = STRBUF_INIT};
    size_t max_body = 0;
    if (!l->options.admit(call, &max_body, &reply, l->options.context))
        return send_reply(connection, &reply);
    const char *length = listener_header(call, "Content-Length");
    if (length && strtoull(length, NULL, 10) > max_body) {
        listener_reply_error(&reply, 413, "the body may have at most %zu bytes", max_body);
        return send_reply(connection, &reply);
    }
    struct request *request = xcalloc(1, sizeof(*request));
    strbuf_init(&request->body, max_body ? max_body : 1);
    request->until_ms = clock_monotonic_ms(l->options.clock) + LIMIT_LISTEN_BODY_MS;
    *state = request;
    return MHD_YES;
}

static enum MHD_Result take(struct listener *l, struct request *request, const char *piece, size_t *len)
{
    strbuf_add(&request->body, piece, *len);
    *len = 0;
    bool is_late = clock_monotonic_ms(l->options.clock) > request->until_ms;
    return request->body.overflowed || is_late ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version UNUSED, const char *piece,
                                  size_t *len, void **state)
{
    struct listener *l = context;
    struct request *request = *state;
    struct listener_call call = {.method = method, .path = url, .body = "", .headers = connection};
    if (!request)
        return begin(l, connection, &call, state);
    if (*len)
        return take(l, request, piece, len);
    CLEANUP(release_reply) struct listener_reply reply = {.status = 200, .body = STRBUF_INIT};
    call.body = request->body.buf;
    call.body_len = request->body.len;
    l->options.answer(&call, &reply, l->options.context);
    return send_reply(connection, &reply);
}

static void on_end(void *context UNUSED, struct MHD_Connection *connection UNUSED, void **state,
                   enum MHD_RequestTerminationCode code UNUSED)
{
    struct request *request = *state;
    if (!request)
        return;
    strbuf_release(&request->body);
    free(request);
    *state = NULL;
}

struct listener *listener_open(const struct listener_options *options, struct error *err)
{
    int fd = listen_socket_open(options->address, err);
    if (fd < 0)
        return NULL;
    struct listener *l = xcalloc(1, sizeof(*l));
    l->options = *options;
    l->address = listen_socket_address(fd);
    l->daemon = MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request, l,
                                 MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                                 LIMIT_LISTEN_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, LIMIT_LISTEN_IDLE_S,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_LISTEN_CONNECTION_BYTES,
                                 MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
    if (l->daemon)
        return l;
    error_set(err, ERROR_IO, "cannot start to listen on %s: libmicrohttpd gives no reason", l->address);
    close(fd);
    free(l->address);
    free(l);
    return NULL;
}

const char *listener_address(const struct listener *listener)
{
    return listener->address;
}

void listener_close(struct listener *listener)
{
    if (!listener)
        return;
    MHD_stop_daemon(listener->daemon); /* closes the socket */
    free(listener->address);
    free(listener);
}
