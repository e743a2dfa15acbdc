/*
 * curl's handle of a transfer: what it is told of the request, and what it tells of the answer.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/http_transfer.h"
#include "base/limits.h"

/* How much of a stream's body waits for its reader before curl is told to stop reading. */
#define STREAM_BUFFER_BYTES ((size_t)256 << 10)

/* -- the answer, as it comes -------------------------------------------------------------------------------- */

/* "HTTP/1.1 200 OK": the status; 0 if it is no status line. */
static int status_of(const char *line, size_t len)
{
    const char *space = len > 5 && !strncmp(line, "HTTP/", 5) ? memchr(line, ' ', len) : NULL;
    if (!space || line + len - space < 4)
        return 0;
    int status = 0;
    for (const char *c = space + 1; c < space + 4; c++)
        status = isdigit((unsigned char)*c) ? status * 10 + (*c - '0') : 1000;
    return status < 1000 ? status : 0;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct http_transfer *t = context;
    size_t len = size * count;
    int status = status_of(bytes, len);
    if (status) {
        t->response.status = status;
        t->has_headers = false;
        strbuf_reset(&t->response.headers);
        return len;
    }
    if (t->has_headers) /* trailers: they come after what they would have said */
        return len;
    if (len <= 2 && (bytes[0] == '\r' || bytes[0] == '\n')) {
        t->has_headers = t->response.status >= 200;
        return len;
    }
    strbuf_add(&t->response.headers, bytes, len);
    t->headers_too_big = t->response.headers.overflowed;
    return t->headers_too_big ? 0 : len;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct http_transfer *t = context;
    size_t len = size * count;
    if (http_transfer_is_redirect(t)) {
        t->discarded += len;
        return t->discarded > LIMIT_HTTP_HEADER_BYTES ? 0 : len;
    }
    if (t->is_stream && t->response.body.len >= STREAM_BUFFER_BYTES) {
        t->is_paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    strbuf_add(&t->response.body, bytes, len);
    return t->response.body.overflowed ? 0 : len;
}

/* -- the request ---------------------------------------------------------------------------------------------- */

/* Headers that speak for the user: with Authorization, they stay at the origin they were given for. */
static bool is_private(const char *name)
{
    return !strcasecmp(name, "Cookie") || !strcasecmp(name, "Proxy-Authorization");
}

static void add_line(struct curl_slist **lines, const char *name, const char *value)
{
    /* curl's form of a header that is there and empty ends with a semicolon */
    AUTO_FREE char *line = *value ? xasprintf("%s: %s", name, value) : xasprintf("%s;", name);
    struct curl_slist *longer = curl_slist_append(*lines, line);
    explicit_bzero(line, strlen(line));
    if (!longer)
        abort();
    *lines = longer;
}

static void build_lines(struct http_transfer *t, bool at_home)
{
    http_transfer_free_lines(&t->lines);
    bool has_type = false;
    for (const struct http_field *h = t->headers; h->name; h++) {
        has_type |= !strcasecmp(h->name, "Content-Type");
        if (at_home || !is_private(h->name))
            add_line(&t->lines, h->name, h->value);
    }
    if (at_home && t->authorization && !t->sigv4)
        add_line(&t->lines, "Authorization", t->authorization);
    /* "Name:" alone takes out what curl would add by itself: a form's type, and a second round trip */
    struct curl_slist *longer =
        t->body && !has_type ? curl_slist_append(t->lines, "Content-Type:") : t->lines;
    /* ... which is not taken out of a signed request: curl 7.88 signs the empty header that it does not send */
    t->lines = t->body && !t->sigv4 ? curl_slist_append(longer, "Expect:") : longer;
}

static CURLcode set_method(struct http_transfer *t)
{
    CURL *easy = t->easy;
    if (!strcmp(t->method, "HEAD"))
        return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    if (!strcmp(t->method, "GET") && !t->body)
        return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    CURLcode code = CURLE_OK;
    if (t->body || !strcmp(t->method, "POST")) {
        code |= curl_easy_setopt(easy, CURLOPT_POST, 1L);
        code |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_len);
        code |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->body ? t->body : "");
    }
    if (strcmp(t->method, "POST") != 0)
        code |= curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, t->method);
    return code;
}

static CURLcode set_blob(CURL *easy, CURLoption option, const char *pem)
{
    AUTO_FREE char *copy = xstrdup(pem); /* curl's blob is not const, and copied by it once more */
    struct curl_blob blob = {.data = copy, .len = strlen(copy), .flags = CURL_BLOB_COPY};
    CURLcode code = curl_easy_setopt(easy, option, &blob);
    explicit_bzero(copy, blob.len);
    return code;
}

static CURLcode set_authorities(CURL *easy, const struct http_tls *tls, const char *ca_file)
{
    CURLcode code = CURLE_OK;
    if (tls->ca_pem) {
        code |= set_blob(easy, CURLOPT_CAINFO_BLOB, tls->ca_pem);
        code |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    } else if (tls->ca_file) {
        code |= curl_easy_setopt(easy, CURLOPT_CAINFO, tls->ca_file);
        code |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    } else if (ca_file) {
        code |= curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    }
    return code;
}

/*
 * The name that the certificate must have is the one in the URL that curl gets; the connection still goes to
 * the host that was asked for, and so does the Host header.
 */
static CURLcode set_server_name(struct http_transfer *t, const char *name)
{
    char *url = NULL, *authority = xstrdup(strstr(t->url.origin, "//") + 2);
    curl_url_cleanup(t->renamed);
    t->renamed = curl_url_dup(t->url.parts);
    bool good = t->renamed && !curl_url_set(t->renamed, CURLUPART_HOST, name, 0) &&
                !curl_url_get(t->renamed, CURLUPART_URL, &url, 0);
    http_transfer_free_lines(&t->connect_to);
    AUTO_FREE char *route = xasprintf("::%s", authority);
    t->connect_to = curl_slist_append(NULL, route);
    add_line(&t->lines, "Host", authority);
    CURLcode code = good ? CURLE_OK : CURLE_URL_MALFORMAT;
    code |= curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to);
    code |= good ? curl_easy_setopt(t->easy, CURLOPT_URL, url) : CURLE_OK;
    code |= good ? curl_easy_setopt(t->easy, CURLOPT_CURLU, t->renamed) : CURLE_OK;
    curl_free(url);
    free(authority);
    return code;
}

static CURLcode set_tls(struct http_transfer *t, bool at_home, const char *ca_file)
{
    static const struct http_tls defaults = {0};
    const struct http_tls *tls = t->tls ? t->tls : &defaults;
    CURLcode code = set_authorities(t->easy, tls, ca_file);
    if (!at_home)
        return code;
    if (tls->insecure) {
        code |= curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, 0L);
        code |= curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (tls->cert_pem)
        code |= set_blob(t->easy, CURLOPT_SSLCERT_BLOB, tls->cert_pem);
    if (tls->key_pem)
        code |= set_blob(t->easy, CURLOPT_SSLKEY_BLOB, tls->key_pem);
    if (tls->server_name && str_starts_with(t->url.origin, "https:"))
        code |= set_server_name(t, tls->server_name);
    return code;
}

static CURLcode set_signature(struct http_transfer *t, bool at_home)
{
    if (!t->sigv4 || !at_home)
        return CURLE_OK;
    CURLcode code = curl_easy_setopt(t->easy, CURLOPT_AWS_SIGV4, t->sigv4);
    code |= curl_easy_setopt(t->easy, CURLOPT_USERNAME, t->sigv4_user);
    code |= curl_easy_setopt(t->easy, CURLOPT_PASSWORD, t->sigv4_secret);
    return code;
}

static CURLcode set_limits(struct http_transfer *t, int64_t remaining_ms)
{
    CURL *easy = t->easy;
    CURLcode code = CURLE_OK;
    code |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)remaining_ms);
    code |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_TIMEOUT_MS);
    code |= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)HTTP_LOW_SPEED_BYTES);
    code |= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)HTTP_LOW_SPEED_S);
    if (!t->is_stream && strcmp(t->method, "HEAD") != 0)
        code |= curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->max_body);
    return code;
}

static CURLcode set_conduct(struct http_transfer *t, const char *user_agent)
{
    CURL *easy = t->easy;
    CURLcode code = CURLE_OK;
    code |= curl_easy_setopt(easy, CURLOPT_URL, t->url.url); /* else curl writes it out anew */
    code |= curl_easy_setopt(easy, CURLOPT_CURLU, t->url.parts);
    code |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    code |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    code |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    code |= curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    code |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    code |= curl_easy_setopt(easy, CURLOPT_PIPEWAIT, (long)str_starts_with(t->url.origin, "https:"));
    code |= curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    code |= curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent);
    code |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->curl_text);
    code |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    code |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    code |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    code |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    code |= curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    return code;
}

int http_transfer_bind(struct http_transfer *t, CURL *easy, const char *user_agent, const char *ca_file,
                       struct error *err)
{
    t->easy = easy;
    t->curl_text[0] = '\0';
    t->response.status = 0;
    t->has_headers = false;
    strbuf_reset(&t->response.headers);
    strbuf_reset(&t->response.body);
    if (t->is_stream)
        t->response.body.max = 0;
    int64_t remaining_ms = t->deadline_ms - clock_monotonic_ms(&system_clock);
    if (remaining_ms <= 0)
        return error_set(err, ERROR_TIMEOUT, "%s: no time left after redirects", t->url.shown);
    bool at_home = !strcmp(t->url.origin, t->home);
    build_lines(t, at_home);
    CURLcode code = set_conduct(t, user_agent);
    code |= set_limits(t, remaining_ms);
    code |= set_method(t);
    code |= set_tls(t, at_home, ca_file);
    code |= set_signature(t, at_home);
    code |= t->is_direct ? curl_easy_setopt(easy, CURLOPT_NOPROXY, "*") : CURLE_OK;
    code |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->lines);
    if (code != CURLE_OK)
        return error_set(err, ERROR_INTERNAL,
                         "%s: libcurl refuses an option (%d): is it 7.88 or newer, with TLS?", t->url.shown,
                         (int)code);
    return 0;
}

CURL *http_transfer_unbind(struct http_transfer *t)
{
    CURL *easy = steal(&t->easy);
    t->is_paused = false;
    return easy;
}
