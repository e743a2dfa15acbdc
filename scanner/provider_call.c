#include "scanner/provider_call.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "scanner/credential_grant.h"

#define SHOWN_LENGTH   300 /* of a service's own words */
#define LONGEST_LIFE_S 86400

const char *provider_setting(const struct provider_request *request, const char *name)
{
    const char *value = request->variable(name, request->context);
    return value && *value ? value : NULL;
}

static bool is_loopback(const char *url)
{
    static const char *const hosts[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        size_t len = strlen(hosts[i]);
        if (!strncmp(url, hosts[i], len) && strchr(":/", url[len]))
            return true;
    }
    return false;
}

int provider_check_url(const char *url, const char *what, struct error *err)
{
    AUTO_FREE char *origin = http_origin(url);
    if (!origin || strchr(url, '@') || (!str_starts_with(origin, "https:") && !is_loopback(url)))
        return error_set(err, ERROR_INVALID,
                         "%s must be an https URL without a user, or http to a loopback address", what);
    return 0;
}

char *provider_endpoint(const struct provider_request *request, const char *variable, const char *usual,
                        struct error *err)
{
    const char *value = provider_setting(request, variable);
    if (!value)
        return xstrdup(usual);
    if (provider_check_url(value, variable, err) < 0)
        return NULL;
    size_t len = strlen(value);
    while (len && value[len - 1] == '/')
        len--;
    return xmemdupz(value, len);
}

char *provider_read_secret(const char *path, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (file_read(path, LIMIT_TOKEN_BYTES, &text, err) < 0)
        return NULL;
    const char *begin = text.buf + strspn(text.buf, " \t\r\n");
    size_t len = strlen(begin);
    while (len && isspace((unsigned char)begin[len - 1]))
        len--;
    char *secret = xmemdupz(begin, len);
    explicit_bzero(text.buf, text.len);
    if (len && credential_is_clean(secret))
        return secret;
    credential_free_secret(secret);
    error_set(err, ERROR_INVALID, "%s: one line with a token is expected", path);
    return NULL;
}

int provider_send(const struct provider_request *request, const struct http_request *http,
                  struct http_response *response, struct error *err)
{
    struct http_request limited = *http;
    limited.max_body = LIMIT_TOKEN_BYTES;
    limited.timeout_ms = http->timeout_ms ? http->timeout_ms : PROVIDER_TIMEOUT_MS;
    return http_perform(request->client, &limited, response, err);
}

/* Where the services put their own words, the more telling first. */
static const char *find_words(const json_t *answer)
{
    static const struct {
        const char *outer, *key;
    } places[] = {{NULL, "error_description"}, {NULL, "message"}, {NULL, "Message"}, {"error", "message"},
                  {"Error", "Message"},        {NULL, "error"},   {NULL, "__type"}};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        const json_t *object = places[i].outer ? json_object_get(answer, places[i].outer) : answer;
        const char *words = json_string_at(object, places[i].key);
        if (words && *words)
            return words;
    }
    return NULL;
}

int provider_refused(struct http_response *response, struct error *err)
{
    AUTO_JSON json_t *answer = json_read(response->body.buf, response->body.len, NULL);
    const char *words = find_words(answer);
    AUTO_FREE char *shown = words ? xmemdupz(words, strnlen(words, SHOWN_LENGTH)) : xstrdup("");
    for (char *c = shown; *c; c++)
        *c = iscntrl((unsigned char)*c) ? ' ' : *c;
    enum error_code code = response->status == 403   ? ERROR_FORBIDDEN
                           : response->status == 429 ? ERROR_RATE_LIMITED
                           : response->status >= 500 ? ERROR_NETWORK
                                                     : ERROR_UNAUTHORIZED;
    AUTO_FREE char *origin = http_origin(response->url);
    return error_set(err, code, "%s answered %d%s%s", origin, response->status, *shown ? ": " : "", shown);
}

json_t *provider_ask(const struct provider_request *request, const struct http_request *http,
                     struct error *err)
{
    CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
    if (provider_send(request, http, &response, err) < 0)
        return NULL;
    if (response.status / 100 != 2) {
        provider_refused(&response, err);
        return NULL;
    }
    json_t *answer = json_read(response.body.buf, response.body.len, NULL);
    explicit_bzero(response.body.buf, response.body.len);
    if (json_is_object(answer))
        return answer;
    json_decref(answer);
    AUTO_FREE char *origin = http_origin(response.url);
    error_set(err, ERROR_INVALID, "%s: its answer is no JSON object", origin);
    return NULL;
}

json_t *provider_post_form(const struct provider_request *request, const char *url, struct strbuf *form,
                           struct error *err)
{
    static const struct http_header headers[] = {
        {"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}, {NULL, NULL}};
    json_t *answer = provider_ask(
        request,
        &(struct http_request){
            .method = "POST", .url = url, .headers = headers, .body = form->buf, .body_len = form->len},
        err);
    explicit_bzero(form->buf, form->len);
    return answer;
}

void provider_add_field(struct strbuf *form, const char *name, const char *value)
{
    if (!value)
        return;
    strbuf_addf(form, "%s%s=", form->len ? "&" : "", name);
    strbuf_add_urlencoded(form, value, "");
}

bool provider_is_absent(const struct error *err)
{
    return err->code == ERROR_NETWORK || err->code == ERROR_TIMEOUT;
}

int64_t provider_lifetime_ms(const json_t *seconds, int64_t usual_s)
{
    const char *text = json_string_value(seconds);
    double value = text ? strtod(text, NULL) : json_number_value(seconds);
    bool is_sensible = value >= 1 && value <= LONGEST_LIFE_S;
    return (is_sensible ? (int64_t)value : usual_s) * 1000;
}
