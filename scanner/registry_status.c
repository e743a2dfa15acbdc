#include "scanner/registry_status.h"

#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "scanner/provider.h"

#define QUOTED_LENGTH 200

static const struct meaning {
    int status;
    enum error_code code;
    const char *text;
} meanings[] = {
    {401, ERROR_UNAUTHORIZED, "not logged in, or the credentials were refused"},
    {403, ERROR_FORBIDDEN, "access is denied"},
    {404, ERROR_NOT_FOUND, "not there"},
    {429, ERROR_RATE_LIMITED, "too many requests"},
    {501, ERROR_UNSUPPORTED, "the server cannot do that"},
};

static struct meaning meaning_of(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
        if (meanings[i].status == status)
            return meanings[i];
    }
    if (status >= 500)
        return (struct meaning){status, ERROR_NETWORK, "the server is in trouble"};
    return (struct meaning){status, ERROR_INVALID, "not an answer of a registry"};
}

static void quote(struct strbuf *out, const char *text)
{
    if (!text || !*text)
        return;
    if (out->len)
        strbuf_addstr(out, ": ");
    for (; *text && out->len < QUOTED_LENGTH; text++)
        strbuf_addch(out, iscntrl((unsigned char)*text) ? (char)' ' : *text);
    if (*text)
        strbuf_addstr(out, "...");
}

/* What the body says about it; nothing if it is not JSON. */
static void add_words(struct strbuf *out, const struct http_response *response)
{
    AUTO_JSON json_t *body = json_read(response->body.buf, response->body.len, NULL);
    const json_t *first = json_array_get(json_object_get(body, "errors"), 0);
    quote(out, json_string_at(first, "code"));
    quote(out, json_string_at(first, "message"));
    if (out->len)
        return;
    quote(out, json_string_at(body, "details"));
    if (!out->len)
        quote(out, json_string_at(body, "error_description"));
    if (!out->len)
        quote(out, json_string_at(body, "error"));
}

static bool ends_with_line_break(const char *text)
{
    size_t len = text ? strlen(text) : 0;
    return len && (text[len - 1] == '\n' || text[len - 1] == '\r');
}

/* Many registries do not tell what is not there from what may not be seen. */
static void add_advice(struct strbuf *out, enum error_code code, const char *repository,
                       const struct credential *credential)
{
    AUTO_FREE char *host = xmemdupz(repository, strcspn(repository, "/"));
    const struct provider *provider = provider_of(host);
    if (code != ERROR_UNAUTHORIZED && code != ERROR_FORBIDDEN)
        return;
    if (credential->username || credential->identity_token)
        strbuf_addf(out, "; check the credentials%s%s for %s%s", credential->username ? " of user " : "",
                    credential->username ? credential->username : "", repository,
                    ends_with_line_break(credential->password)
                        ? ": the password ends with a line break, which `echo` adds and `printf %s` does not"
                        : ", and its name");
    else
        strbuf_addf(out, "; there are no credentials for %s: log in, %s%s%sor check its name", repository,
                    provider ? "give pawl an identity at " : "", provider ? provider->name : "",
                    provider ? ", " : "");
}

int registry_status_error(struct http_response *response, const char *repository,
                          const struct credential *credential, int64_t wall_ms, struct error *err)
{
    struct meaning meaning = meaning_of(response->status);
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT, url = STRBUF_INIT, advice = STRBUF_INIT;
    add_words(&words, response);
    strbuf_add(&url, response->url, strcspn(response->url, "?"));
    add_advice(&advice, meaning.code, repository, credential);
    error_set(err, meaning.code, "%s: %s (HTTP status %d%s%s)%s", url.buf, meaning.text, response->status,
              words.len ? ", " : "", words.buf, advice.buf);
    if (err && meaning.code == ERROR_RATE_LIMITED)
        err->retry_after_s = http_retry_after_s(response, wall_ms);
    return -1;
}
