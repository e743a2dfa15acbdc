#include "base/http_transfer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/limits.h"

/* -- the request, copied ------------------------------------------------------------------------------- */

static bool is_clean(const char *text)
{
    return !text || !text[strcspn(text, "\r\n")];
}

static int copy_headers(struct http_transfer *t, const struct http_request *request)
{
    size_t len = 0;
    while (request->headers && request->headers[len].name)
        len++;
    t->headers = xcalloc(len + 1, sizeof(*t->headers));
    size_t kept = 0;
    for (size_t i = 0; i < len; i++) {
        const struct http_header *h = &request->headers[i];
        if (!h->value)
            continue;
        if (!is_clean(h->name) || !is_clean(h->value))
            return error_set(&t->error, ERROR_INVALID, "%s: the header %.40s holds a line break",
                             t->url.shown, h->name);
        if (!strcasecmp(h->name, "Authorization")) {
            if (!t->authorization)
                t->authorization = xstrdup(h->value);
            continue;
        }
        t->headers[kept++] = (struct http_field){xstrdup(h->name), xstrdup(h->value)};
    }
    return 0;
}

static void copy_signature(struct http_transfer *t, const struct http_aws_sigv4 *signature)
{
    if (!signature)
        return;
    t->sigv4 = xasprintf("aws:amz:%s:%s", signature->region, signature->service);
    t->sigv4_user = xstrdup(signature->key_id);
    t->sigv4_secret = xstrdup(signature->secret);
}

static int copy_request(struct http_transfer *t, const struct http_request *request)
{
    if (http_url_parse(request->url, &t->url, &t->error) < 0)
        return -1;
    t->home = xstrdup(t->url.origin);
    t->authorization = xstrdup(request->authorization);
    if (copy_headers(t, request) < 0)
        return -1;
    if (!is_clean(t->authorization) || !is_clean(t->method))
        return error_set(&t->error, ERROR_INVALID, "%s: the credentials hold a line break", t->url.shown);
    if (!t->authorization)
        t->authorization = xstrdup(t->url.basic);
    copy_signature(t, request->aws_sigv4);
    if (request->body) {
        t->body = xmemdupz(request->body, request->body_len);
        t->body_len = request->body_len;
    }
    return 0;
}

struct http_transfer *http_transfer_new(const struct http_request *request)
{
    struct http_transfer *t = xcalloc(1, sizeof(*t));
    t->method = xstrdup(request->method ? request->method : "GET");
    t->tls = request->tls;
    t->follow_redirects =
        request->follow_redirects && (!strcmp(t->method, "GET") || !strcmp(t->method, "HEAD"));
    t->is_direct = request->is_direct;
    t->timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : HTTP_TIMEOUT_MS;
    t->deadline_ms = clock_monotonic_ms(&system_clock) + t->timeout_ms;
    t->max_body = request->max_body ? request->max_body : LIMIT_HTTP_BODY_BYTES;
    strbuf_init(&t->response.body, t->max_body);
    strbuf_init(&t->response.headers, LIMIT_HTTP_HEADER_BYTES);
    strbuf_init(&t->response.value, 0);
    t->is_finished = copy_request(t, request) < 0;
    return t;
}

static void free_secret(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

void http_transfer_free_lines(struct curl_slist **lines)
{
    for (struct curl_slist *line = *lines; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data));
    curl_slist_free_all(*lines);
    *lines = NULL;
}

void http_transfer_free(struct http_transfer *t)
{
    if (!t)
        return;
    for (size_t i = 0; t->headers && t->headers[i].name; i++) {
        free(t->headers[i].name);
        free_secret(t->headers[i].value);
    }
    free(t->headers);
    http_transfer_free_lines(&t->lines);
    http_transfer_free_lines(&t->connect_to);
    curl_url_cleanup(t->renamed);
    free(t->method);
    free_secret(t->authorization);
    free(t->sigv4);
    free(t->sigv4_user);
    free_secret(t->sigv4_secret);
    free(t->body);
    free(t->home);
    free(t->asked);
    http_url_release(&t->url);
    http_response_release(&t->response);
    free(t);
}

/* -- from hop to hop --------------------------------------------------------------------------------------- */

bool http_transfer_is_redirect(struct http_transfer *t)
{
    switch (t->response.status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        return t->follow_redirects && http_header(&t->response, "Location");
    default:
        return false;
    }
}

/* Points the transfer at the redirect's target. */
static int follow(struct http_transfer *t)
{
    if (++t->redirects > LIMIT_REDIRECTS)
        return error_set(&t->error, ERROR_NETWORK, "%s: more than %d redirects", t->url.shown,
                         LIMIT_REDIRECTS);
    struct http_url to = HTTP_URL_INIT;
    if (http_url_redirect(&t->url, http_header(&t->response, "Location"), &to, &t->error) < 0)
        return -1;
    http_url_release(&t->url);
    t->url = to;
    return 0;
}

bool http_transfer_complete(struct http_transfer *t, CURLcode result)
{
    /* a redirect that talks too much was cut off by us, and has said what matters */
    if (http_transfer_is_redirect(t) && t->has_headers &&
        (result == CURLE_OK || result == CURLE_WRITE_ERROR)) {
        t->discarded = 0;
        t->is_finished = follow(t) < 0;
        return t->is_finished;
    }
    t->is_finished = true;
    if (result != CURLE_OK)
        http_transfer_explain(t, result, &t->error);
    else
        t->response.url = xstrdup(t->url.url);
    return true;
}
