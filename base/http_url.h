/*
 * The URL of a request, taken apart as the HTTP client needs it: what goes to the network, what may be shown
 * to people, whose credentials it may carry. Internal to base/http.
 *
 * It is taken apart once, and the transfer gets the parts: what goes to the network is what was judged. The texts
 * are as they were given where nothing had to be taken out, for curl writes a URL byte by byte, which is more
 * work than sending a short request.
 *
 * A user part ("https://user:secret@host/") becomes basic credentials and is in neither `url` nor `shown`.
 */
#ifndef BASE_HTTP_URL_H
#define BASE_HTTP_URL_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"

struct http_url {
    CURLU *parts; /* without user part and fragment */
    char *url;    /* without user part and fragment */
    char *shown;  /* for messages: without the query too, which may hold signatures */
    char *origin; /* as http_origin gives it */
    char *host;   /* for messages; an IPv6 address is in brackets */
    char *basic;  /* "Basic …" from the user part; NULL if there was none */
};
#define HTTP_URL_INIT                                                                                        \
    {                                                                                                        \
        .parts = NULL, .url = NULL, .shown = NULL, .origin = NULL, .host = NULL, .basic = NULL               \
    }

/* ERROR_INVALID for what is no absolute http or https URL; its text repeats nothing of the URL but the
 * scheme, as the rest may be a secret that was put in the wrong place. */
int http_url_parse(const char *text, struct http_url *out, struct error *err) MUST_CHECK;

/* Where a Location leads (RFC 9110 section 10.2.2: it may be relative). A user part in it is dropped: nobody
 * but the user hands out credentials. ERROR_INVALID, or ERROR_FORBIDDEN for https to http. */
int http_url_redirect(const struct http_url *from, const char *location, struct http_url *out,
                      struct error *err) MUST_CHECK;

void http_url_release(struct http_url *url);

#endif
