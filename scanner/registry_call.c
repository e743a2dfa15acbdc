/*
 * A call is a question on its way:
 *
 *     waits in its host's queue ─▶ in flight ─▶ answered
 *               ▲                    │ 401, or https not spoken
 *               └── token ◀──────────┘
 */
#include "scanner/registry_call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "scanner/provider.h"
#include "scanner/registry_status.h"

struct call {
    struct registry_job job; /* first, so that a job is a call */
    struct token_waiter waiter;
    struct registry_calls *calls;
    struct registry_host *host;
    struct registry_question question;
    char *target, *scope, *token_key;
    bool use_http, tried_both;            /* while the host's scheme is unknown */
    struct error https_error, http_error; /* what each said, if it was tried and is not spoken */
    bool sent_basic, sent_token, has_new_token;
    registry_answer answer;
    void *context;
};

/* -- the end of a call ----------------------------------------------------------------------------------- */

static void finish(struct call *call, struct http_response *response, const struct error *err)
{
    registry_answer answer = call->answer;
    void *context = call->context;
    call->calls->open--;
    free(call->target);
    free(call->scope);
    free(call->token_key);
    free(call);
    answer(response, err, context);
}

static void refuse(struct registry_job *job, const struct error *err)
{
    finish((struct call *)job, NULL, err);
}

static void PRINTF_LIKE(2, 3) add_text(struct error *err, const char *format, ...)
{
    size_t used = strlen(err->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->text + used, sizeof(err->text) - used, format, arguments);
    va_end(arguments);
}

static void advise_on_timeout(struct error *err)
{
    if (err->code == ERROR_TIMEOUT)
        add_text(err, "; is it overloaded? A request may take as long as --registry-timeout says");
}

static bool ends_with_line_break(const char *text)
{
    size_t len = text ? strlen(text) : 0;
    return len && (text[len - 1] == '\n' || text[len - 1] == '\r');
}

static void advise_on_refusal(const struct call *call, struct error *err)
{
    const struct credential *credential = call->question.credential;
    const struct provider *provider = provider_of(call->host->name);
    if (!credential->username && !credential->identity_token)
        add_text(err, "; there are no credentials for %s: %s%s", call->question.repository,
                 provider ? "log in, or give pawl an identity at " : "log in",
                 provider ? provider->name : "");
    else
        add_text(err, "; check the credentials%s%s for %s", credential->username ? " of user " : "",
                 credential->username ? credential->username : "", call->question.repository);
    if (ends_with_line_break(credential->password))
        add_text(err, ": the password ends with a line break, which `echo` adds and `printf %%s` does not");
}

/* `err` is not the call's own: that ends here. */
static void fail(struct call *call, struct error *err)
{
    if (err->code == ERROR_TLS && !call->host->is_insecure)
        add_text(err, "; --registry-insecure-host=%s takes any certificate, and plain http",
                 call->host->address);
    advise_on_timeout(err);
    finish(call, NULL, err);
}

static void fail_unauthorized(struct call *call, struct http_response *response)
{
    struct error err = ERROR_INIT;
    registry_status_error(response, 0, &err);
    advise_on_refusal(call, &err);
    finish(call, NULL, &err);
}

/* -- sending --------------------------------------------------------------------------------------------- */

static void on_token(struct token_waiter *waiter, const struct error *err)
{
    struct call *call = (struct call *)((char *)waiter - offsetof(struct call, waiter));
    if (err) {
        struct error told = *err;
        advise_on_timeout(&told);
        if (told.code == ERROR_UNAUTHORIZED)
            advise_on_refusal(call, &told);
        finish(call, NULL, &told);
        return;
    }
    call->has_new_token = true;
    registry_host_enter(call->host, &call->job, true);
}

static void want_token(struct call *call)
{
    call->waiter = (struct token_waiter){.ready = on_token};
    token_source_want(&call->calls->tokens,
                      &(struct token_request){.host = call->host,
                                              .credential = call->question.credential,
                                              .key = call->token_key,
                                              .scope = call->scope,
                                              .requests = call->question.requests},
                      &call->waiter);
}

static void on_answer(struct http_response *response, const struct error *err, void *context);

static void send_request(struct call *call, const char *authorization)
{
    bool is_unknown = call->host->scheme == REGISTRY_SCHEME_UNKNOWN;
    bool is_plain = is_unknown ? call->use_http : call->host->scheme == REGISTRY_HTTP;
    AUTO_FREE char *url =
        xasprintf("%s://%s%s", is_plain ? "http" : "https", call->host->address, call->target);
    struct http_header headers[4] = {{NULL, NULL}};
    size_t len = 0;
    if (call->question.accept)
        headers[len++] = (struct http_header){"Accept", call->question.accept};
    if (call->question.if_none_match)
        headers[len++] = (struct http_header){"If-None-Match", call->question.if_none_match};
    if (call->question.if_modified_since)
        headers[len++] = (struct http_header){"If-Modified-Since", call->question.if_modified_since};
    registry_job_send(&call->job, clock_monotonic_ms(call->calls->clock));
    (*call->question.requests)++;
    http_start(call->calls->client,
               &(struct http_request){.method = call->question.method,
                                      .url = url,
                                      .headers = headers,
                                      .authorization = authorization,
                                      .tls = &call->host->tls,
                                      .max_body = call->question.max_body,
                                      .timeout_ms = call->calls->timeout_ms,
                                      .follow_redirects = true},
               on_answer, call);
}

/* The host has a place for it. It is given back at once if a token must be had first. */
static void start(struct registry_job *job)
{
    struct call *call = (struct call *)job;
    struct registry_calls *calls = call->calls;
    enum auth_scheme scheme = call->host->challenge.scheme;
    AUTO_FREE char *basic = scheme == AUTH_BASIC ? credential_basic(call->question.credential) : NULL;
    const char *token = NULL;
    if (scheme == AUTH_BEARER) {
        token = token_store_get(&calls->tokens.store, call->token_key, clock_monotonic_ms(calls->clock));
        if (!token) {
            registry_host_leave(call->host);
            want_token(call);
            return;
        }
    }
    call->sent_basic = basic != NULL;
    call->sent_token = token != NULL;
    send_request(call, basic ? basic : token);
    if (basic)
        explicit_bzero(basic, strlen(basic));
}

/* -- answers --------------------------------------------------------------------------------------------- */

/* Asks a host whose scheme is not known yet once more, in the other one; false if that was done. */
static bool try_other_scheme(struct call *call, const struct error *err)
{
    if (call->use_http)
        call->http_error = *err;
    else
        call->https_error = *err;
    if (call->tried_both)
        return false;
    call->tried_both = true;
    call->use_http = !call->use_http;
    registry_host_enter(call->host, &call->job, true);
    return true;
}

/* It took our plain request, and said nothing of use to TLS: what is wrong is that it hangs. */
static bool is_plain_and_hangs(const struct call *call)
{
    return call->http_error.code == ERROR_TIMEOUT && call->https_error.code == ERROR_TLS;
}

static void on_failure(struct call *call, const struct error *err)
{
    bool is_unknown = call->host->scheme == REGISTRY_SCHEME_UNKNOWN && err->code != ERROR_CANCELLED;
    if (is_unknown && registry_host_may_speak_other(call->host, err->code) && try_other_scheme(call, err))
        return;
    struct error told = is_unknown && call->https_error.code ? call->https_error : *err;
    if (is_unknown && is_plain_and_hangs(call)) {
        told = call->http_error;
        add_text(&told, "; https is not spoken there");
    }
    fail(call, &told);
}

static void on_unauthorized(struct call *call, struct http_response *response)
{
    struct auth_challenge challenge;
    auth_challenge_parse(http_header_list(response, "WWW-Authenticate"), &challenge);
    bool can_answer =
        challenge.scheme == AUTH_BEARER
            ? !call->has_new_token
            : challenge.scheme == AUTH_BASIC && call->question.credential->username && !call->sent_basic;
    if (!can_answer) {
        auth_challenge_release(&challenge);
        fail_unauthorized(call, response);
        return;
    }
    auth_challenge_release(&call->host->challenge);
    call->host->challenge = challenge;
    if (challenge.scheme == AUTH_BASIC) {
        registry_host_enter(call->host, &call->job, true);
        return;
    }
    if (challenge.scope && *challenge.scope) {
        free(call->scope);
        call->scope = xstrdup(challenge.scope);
    }
    if (call->sent_token)
        token_store_forget(&call->calls->tokens.store, call->token_key);
    want_token(call);
}

/* A TLS server's answer to plain http. A registry says 400, too (to a page size, say), but in its own way. */
static bool is_of_tls_server(struct http_response *response)
{
    const char *body = response->body.buf + strspn(response->body.buf, " \t\r\n");
    return response->status == 400 && *body != '{' &&
           !http_header(response, "Docker-Distribution-Api-Version");
}

static void on_response(struct call *call, struct http_response *response)
{
    const struct clock *clock = call->calls->clock;
    struct error err = ERROR_INIT;
    bool is_unknown = call->host->scheme == REGISTRY_SCHEME_UNKNOWN;
    if (is_unknown && call->use_http && is_of_tls_server(response)) {
        /* what https says counts */
        if (try_other_scheme(call, &call->https_error))
            return;
        err = call->https_error;
        fail(call, &err);
        return;
    }
    if (is_unknown)
        call->host->scheme = call->use_http ? REGISTRY_HTTP : REGISTRY_HTTPS;
    bool is_unchanged =
        response->status == 304 && (call->question.if_none_match || call->question.if_modified_since);
    if (response->status / 100 == 2 || is_unchanged) {
        finish(call, response, NULL);
    } else if (response->status == 401) {
        on_unauthorized(call, response);
    } else {
        registry_status_error(response, clock_wall_ms(clock), &err);
        finish(call, NULL, &err);
    }
}

/* It told us no more than that the host does not speak this scheme. */
static bool is_probe(const struct call *call, struct http_response *response)
{
    return call->host->scheme == REGISTRY_SCHEME_UNKNOWN &&
           (!response || (call->use_http && is_of_tls_server(response)));
}

static void on_answer(struct http_response *response, const struct error *err, void *context)
{
    struct call *call = context;
    struct registry_host *host = call->host;
    const struct clock *clock = call->calls->clock;
    struct registry_job sent = call->job;
    if (is_probe(call, response))
        sent.kind = REGISTRY_PING;
    registry_host_answered(host, &sent, response, clock_monotonic_ms(clock), clock_wall_ms(clock));
    if (err)
        on_failure(call, err);
    else
        on_response(call, response);
    registry_host_resume(host);
}

void registry_call_start(struct registry_calls *calls, const struct registry_call_options *options,
                         const struct registry_question *question, registry_answer answer, void *context)
{
    struct call *call = xcalloc(1, sizeof(*call));
    const char *path = question->repository + strcspn(question->repository, "/");
    call->calls = calls;
    call->host = options->host;
    call->job = (struct registry_job){.start = start,
                                      .refuse = refuse,
                                      .kind = question->kind,
                                      .is_head = question->method && !strcmp(question->method, "HEAD"),
                                      .quota = options->quota};
    call->question = *question;
    call->target = xstrdup(question->target);
    call->scope = xasprintf("repository:%s:pull", path + (*path == '/'));
    call->token_key = xasprintf("%s\n%s", question->repository, options->identity);
    call->answer = answer;
    call->context = context;
    call->use_http = registry_host_begins_plain(call->host);
    calls->open++;
    registry_host_enter(call->host, &call->job, false);
}
