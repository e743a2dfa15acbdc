/*
 * Stateless: each of libgit2's actions is one request (gitprotocol-http(5)). What it writes is gathered, and
 * the request starts when it begins to read. Credentials go to the URL's origin alone: requests follow no
 * redirect but that of the first one, and that only within the origin.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/http.h"
#include "base/limits.h"
#include "git/http_credential.h"
#include "git/transport.h"

struct channel {
    git_smart_subtransport parent;
    struct transport *transport;
};

struct exchange {
    git_smart_subtransport_stream parent;
    struct transport *transport;
    git_smart_service_t service;
    struct strbuf body;
    struct http_stream *response; /* NULL until the first read */
    size_t received;
};

/* What each service of the smart protocol is in HTTP. */
static const struct service {
    git_smart_service_t service;
    const char *path, *method, *sends, *answers;
} services[] = {
    {GIT_SERVICE_UPLOADPACK_LS, "/info/refs?service=git-upload-pack", "GET", NULL,
     "application/x-git-upload-pack-advertisement"},
    {GIT_SERVICE_UPLOADPACK, "/git-upload-pack", "POST", "application/x-git-upload-pack-request",
     "application/x-git-upload-pack-result"},
    {GIT_SERVICE_RECEIVEPACK_LS, "/info/refs?service=git-receive-pack", "GET", NULL,
     "application/x-git-receive-pack-advertisement"},
    {GIT_SERVICE_RECEIVEPACK, "/git-receive-pack", "POST", "application/x-git-receive-pack-request",
     "application/x-git-receive-pack-result"},
};

static const struct service *service_of(git_smart_service_t service)
{
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        if (services[i].service == service)
            return &services[i];
    }
    abort();
}

static bool is_listing(git_smart_service_t service)
{
    return service == GIT_SERVICE_UPLOADPACK_LS || service == GIT_SERVICE_RECEIVEPACK_LS;
}

/* -- one request ---------------------------------------------------------------------------------------- */

static struct http_stream *request(const struct exchange *e, struct error *err)
{
    struct transport *t = e->transport;
    const struct service *service = service_of(e->service);
    AUTO_FREE char *url = xasprintf("%s%s", t->http_base ? t->http_base : t->url->base, service->path);
    const char *ca_file = getenv("GIT_SSL_CAINFO");
    const struct http_tls tls = {.ca_file = ca_file && *ca_file ? ca_file : NULL};
    const struct http_header headers[] = {
        {"Accept", service->answers},
        {service->sends ? "Content-Type" : "Cache-Control", service->sends ? service->sends : "no-cache"},
        {NULL, NULL},
    };
    const struct http_request r = {
        .method = service->method,
        .url = url,
        .headers = headers,
        .authorization = t->authorization,
        .body = service->sends ? e->body.buf : NULL,
        .body_len = service->sends ? e->body.len : 0,
        .tls = &tls,
        .timeout_ms = service->sends ? LIMIT_GIT_TRANSFER_MS : t->timeout_ms,
    };
    return http_stream_open(t->http, &r, err);
}

static void forget_authorization(struct transport *t)
{
    if (t->authorization)
        explicit_bzero(t->authorization, strlen(t->authorization));
    free(steal(&t->authorization));
}

/* -- answers that are not the one we want ---------------------------------------------------------------- */

/* 401: once more with what the credential helpers know, if that is not what was refused. */
static int authorize(struct transport *t, bool *has_asked, struct error *err)
{
    if (t->url->password || *has_asked)
        return error_set(err, ERROR_UNAUTHORIZED, "%s refused the user and password %s", t->url->shown,
                         t->url->password ? "of the URL" : "that git's credential helper gave");
    forget_authorization(t);
    *has_asked = true;
    t->authorization = http_credential_of_helpers(t->url, t->timeout_ms, err);
    return t->authorization ? 0 : -1;
}

/* The absolute form of a Location that stays within the origin, else NULL. */
static char *resolve_within(const char *base, const char *location)
{
    AUTO_FREE char *origin = http_origin(base);
    if (location[0] == '/' && location[1] != '/') {
        size_t authority = strcspn(strstr(base, "://") + 3, "/") + (size_t)(strstr(base, "://") + 3 - base);
        return xasprintf("%.*s%s", (int)authority, base, location);
    }
    AUTO_FREE char *other = http_origin(location);
    return origin && other && !strcmp(origin, other) ? xstrdup(location) : NULL;
}

/* A repository that moved within its origin ("repo" to "repo.git"): later requests go to the new place. */
static int follow(struct transport *t, const struct service *service, const char *location, struct error *err)
{
    const char *base = t->http_base ? t->http_base : t->url->base;
    AUTO_FREE char *target = location ? resolve_within(base, location) : NULL;
    if (!target || strchr(target, '@') || !str_ends_with(target, service->path))
        return error_set(err, ERROR_NETWORK, "%s redirects to %.*s: if that is the repository, use its URL",
                         t->url->shown, location ? (int)strcspn(location, "?") : 7,
                         location ? location : "nowhere");
    free(t->http_base);
    t->http_base = xmemdupz(target, strlen(target) - strlen(service->path));
    return 0;
}

static const struct {
    int status;
    enum error_code code;
    const char *text;
} refusals[] = {
    {403, ERROR_FORBIDDEN, "refused: may this user read it, and push to it?"},
    {404, ERROR_NOT_FOUND, "there is no such repository, or this user may not see it"},
    {407, ERROR_UNAUTHORIZED, "the proxy asks for a user and password: put them into https_proxy"},
    {410, ERROR_NOT_FOUND, "the repository is gone"},
    {429, ERROR_RATE_LIMITED, "the host asks to slow down"},
};

static int refuse(const struct transport *t, int status, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        if (refusals[i].status == status)
            return error_set(err, refusals[i].code, "%s: %s (HTTP status %d)", t->url->shown,
                             refusals[i].text, status);
    }
    return error_set(err, ERROR_NETWORK, "%s answered with HTTP status %d%s", t->url->shown, status,
                     status >= 500 ? ": the host has a problem, try later" : "");
}

static int check_type(const struct transport *t, const struct service *service, struct http_stream *response,
                      struct error *err)
{
    const char *type = http_stream_header(response, "Content-Type");
    size_t len = type ? strcspn(type, "; ") : 0;
    if (type && len == strlen(service->answers) && !strncasecmp(type, service->answers, len))
        return 0;
    return error_set(err, ERROR_NOT_FOUND,
                     "%s answers with %.*s and not in git's protocol: is it the URL of a "
                     "repository?",
                     t->url->shown, len && len < 100 ? (int)len : 8, len && len < 100 ? type : "no type");
}

/* "the option for this server", in the client's words. */
static void name_our_option(struct error *err)
{
    size_t used = strlen(err->text);
    if (err->code == ERROR_TLS)
        snprintf(err->text + used, sizeof(err->text) - used, ", for git GIT_SSL_CAINFO");
}

/* Sends the request until its answer is the one we want; NULL if that is not to be had. */
static struct http_stream *ask(struct exchange *e, struct error *err)
{
    struct transport *t = e->transport;
    const struct service *service = service_of(e->service);
    bool has_asked = false;
    for (int redirects = 0; redirects <= LIMIT_REDIRECTS;) {
        struct http_stream *response = request(e, err);
        if (!response) {
            name_our_option(err);
            return NULL;
        }
        int status = http_stream_status(response);
        int result = -1;
        if (status == 200) {
            result = check_type(t, service, response, err);
            if (result == 0)
                return response;
        } else if (status == 401) {
            result = authorize(t, &has_asked, err);
        } else if (status >= 301 && status <= 308 && is_listing(e->service)) {
            result = follow(t, service, http_stream_header(response, "Location"), err);
            redirects++;
        } else {
            refuse(t, status, err);
        }
        http_stream_close(response);
        if (result < 0)
            return NULL;
    }
    error_set(err, ERROR_NETWORK, "%s redirects more than %d times", t->url->shown, LIMIT_REDIRECTS);
    return NULL;
}

/* -- what libgit2 calls ---------------------------------------------------------------------------------- */

static struct exchange *of_stream(git_smart_subtransport_stream *stream)
{
    return (struct exchange *)((char *)stream - offsetof(struct exchange, parent));
}

static int stream_read(git_smart_subtransport_stream *stream, char *buffer, size_t size, size_t *got)
{
    struct exchange *e = of_stream(stream);
    struct error err = ERROR_INIT;
    *got = 0;
    if (!e->response)
        e->response = ask(e, &err);
    ssize_t read = e->response ? http_stream_read(e->response, buffer, size, &err) : -1;
    if (read < 0)
        return transport_failed(e->transport, &err);
    e->received += (size_t)read;
    if (is_listing(e->service) && e->received > LIMIT_GIT_REF_ADVERT_BYTES) {
        error_set(&err, ERROR_TOO_LARGE, "the remote's list of refs is larger than %u bytes",
                  LIMIT_GIT_REF_ADVERT_BYTES);
        return transport_failed(e->transport, &err);
    }
    *got = (size_t)read;
    return 0;
}

static int stream_write(git_smart_subtransport_stream *stream, const char *bytes, size_t len)
{
    strbuf_add(&of_stream(stream)->body, bytes, len);
    return 0;
}

static void stream_free(git_smart_subtransport_stream *stream)
{
    struct exchange *e = of_stream(stream);
    http_stream_close(e->response);
    strbuf_release(&e->body);
    free(e);
}

static int channel_action(git_smart_subtransport_stream **out, git_smart_subtransport *subtransport,
                          const char *url UNUSED, git_smart_service_t service)
{
    struct exchange *e = xcalloc(1, sizeof(*e));
    e->parent = (git_smart_subtransport_stream){subtransport, stream_read, stream_write, stream_free};
    e->transport = ((struct channel *)((char *)subtransport - offsetof(struct channel, parent)))->transport;
    e->service = service;
    strbuf_init(&e->body, 0);
    *out = &e->parent;
    return 0;
}

static int channel_close(git_smart_subtransport *subtransport UNUSED)
{
    return 0;
}

static void channel_free(git_smart_subtransport *subtransport)
{
    free((char *)subtransport - offsetof(struct channel, parent));
}

int transport_http_new(git_smart_subtransport **out, git_transport *owner UNUSED, void *param)
{
    struct transport *t = param;
    struct channel *c = xcalloc(1, sizeof(*c));
    c->parent = (git_smart_subtransport){channel_action, channel_close, channel_free};
    c->transport = t;
    if (!t->http)
        t->http = http_client_new(NULL);
    if (!t->authorization)
        t->authorization = http_credential_of_url(t->url);
    *out = &c->parent;
    return 0;
}
