/*
 * What curl reports, in words that tell a user what to do. One row per result that people meet; the rest is
 * told in curl's words as trouble of the network.
 */
#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/http_transfer.h"
#include "base/limits.h"

static const struct explanation {
    CURLcode result;
    enum error_code code;
    const char *what; /* followed by curl's own words in brackets, where it has any */
    const char *advice;
} explanations[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERROR_NETWORK, "the host name does not resolve",
     "check its spelling and the DNS"},
    {CURLE_COULDNT_RESOLVE_PROXY, ERROR_NETWORK, "the proxy's name does not resolve",
     "check http_proxy and https_proxy in the environment"},
    {CURLE_COULDNT_CONNECT, ERROR_NETWORK, "cannot connect", "is it running, and is the port right?"},
    {CURLE_PROXY, ERROR_NETWORK, "the proxy refused", "check http_proxy and https_proxy in the environment"},
    {CURLE_PEER_FAILED_VERIFICATION, ERROR_TLS, "its certificate is not trusted",
     "for a CA of your own, name its PEM file in SSL_CERT_FILE or in the option for this server"},
    {CURLE_SSL_ISSUER_ERROR, ERROR_TLS, "its certificate is not trusted",
     "for a CA of your own, name its PEM file in SSL_CERT_FILE or in the option for this server"},
    {CURLE_SSL_CACERT_BADFILE, ERROR_TLS, "the file of CA certificates cannot be read",
     "check the file that SSL_CERT_FILE or the option for this server names"},
    {CURLE_SSL_CERTPROBLEM, ERROR_TLS, "our client certificate cannot be used",
     "check that certificate and key are PEM and belong together"},
    {CURLE_SSL_CONNECT_ERROR, ERROR_TLS, "the TLS handshake failed", "does this port speak https?"},
    {CURLE_SSL_CIPHER, ERROR_TLS, "no TLS cipher in common", "the server's TLS is too old or too strict"},
    {CURLE_GOT_NOTHING, ERROR_NETWORK, "the connection was closed without an answer", NULL},
    {CURLE_PARTIAL_FILE, ERROR_NETWORK, "the answer was cut off", NULL},
    {CURLE_RECV_ERROR, ERROR_NETWORK, "the connection broke while reading", NULL},
    {CURLE_SEND_ERROR, ERROR_NETWORK, "the connection broke while sending", NULL},
    {CURLE_HTTP2, ERROR_NETWORK, "the HTTP/2 conversation broke", NULL},
    {CURLE_HTTP2_STREAM, ERROR_NETWORK, "the HTTP/2 conversation broke", NULL},
    {CURLE_WEIRD_SERVER_REPLY, ERROR_NETWORK, "what answers there does not speak HTTP", "check the port"},
    {CURLE_UNSUPPORTED_PROTOCOL, ERROR_NETWORK, "what answers there does not speak HTTP", "check the port"},
    {CURLE_BAD_CONTENT_ENCODING, ERROR_NETWORK, "the answer's compression is broken", NULL},
    {CURLE_OUT_OF_MEMORY, ERROR_INTERNAL, "out of memory", NULL},
};

static const struct explanation proxy_is_down = {CURLE_COULDNT_CONNECT, ERROR_NETWORK,
                                                 "cannot connect to the proxy",
                                                 "check http_proxy and https_proxy in the environment"};

/* The furthest that a request came before time ran out. */
static const struct stage {
    CURLINFO reached;
    const char *name;
} stages[] = {
    {CURLINFO_STARTTRANSFER_TIME_T, "reading the answer"},
    {CURLINFO_PRETRANSFER_TIME_T, "waiting for an answer"},
    {CURLINFO_CONNECT_TIME_T, "in the TLS handshake"},
    {CURLINFO_NAMELOOKUP_TIME_T, "connecting"},
};

/* curl counts as connected what has shaken hands; a socket has a port of ours before that. */
static bool is_in_handshake(CURL *easy, CURLINFO reached)
{
    long port = 0;
    return reached == CURLINFO_NAMELOOKUP_TIME_T &&
           curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &port) == CURLE_OK && port > 0;
}

static const char *stage_of(CURL *easy)
{
    for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
        curl_off_t time = 0;
        if (curl_easy_getinfo(easy, stages[i].reached, &time) == CURLE_OK && time > 0)
            return is_in_handshake(easy, stages[i].reached) ? "in the TLS handshake" : stages[i].name;
    }
    return "looking up the host name";
}

static int explain_timeout(const struct http_transfer *t, struct error *err)
{
    if (strstr(t->curl_text, "too slow"))
        return error_set(err, ERROR_TIMEOUT, "%s: too slow: under %d bytes a second for %d s, %s",
                         t->url.shown, HTTP_LOW_SPEED_BYTES, HTTP_LOW_SPEED_S, stage_of(t->easy));
    return error_set(err, ERROR_TIMEOUT, "%s: no end after %" PRId64 " ms, %s", t->url.shown, t->timeout_ms,
                     stage_of(t->easy));
}

static int explain_size(const struct http_transfer *t, struct error *err)
{
    return error_set(err, ERROR_TOO_LARGE, "%s: the answer is larger than the limit of %zu bytes",
                     t->url.shown, t->max_body);
}

/* curl's words, or the system's where curl only says "failed to connect". */
static const char *detail_of(const struct http_transfer *t, const struct explanation *e, char buffer[128])
{
    long number = 0;
    const char *after = strstr(t->curl_text, " after ");
    if (e->what == proxy_is_down.what && after) { /* how many ms is another text each time */
        snprintf(buffer, 128, "%.*s", (int)(after - t->curl_text), t->curl_text);
        return buffer;
    }
    if (e->result == CURLE_COULDNT_CONNECT &&
        curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &number) == CURLE_OK && number)
        return strerror_r((int)number, buffer, 128);
    return t->curl_text[0] ? t->curl_text : curl_easy_strerror(e->result);
}

/* Whether what could not be connected to was another than the URL's host: curl says its name. */
static bool is_at_proxy(const struct http_transfer *t)
{
    static const char begins[] = "Failed to connect to ";
    const char *host = t->url.host + (*t->url.host == '['), *tried = t->curl_text + strlen(begins);
    return !t->connect_to && !strncmp(t->curl_text, begins, strlen(begins)) &&
           (strncasecmp(tried, host, strcspn(host, "]")) != 0 || tried[strcspn(host, "]")] != ' ');
}

static struct explanation explanation_of(const struct http_transfer *t, CURLcode result)
{
    struct explanation found = {result, ERROR_NETWORK, "failed", NULL};
    long status = 0; /* of the proxy, to what it was asked to connect to */
    if (result == CURLE_COULDNT_CONNECT && is_at_proxy(t))
        return proxy_is_down;
    if (result == CURLE_RECV_ERROR &&
        curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &status) == CURLE_OK && status >= 300)
        result = CURLE_PROXY;
    for (size_t i = 0; i < ARRAY_LEN(explanations); i++) {
        if (explanations[i].result == result)
            found = explanations[i];
    }
    return found;
}

int http_transfer_explain(const struct http_transfer *t, CURLcode result, struct error *err)
{
    if (t->headers_too_big)
        return error_set(err, ERROR_TOO_LARGE, "%s: the headers are larger than the limit of %u bytes",
                         t->url.shown, LIMIT_HTTP_HEADER_BYTES);
    if (t->response.body.overflowed || result == CURLE_FILESIZE_EXCEEDED)
        return explain_size(t, err);
    if (result == CURLE_OPERATION_TIMEDOUT)
        return explain_timeout(t, err);
    const struct explanation e = explanation_of(t, result);
    char buffer[128];
    return error_set(err, e.code, "%s: %s (%s)%s%s", t->url.shown, e.what, detail_of(t, &e, buffer),
                     e.advice ? "; " : "", e.advice ? e.advice : "");
}
