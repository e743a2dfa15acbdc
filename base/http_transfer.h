/*
 * One request on its way: the copied request, the curl handle lent to it, and the response as it grows.
 * Internal to base/http: http.c runs transfers whole, http_stream.c hands their bodies out as they come.
 *
 * A transfer is bound to a handle once per hop of a redirect: http_transfer_bind prepares the handle, the
 * client runs it, http_transfer_complete takes its result and says whether there is another hop.
 */
#ifndef BASE_HTTP_TRANSFER_H
#define BASE_HTTP_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/http.h"
#include "base/http_url.h"

struct http_field {
    char *name, *value; /* owned */
};

struct http_transfer {
    struct http_transfer *previous, *next; /* the client's list */
    CURL *easy;                            /* NULL while it has none */
    struct curl_slist *lines, *connect_to; /* borrowed by the handle, as is the URL */
    CURLU *renamed; /* the URL with the name that the certificate must have; NULL: as it is */

    char *method;
    struct http_field *headers;              /* ended by a NULL name */
    char *authorization;                     /* for `home` only; NULL: none */
    char *sigv4, *sigv4_user, *sigv4_secret; /* for `home` only; NULL: not signed */
    char *body;
    size_t body_len;
    const struct http_tls *tls;
    bool follow_redirects, is_direct;
    int64_t timeout_ms, deadline_ms; /* the deadline in monotonic time, over all hops */

    char *asked; /* the first URL, for an observer; NULL: nobody wants it */
    struct http_url url;
    char *home; /* the origin of the first URL: credentials and exceptions from TLS rules are for it alone */
    unsigned redirects;

    struct http_response response;
    bool has_headers; /* the header block of a final response (not 1xx) is complete */
    bool headers_too_big;
    size_t discarded; /* bytes of a redirect's own body, which nobody reads */

    bool is_stream; /* the body is taken out by http_stream_read */
    bool is_paused; /* curl waits until it was */
    size_t max_body;

    char curl_text[CURL_ERROR_SIZE];
    bool is_finished;
    struct error error; /* once finished: code ERROR_NONE, or why it failed */
    http_done done;     /* NULL: somebody looks at is_finished */
    void *context;
};

/* Copies the request. A request that makes no sense gives a transfer that is finished with its error. */
struct http_transfer *http_transfer_new(const struct http_request *request);
void http_transfer_free(struct http_transfer *transfer);

/* Wipes and frees the lines, some of which are secrets, and forgets them. */
void http_transfer_free_lines(struct curl_slist **lines);

/* In http_handle.c. Sets the handle up for the transfer's current URL; the transfer owns it from then on, until unbind gives it
 * back. -1 with ERROR_TIMEOUT if the deadline has passed, ERROR_INTERNAL, ERROR_TLS for unusable
 * certificates. */
int http_transfer_bind(struct http_transfer *transfer, CURL *easy, const char *user_agent,
                       const char *ca_file, struct error *err) MUST_CHECK;
CURL *http_transfer_unbind(struct http_transfer *transfer);

/* True if what came so far is a redirect that will be followed. */
bool http_transfer_is_redirect(struct http_transfer *transfer);

/* Takes curl's result of a hop while the handle is still bound. True if the transfer is finished; false if it
 * must be bound again, to follow a redirect. */
bool http_transfer_complete(struct http_transfer *transfer, CURLcode result);

/* Puts curl's result into words: `err` names the URL, the stage, and what to try. In http_error.c. */
int http_transfer_explain(const struct http_transfer *transfer, CURLcode result, struct error *err);

/* -- what http_stream.c needs of the client in http.c ---------------------------------------------------- */

void http_client_add(struct http_client *client, struct http_transfer *transfer);
/* Takes it out, whether it runs or not; the transfer is then the caller's to free. */
void http_client_remove(struct http_client *client, struct http_transfer *transfer);
/* Moves all transfers on as far as they go without waiting, and tells the owners of those that finished. */
void http_client_step(struct http_client *client);
/* Waits for the network, a wake-up or one of curl's timers, at most `timeout_ms` (-1: a minute). */
void http_client_wait(struct http_client *client, int64_t timeout_ms);

#endif
