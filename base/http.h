/*
 * HTTP over libcurl's multi interface: many requests in flight on one thread, connections kept and reused,
 * HTTP/2 where the peer speaks it. The rules of this program are built in:
 *
 * - Every request has a connect timeout, a total timeout, a floor on speed, and a maximum for its body.
 * - Only http and https. Redirects are followed only if asked for, at most LIMIT_REDIRECTS of them, never
 * from https to http, and credentials (the `authorization` field and the Authorization header) never leave
 * the scheme, host and port that they were given for.
 * - Nothing is retried here: the caller knows what a repetition costs and means.
 * - The error text names the URL (without its query and user part) and says what to try.
 * - A user part in a URL ("https://me:secret@host/") is basic credentials for that origin. A client
 * certificate and the leave not to check one are for the first URL's origin alone, too.
 * - http_proxy, https_proxy, no_proxy of the environment apply as curl reads them; SSL_CERT_FILE names CAs
 *   where a request gives none.
 *
 * A client belongs to one thread. An HTTP status of any value is a success of this layer.
 */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"

struct http_client;

struct http_tls {
    const char *ca_file;  /* PEM; NULL: the system's */
    const char *ca_pem;   /* PEM text instead of a file; NULL: none */
    const char *cert_pem; /* client certificate and key as PEM text; NULL: none */
    const char *key_pem;
    const char *server_name; /* expected instead of the URL's host; NULL: the URL's host */
    bool insecure;           /* certificate not checked: only where the user said so for this host */
};

struct http_header {
    const char *name, *value;
};

/* Signs the request as AWS wants it (Signature Version 4, by curl). A session token goes into the headers, as
 * X-Amz-Security-Token, and is signed with them. Like `authorization`, it is for the first URL's origin alone. */
struct http_aws_sigv4 {
    const char *region, *service, *key_id, *secret;
};

struct http_request {
    const char *method; /* NULL: GET */
    const char *url;
    const struct http_header *headers;      /* NULL or an array ended by a NULL name */
    const char *authorization;              /* value of the Authorization header; NULL: none */
    const struct http_aws_sigv4 *aws_sigv4; /* instead of `authorization`; copied; NULL: not signed */
    const void *body;                       /* copied; NULL: none */
    size_t body_len;
    const struct http_tls *tls; /* must live until the request ends; NULL: the defaults */
    size_t max_body;            /* of the response, decompressed; over it the request fails with
                                   ERROR_TOO_LARGE; 0: LIMIT_HTTP_BODY_BYTES */
    int64_t timeout_ms;         /* the whole request; 0: HTTP_TIMEOUT_MS */
    bool follow_redirects;
    bool is_direct; /* past any proxy: for addresses of this machine and its link */
};
#define HTTP_TIMEOUT_MS         60000
#define HTTP_CONNECT_TIMEOUT_MS 15000
/* A conversation slower than this for so long has died without saying so: ERROR_TIMEOUT. It counts while a
 * server thinks, so it must outlast the 30 s that a Kubernetes admission webhook or a git hook may take. */
#define HTTP_LOW_SPEED_BYTES 16
#define HTTP_LOW_SPEED_S     45

struct http_response {
    int status; /* 200, 404, … */
    struct strbuf body;
    struct strbuf headers; /* of the last response, raw lines; read with http_header */
    char *url;             /* where the body came from, after redirects; without user part */
    struct strbuf value;   /* what http_header found last */
};
#define HTTP_RESPONSE_INIT                                                                                   \
    {                                                                                                        \
        .status = 0, .body = STRBUF_INIT, .headers = STRBUF_INIT, .url = NULL, .value = STRBUF_INIT          \
    }
void http_response_release(struct http_response *response);

/* The value of a response header (case-insensitive, the last one of that name), trimmed; NULL if missing. The
 * next call with the same response overwrites it. */
const char *http_header(struct http_response *response, const char *name);
/* All values of that name joined by ", ", which is what several fields of a list mean (RFC 9110 section 5.2):
 * for WWW-Authenticate and Link. */
const char *http_header_list(struct http_response *response, const char *name);

/* What became of one request, for logs. */
struct http_exchange {
    const char *method;
    const char *url; /* as it was asked for; the query too, so it may hold what is not to be shown */
    int status;      /* of the last response; 0: there was none */
    size_t bytes;    /* of its body */
    int64_t took_ms; /* redirects included */
    const struct error *error; /* NULL: there was a response */
};
/* Told of each request of http_start that ended, before its owner. */
typedef void (*http_observer)(const struct http_exchange *exchange, void *context);

struct http_client_options {
    const char *user_agent;        /* NULL: "pawl/VERSION" */
    long max_connections_per_host; /* 0: 16 */
    http_observer observer;        /* NULL: nobody is told */
    void *observer_context;
};
struct http_client *http_client_new(const struct http_client_options *options);
/* Requests still running end first with ERROR_CANCELLED. NULL does nothing. */
void http_client_free(struct http_client *client);
/* Ends all requests, and those that their callbacks start meanwhile, with ERROR_CANCELLED. */
void http_client_cancel(struct http_client *client);

/*
 * Starts a request. `done` is called once, from http_client_run on the same thread, with either a response
 * (err NULL; steal what you want to keep, the rest is released afterwards) or an error (response NULL). It
 * may start further requests.
 */
typedef void (*http_done)(struct http_response *response, const struct error *err, void *context);
void http_start(struct http_client *client, const struct http_request *request, http_done done,
                void *context);

/* Runs requests until none is left, http_client_wake was called, or `timeout_ms` (-1: none) passed; the
 * number still running. Timers of the caller: pass the time to the next one. */
size_t http_client_run(struct http_client *client, int64_t timeout_ms);

/* For a caller that has a timer and no request: waits for `timeout_ms` or http_client_wake. */
void http_client_sleep(struct http_client *client, int64_t timeout_ms);

/* Makes http_client_run (and sleep) return soon; the one function that another thread may call. */
void http_client_wake(struct http_client *client);

/* One request, waited for, when the client has no others. 0 or -1; release the response in both cases. */
int http_perform(struct http_client *client, const struct http_request *request,
                 struct http_response *response, struct error *err) MUST_CHECK;

/*
 * One request whose body is read as it comes, for bodies too large to hold (git packs). max_body is not
 * applied. The client must have no other request meanwhile. NULL on failure to get as far as the status.
 */
struct http_stream;
struct http_stream *http_stream_open(struct http_client *client, const struct http_request *request,
                                     struct error *err) MUST_CHECK;
int http_stream_status(const struct http_stream *stream);
/* The header of the response, as http_header. */
const char *http_stream_header(struct http_stream *stream, const char *name);
/* At least one byte; 0 at the end; -1 on error. */
ssize_t http_stream_read(struct http_stream *stream, void *buffer, size_t size, struct error *err) MUST_CHECK;
void http_stream_close(struct http_stream *stream);

/* scheme://host:port of a URL with the default port filled in, lower case; NULL if it is no http(s) URL.
 * Two URLs share credentials only if these are equal. free() it. */
char *http_origin(const char *url) MUST_CHECK;

/* What a reference in an answer of `base` points at (RFC 3986 section 5): an absolute URL without fragment
 * and user part; NULL if it is none over http or https. free() it. */
char *http_resolve(const char *base, const char *reference) MUST_CHECK;

/* When the answer was made by its own Date header (RFC 9110 section 6.6.1), which is what other dates in it are to be
 * taken against: clocks differ. `wall_ms`, our own, if it has none that can be read. */
int64_t http_date_ms(struct http_response *response, int64_t wall_ms);

/* Seconds that a Retry-After header asks to wait (RFC 9110 section 10.2.3: a number, or a date, taken against
 * http_date_ms); 0 if there is none or it has passed. At most a day. */
int http_retry_after_s(struct http_response *response, int64_t wall_ms);

#endif
