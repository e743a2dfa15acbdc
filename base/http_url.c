#include "base/http_url.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/http.h"
#include "base/strbuf.h"

static void release_handle(CURLU **handle)
{
    curl_url_cleanup(*handle);
}
#define AUTO_CURLU CLEANUP(release_handle)

static void release_text(char **text)
{
    curl_free(*text);
}
#define AUTO_CURL_TEXT CLEANUP(release_text)

/* NULL if the URL has no such part. */
static char *part_of(CURLU *handle, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    return curl_url_get(handle, part, &text, flags) == CURLUE_OK ? text : NULL;
}

static char *copy_of_part(CURLU *handle, CURLUPart part, unsigned flags)
{
    AUTO_CURL_TEXT char *text = part_of(handle, part, flags);
    return xstrdup(text);
}

static void to_lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

/* NULL if it is no http(s) URL. */
static char *origin_of(CURLU *handle)
{
    AUTO_CURL_TEXT char *scheme = part_of(handle, CURLUPART_SCHEME, 0);
    AUTO_CURL_TEXT char *host = part_of(handle, CURLUPART_HOST, 0);
    AUTO_CURL_TEXT char *port = part_of(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    if (!scheme || !host || !*host || !port)
        return NULL;
    char *origin = xasprintf("%s://%s:%s", scheme, host, port);
    to_lower(origin);
    if (str_starts_with(origin, "http://") || str_starts_with(origin, "https://"))
        return origin;
    free(origin);
    return NULL;
}

char *http_origin(const char *url)
{
    AUTO_CURLU CURLU *handle = curl_url();
    if (!handle || curl_url_set(handle, CURLUPART_URL, url, 0) != CURLUE_OK)
        return NULL;
    return origin_of(handle);
}

char *http_resolve(const char *base, const char *reference)
{
    AUTO_CURLU CURLU *handle = curl_url();
    if (!handle || curl_url_set(handle, CURLUPART_URL, base, 0) != CURLUE_OK ||
        curl_url_set(handle, CURLUPART_URL, reference, CURLU_URLENCODE) != CURLUE_OK)
        return NULL;
    AUTO_FREE char *origin = origin_of(handle);
    if (!origin)
        return NULL;
    curl_url_set(handle, CURLUPART_USER, NULL, 0);
    curl_url_set(handle, CURLUPART_PASSWORD, NULL, 0);
    curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
    return copy_of_part(handle, CURLUPART_URL, 0);
}

/* "Basic …" from the URL's user part, or NULL. */
static char *take_basic(CURLU *handle)
{
    AUTO_CURL_TEXT char *user = part_of(handle, CURLUPART_USER, CURLU_URLDECODE);
    AUTO_CURL_TEXT char *password = part_of(handle, CURLUPART_PASSWORD, CURLU_URLDECODE);
    curl_url_set(handle, CURLUPART_USER, NULL, 0);
    curl_url_set(handle, CURLUPART_PASSWORD, NULL, 0);
    curl_url_set(handle, CURLUPART_OPTIONS, NULL, 0);
    if (!user && !password)
        return NULL;
    CLEANUP(strbuf_release) struct strbuf plain = STRBUF_INIT, value = STRBUF_INIT;
    strbuf_addf(&plain, "%s:%s", user ? user : "", password ? password : "");
    strbuf_addstr(&value, "Basic ");
    strbuf_add_base64(&value, plain.buf, plain.len);
    explicit_bzero(plain.buf, plain.len);
    return strbuf_detach(&value, NULL);
}

/* Has neither a user part nor a fragment: both need their sign. */
static bool has_nothing_to_take(const char *text)
{
    return (str_starts_with(text, "http://") || str_starts_with(text, "https://")) &&
           !text[strcspn(text, "@#")];
}

/* `text` is what the handle was made of, or NULL if it was made of more than one. */
static int fill(CURLU **handle, const char *text, struct http_url *out, struct error *err)
{
    AUTO_FREE char *origin = origin_of(*handle);
    if (!origin)
        return error_set(err, ERROR_INVALID, "not an http or https URL");
    if (text && has_nothing_to_take(text)) {
        out->url = xstrdup(text);
    } else {
        out->basic = take_basic(*handle);
        curl_url_set(*handle, CURLUPART_FRAGMENT, NULL, 0);
        out->url = copy_of_part(*handle, CURLUPART_URL, 0);
    }
    out->shown = xmemdupz(out->url, strcspn(out->url, "?"));
    out->host = copy_of_part(*handle, CURLUPART_HOST, 0);
    out->origin = steal(&origin);
    out->parts = steal(handle);
    return 0;
}

int http_url_parse(const char *text, struct http_url *out, struct error *err)
{
    AUTO_CURLU CURLU *handle = curl_url();
    CURLUcode code = handle ? curl_url_set(handle, CURLUPART_URL, text, 0) : CURLUE_OUT_OF_MEMORY;
    if (code != CURLUE_OK)
        return error_set(err, ERROR_INVALID, "not an http or https URL: %s", curl_url_strerror(code));
    return fill(&handle, text, out, err);
}

int http_url_redirect(const struct http_url *from, const char *location, struct http_url *out,
                      struct error *err)
{
    AUTO_CURLU CURLU *handle = curl_url_dup(from->parts);
    CURLUcode code =
        handle ? curl_url_set(handle, CURLUPART_URL, location, CURLU_URLENCODE) : CURLUE_OUT_OF_MEMORY;
    if (code != CURLUE_OK)
        return error_set(err, ERROR_INVALID, "%s redirects to what is not a URL: %s", from->shown,
                         curl_url_strerror(code));
    CLEANUP(http_url_release) struct http_url to = HTTP_URL_INIT;
    if (fill(&handle, NULL, &to, err) < 0)
        return error_wrap(err, "%s redirects", from->shown);
    if (str_starts_with(from->origin, "https:") && !str_starts_with(to.origin, "https:"))
        return error_set(err, ERROR_FORBIDDEN, "%s redirects from https to plain http (%s): refused",
                         from->shown, to.shown);
    free(steal(&to.basic));
    *out = to;
    to = (struct http_url)HTTP_URL_INIT;
    return 0;
}

void http_url_release(struct http_url *url)
{
    curl_url_cleanup(url->parts);
    free(url->url);
    free(url->shown);
    free(url->origin);
    free(url->host);
    if (url->basic)
        explicit_bzero(url->basic, strlen(url->basic));
    free(url->basic);
    *url = (struct http_url)HTTP_URL_INIT;
}
