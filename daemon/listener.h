/*
 * The listener: HTTP/1.1 in, for health, metrics and webhooks. One thread runs libmicrohttpd, which takes the
 * connections and calls the two functions below on that thread; they must not block.
 *
 * What a peer can use up is bounded: connections, memory of each (headers included), seconds of silence, seconds
 * that one request may take however lively its peer is (from the beginning of the connection, or from the answer
 * before, until it is answered), bytes of a body (base/limits.h). A body is read only after `admit` agreed, so that a
 * stranger's costs nothing. TLS is the ingress's business.
 */
#ifndef DAEMON_LISTENER_H
#define DAEMON_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/strbuf.h"

struct listener;

/* One request; all borrowed for the time of the call. */
struct listener_call {
    const char *method; /* "GET" */
    const char *path;   /* decoded, without the query */
    const char *body;   /* NUL-terminated; "" in admit */
    size_t body_len;
    void *headers; /* for listener_header */
};
/* The value of a request header (case-insensitive), or NULL. Borrowed. */
const char *listener_header(const struct listener_call *call, const char *name);

struct listener_reply {
    int status;
    const char *type;   /* Content-Type; static */
    const char *allow;  /* value of Allow, with 405; static; NULL: none */
    int retry_after_s;  /* 0: not said */
    struct strbuf body; /* of the listener; filled by the callee */
};
/* A reply in the form of Flux v1's API errors: {"type","help","error"} with type "missing" for 404, "user" for
 * other 4xx, else "server". */
void listener_reply_error(struct listener_reply *reply, int status, const char *format, ...)
    PRINTF_LIKE(3, 4);

struct listener_options {
    const char *address; /* as daemon/listen_socket.h takes it */
    const struct clock *clock;
    /* Asked when the headers are in: true if the request is taken, with at most *max_body bytes (0: none); false:
     * `reply` is the answer, and the connection ends. */
    bool (*admit)(const struct listener_call *call, size_t *max_body, struct listener_reply *reply,
                  void *context);
    /* Asked when all is in. */
    void (*answer)(const struct listener_call *call, struct listener_reply *reply, void *context);
    void *context;
};

/* ERROR_USAGE or ERROR_IO, as listen_socket_open. */
struct listener *listener_open(const struct listener_options *options, struct error *err) MUST_CHECK;
/* Where it listens: "127.0.0.1:41234". */
const char *listener_address(const struct listener *listener);
/* Ends the connections and the thread. NULL does nothing. */
void listener_close(struct listener *listener);

#endif
