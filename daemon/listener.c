/*
 * libmicrohttpd calls on_request several times for one request: when the headers are in (`*state` is NULL), for each
 * piece of the body, and at the end with no piece. A reply may be queued at the first and the last of these only;
 * in between, a request that goes much too far loses its connection.
 *
 * libmicrohttpd's own time-out counts silence only: a peer that sends a byte now and then would keep its connection for
 * ever. So its loop is run here, and who takes too long is shut down between two of its turns; libmicrohttpd then
 * finds the connection ended and drops it.
 */
#include "daemon/listener.h"

#include <limits.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/limits.h"
#include "daemon/listen_socket.h"

/* How often late peers are looked for while there are any. */
#define SWEEP_MS 1000

/* A connection, from its beginning until libmicrohttpd closes its socket. */
struct peer {
    struct peer *previous, *next;
    int fd;
    int64_t until_ms; /* when the request, begun or not, must have been answered */
};

struct listener {
    struct listener_options options;
    struct MHD_Daemon *daemon;
    char *address;
    pthread_t thread;
    int stop_fd;        /* readable: the thread is to end */
    struct peer *peers; /* the thread's own, as what follows */
    bool has_room;      /* a place became free, which libmicrohttpd takes note of in its next turn only */
};

struct request {
    struct strbuf body;
    size_t max_body;
    size_t dropped; /* bytes of the body that came after it was too large */
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

static void refuse_body(struct listener_reply *reply, size_t max_body)
{
    listener_reply_error(reply, 413, "the body may have at most %zu bytes", max_body);
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
        refuse_body(&reply, max_body);
        return send_reply(connection, &reply);
    }
    struct request *request = xcalloc(1, sizeof(*request));
    request->max_body = max_body;
    strbuf_init(&request->body, max_body ? max_body : 1);
    *state = request;
    return MHD_YES;
}

/* A body of unannounced length can only be answered when it has ended, so some of what is too much is read. */
static enum MHD_Result take(struct request *request, const char *piece, size_t *len)
{
    if (!request->body.overflowed)
        strbuf_add(&request->body, piece, *len);
    if (request->body.overflowed)
        request->dropped += *len;
    *len = 0;
    return request->dropped > LIMIT_LISTEN_DROPPED_BYTES ? MHD_NO : MHD_YES;
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
        return take(request, piece, len);
    CLEANUP(release_reply) struct listener_reply reply = {.status = 200, .body = STRBUF_INIT};
    call.body = request->body.buf;
    call.body_len = request->body.len;
    if (request->body.overflowed)
        refuse_body(&reply, request->max_body);
    else
        l->options.answer(&call, &reply, l->options.context);
    return send_reply(connection, &reply);
}

/* -- peers and their time ------------------------------------------------------------------------------------ */

static int64_t deadline_from_now(const struct listener *l)
{
    return clock_monotonic_ms(l->options.clock) + LIMIT_LISTEN_REQUEST_MS;
}

static void on_end(void *context, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code UNUSED)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct peer *peer = info ? info->socket_context : NULL;
    struct request *request = *state;
    if (peer)
        peer->until_ms = deadline_from_now(context);
    if (!request)
        return;
    strbuf_release(&request->body);
    free(request);
    *state = NULL;
}

static struct peer *add_peer(struct listener *l, int fd)
{
    struct peer *peer = xcalloc(1, sizeof(*peer));
    *peer = (struct peer){.next = l->peers, .fd = fd, .until_ms = deadline_from_now(l)};
    if (l->peers)
        l->peers->previous = peer;
    l->peers = peer;
    return peer;
}

static void remove_peer(struct listener *l, struct peer *peer)
{
    if (peer->previous)
        peer->previous->next = peer->next;
    else
        l->peers = peer->next;
    if (peer->next)
        peer->next->previous = peer->previous;
    free(peer);
    l->has_room = true;
}

/* The end is told before the socket is closed, so no peer's descriptor is another's. */
static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (code == MHD_CONNECTION_NOTIFY_STARTED && info)
        *socket_context = add_peer(context, info->connect_fd);
    else if (code == MHD_CONNECTION_NOTIFY_CLOSED && *socket_context)
        remove_peer(context, *socket_context);
}

static void end_late_peers(struct listener *l)
{
    int64_t now = clock_monotonic_ms(l->options.clock);
    for (struct peer *peer = l->peers; peer; peer = peer->next) {
        if (now >= peer->until_ms)
            shutdown(peer->fd, SHUT_RDWR);
    }
}

/* -- the thread ----------------------------------------------------------------------------------------------- */

/* Until libmicrohttpd or the next sweep wants a turn; -1: nobody is there. */
static int poll_timeout(struct listener *l)
{
    MHD_UNSIGNED_LONG_LONG ms;
    int timeout = l->has_room ? 0 : l->peers ? SWEEP_MS : -1;
    if (MHD_get_timeout(l->daemon, &ms) == MHD_YES && (timeout < 0 || ms < (MHD_UNSIGNED_LONG_LONG)timeout))
        timeout = ms < INT_MAX ? (int)ms : INT_MAX;
    return timeout;
}

static void *run(void *argument)
{
    struct listener *l = argument;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd fds[] = {{.fd = l->stop_fd, .events = POLLIN}, {.fd = info->epoll_fd, .events = POLLIN}};
    while (!fds[0].revents) {
        poll(fds, ARRAY_LEN(fds), poll_timeout(l));
        l->has_room = false;
        MHD_run(l->daemon);
        end_late_peers(l);
    }
    return NULL;
}

/* False if libmicrohttpd or the system refuses. Takes `fd` over when it succeeds. */
static bool start(struct listener *l, int fd)
{
    l->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (l->stop_fd < 0)
        return false;
    l->daemon =
        MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, l, MHD_OPTION_LISTEN_SOCKET, fd,
                         MHD_OPTION_CONNECTION_LIMIT, LIMIT_LISTEN_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                         LIMIT_LISTEN_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                         (size_t)LIMIT_LISTEN_CONNECTION_BYTES, MHD_OPTION_NOTIFY_COMPLETED, on_end, l,
                         MHD_OPTION_NOTIFY_CONNECTION, on_connection, l, MHD_OPTION_END);
    if (!l->daemon) {
        close(l->stop_fd);
        return false;
    }
    if (pthread_create(&l->thread, NULL, run, l) != 0)
        abort(); /* as for memory: there is nothing to go on with */
    return true;
}

struct listener *listener_open(const struct listener_options *options, struct error *err)
{
    int fd = listen_socket_open(options->address, err);
    if (fd < 0)
        return NULL;
    struct listener *l = xcalloc(1, sizeof(*l));
    l->options = *options;
    l->address = listen_socket_address(fd);
    if (start(l, fd))
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
    eventfd_write(listener->stop_fd, 1);
    pthread_join(listener->thread, NULL);
    MHD_stop_daemon(listener->daemon); /* closes the sockets */
    close(listener->stop_fd);
    free(listener->address);
    free(listener);
}
