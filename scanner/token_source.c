#include "scanner/token_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "scanner/registry_status.h"

#define CLIENT_ID "pawl"

struct fetch {
    struct registry_job job; /* first, so that a job is a fetch */
    struct token_source *source;
    struct registry_host *host;
    const char *repository;
    const struct credential *credential;
    char *key, *scope;
    unsigned *requests;
    struct token_waiter *waiters;
};

void token_source_init(struct token_source *source, struct http_client *const *client,
                       const struct clock *clock, int64_t timeout_ms)
{
    *source = (struct token_source){.client = client, .clock = clock, .timeout_ms = timeout_ms};
    token_store_init(&source->store);
    strmap_init(&source->fetches, NULL);
}

void token_source_release(struct token_source *source)
{
    token_store_release(&source->store);
    strmap_release(&source->fetches);
}

/* Takes the fetch apart first: a waiter may want the same token again. */
static void finish(struct fetch *fetch, const struct error *err)
{
    struct token_waiter *waiter = fetch->waiters;
    strmap_remove(&fetch->source->fetches, fetch->key);
    free(fetch->key);
    free(fetch->scope);
    free(fetch);
    while (waiter) {
        struct token_waiter *next = waiter->next;
        waiter->ready(waiter, err);
        waiter = next;
    }
}

static void refuse(struct registry_job *job, const struct error *err)
{
    finish((struct fetch *)job, err);
}

/* -- may this realm be asked? -------------------------------------------------------------------------- */

static int check_realm(const struct registry_host *host, const struct credential *credential,
                       struct error *err)
{
    const char *realm = host->challenge.realm;
    AUTO_FREE char *origin = http_origin(realm);
    if (!origin)
        return error_set(err, ERROR_INVALID, "%s: the realm it names for tokens is no http or https URL",
                         host->name);
    bool is_own = registry_host_is_at(host, origin);
    bool is_trusted = host->scheme == REGISTRY_HTTPS && !host->is_insecure;
    bool is_secret = credential->password || credential->identity_token;
    if (!str_starts_with(origin, "https:") && !(is_own && host->scheme == REGISTRY_HTTP))
        return error_set(err, ERROR_FORBIDDEN, "%s: it names a plain http realm for tokens (%s): refused",
                         host->name, origin);
    if (is_secret && !is_trusted && !is_own)
        return error_set(err, ERROR_FORBIDDEN,
                         "%s: it sends us to %s for a token, and could be forged: the credentials stay here",
                         host->name, origin);
    return 0;
}

/* -- the request ----------------------------------------------------------------------------------------- */

static void add_parameter(struct strbuf *form, const char *name, const char *value)
{
    if (!value)
        return;
    strbuf_addf(form, "%s%s=", form->len ? "&" : "", name);
    strbuf_add_urlencoded(form, value, ":/,");
}

/* The body of the OAuth2 form, for who has an identity token. */
static void add_refresh_form(const struct fetch *fetch, struct strbuf *form)
{
    add_parameter(form, "grant_type", "refresh_token");
    add_parameter(form, "service", fetch->host->challenge.service ? fetch->host->challenge.service : "");
    add_parameter(form, "client_id", CLIENT_ID);
    add_parameter(form, "scope", fetch->scope);
    add_parameter(form, "refresh_token", fetch->credential->identity_token);
}

static void add_query(const struct fetch *fetch, struct strbuf *url)
{
    CLEANUP(strbuf_release) struct strbuf query = STRBUF_INIT;
    add_parameter(&query, "service", fetch->host->challenge.service);
    add_parameter(&query, "scope", fetch->scope);
    add_parameter(&query, "account", fetch->credential->username);
    strbuf_addf(url, "%c%s", strchr(url->buf, '?') ? '&' : '?', query.buf);
}

static void on_token(struct http_response *response, const struct error *err, void *context);

static void send_request(struct fetch *fetch)
{
    static const struct http_header form_type[] = {{"Content-Type", "application/x-www-form-urlencoded"},
                                                   {NULL, NULL}};
    const struct registry_host *host = fetch->host;
    CLEANUP(strbuf_release) struct strbuf url = STRBUF_INIT, form = STRBUF_INIT;
    strbuf_addstr(&url, host->challenge.realm);
    struct http_request request = {
        .max_body = LIMIT_TOKEN_BYTES, .timeout_ms = fetch->source->timeout_ms, .follow_redirects = true};
    AUTO_FREE char *authorization = NULL;
    if (fetch->credential->identity_token) {
        add_refresh_form(fetch, &form);
        request.method = "POST";
        request.headers = form_type;
        request.body = form.buf;
        request.body_len = form.len;
    } else {
        add_query(fetch, &url);
        authorization = credential_basic(fetch->credential);
        request.authorization = authorization;
    }
    request.url = url.buf;
    AUTO_FREE char *origin = http_origin(url.buf);
    if (origin && registry_host_is_at(host, origin))
        request.tls = &host->tls;
    registry_job_send(&fetch->job, clock_monotonic_ms(fetch->source->clock));
    (*fetch->requests)++;
    http_start(*fetch->source->client, &request, on_token, fetch);
    explicit_bzero(form.buf, form.len);
    if (authorization)
        explicit_bzero(authorization, strlen(authorization));
}

static void start(struct registry_job *job)
{
    struct fetch *fetch = (struct fetch *)job;
    struct error err = ERROR_INIT;
    if (check_realm(fetch->host, fetch->credential, &err) == 0) {
        send_request(fetch);
        return;
    }
    registry_host_leave(fetch->host);
    finish(fetch, &err);
}

static void on_token(struct http_response *response, const struct error *err, void *context)
{
    struct fetch *fetch = context;
    struct registry_host *host = fetch->host;
    struct error problem = ERROR_INIT;
    int64_t now_ms = clock_monotonic_ms(fetch->source->clock);
    registry_host_answered(host, &fetch->job, response, now_ms, clock_wall_ms(fetch->source->clock));
    if (err)
        problem = *err;
    else if (response->status / 100 != 2)
        registry_status_error(response, fetch->repository, fetch->credential,
                              clock_wall_ms(fetch->source->clock), &problem);
    else if (token_store_read(&fetch->source->store, fetch->key, response->body.buf, response->body.len,
                              now_ms, &problem) == 0)
        error_clear(&problem);
    if (response)
        explicit_bzero(response->body.buf, response->body.len);
    if (problem.code != ERROR_NONE)
        error_wrap(&problem, "getting a token for %s", host->name);
    finish(fetch, problem.code == ERROR_NONE ? NULL : &problem);
    registry_host_resume(host);
}

void token_source_want(struct token_source *source, const struct token_request *request,
                       struct token_waiter *waiter)
{
    struct fetch *fetch = strmap_get(&source->fetches, request->key);
    if (!fetch) {
        fetch = xcalloc(1, sizeof(*fetch));
        *fetch = (struct fetch){.job = {.start = start, .refuse = refuse, .kind = REGISTRY_TOKEN},
                                .source = source,
                                .host = request->host,
                                .repository = request->repository,
                                .credential = request->credential,
                                .key = xstrdup(request->key),
                                .scope = xstrdup(request->scope),
                                .requests = request->requests};
        strmap_set(&source->fetches, request->key, fetch);
        registry_host_enter(request->host, &fetch->job, true);
    }
    waiter->next = fetch->waiters;
    fetch->waiters = waiter;
}
