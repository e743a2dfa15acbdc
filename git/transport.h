/*
 * How libgit2 reaches a remote: smart subtransports of our own under its smart protocol, because its own have
 * no deadlines, know few key types, and push to a local path by overwriting the ref, without the comparison
 * with the old value and without hooks that receive-pack gives.
 *
 *   REMOTE_LOCAL, REMOTE_SSH   git's server side as a child process: `git upload-pack`, or ssh
 * (transport_process.c) REMOTE_HTTP                stateless requests over base/http.h (transport_http.c)
 *
 * One struct transport serves the connections of one mirror, one after the other, on its thread. libgit2
 * loses the errors of callbacks, so the first thing that goes wrong is kept here, and transport_explain turns
 * it, what the other side wrote, or else libgit2's own message into the error for people.
 */
#ifndef GIT_TRANSPORT_H
#define GIT_TRANSPORT_H

#include <stdint.h>

#include "base/error.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "git/library.h"
#include "git/remote_url.h"

struct http_client;

struct transport {
    const struct remote_url *url; /* borrowed */
    int64_t timeout_ms;           /* of each wait */
    void *context;                /* for the caller's own callbacks, whose payload is the transport */

    /* Of the present connection; cleared by transport_begin. */
    struct error error;         /* the first failure of ours */
    struct strbuf words;        /* what the remote sent for people (side band 2), as it came */
    struct strbuf program_text; /* standard error of the program that ran, once it ended */
    int program_status;         /* its exit status */

    /* Kept between connections. */
    struct http_client *http;
    char *http_base;     /* where redirects led within the origin; NULL: url->base */
    char *authorization; /* value of the header, once known */
};

struct transport *transport_new(const struct remote_url *url, int64_t timeout_ms);
void transport_free(struct transport *t);

/* Forgets the last connection and fills in the callbacks for the next: transport, sideband_progress, payload.
 */
void transport_begin(struct transport *t, git_remote_callbacks *callbacks);

/*
 * After libgit2 reported a failure of a connection: sets `err` to why, with the remote's name, and returns
 * -1. ERROR_UNAUTHORIZED, ERROR_FORBIDDEN, ERROR_NOT_FOUND, ERROR_TLS, ERROR_TIMEOUT, ERROR_NETWORK,
 * ERROR_IO.
 */
int transport_explain(struct transport *t, struct error *err);

/* The remote's words in one line for a message: without progress meters and control characters, "" if none.
 */
void transport_words(const struct transport *t, struct strbuf *out);

/* For the subtransports: keeps the first error of the connection, and gives the -1 that libgit2 expects. */
int transport_failed(struct transport *t, const struct error *err);

/* The subtransports, as git_smart_subtransport_cb; `param` is the transport. */
int transport_process_new(git_smart_subtransport **out, git_transport *owner, void *param);
int transport_http_new(git_smart_subtransport **out, git_transport *owner, void *param);

#endif
