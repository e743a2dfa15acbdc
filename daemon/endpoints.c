#include "daemon/endpoints.h"

#include <string.h>

#include "base/alloc.h"

#define TEXT "text/plain; charset=utf-8"

struct route {
    const char *path; /* one that ends with "/" stands for all that begin so */
    const char *methods;
    bool (*admit)(const struct endpoints *e, const struct listener_call *call, size_t *max_body,
                  struct listener_reply *reply); /* NULL: every call, without a body */
    void (*answer)(const struct endpoints *e, const struct listener_call *call, struct listener_reply *reply);
};

static void answer_health(const struct endpoints *e, const struct listener_call *call UNUSED,
                          struct listener_reply *reply)
{
    reply->type = TEXT;
    reply->status = health_is_alive(e->health, &reply->body) ? 200 : 503;
}

static void answer_ready(const struct endpoints *e, const struct listener_call *call UNUSED,
                         struct listener_reply *reply)
{
    reply->type = TEXT;
    reply->status = health_is_ready(e->health, &reply->body) ? 200 : 503;
}

static void answer_metrics(const struct endpoints *e, const struct listener_call *call UNUSED,
                           struct listener_reply *reply)
{
    CLEANUP(strbuf_release) struct strbuf why = STRBUF_INIT;
    metrics_set(e->metrics, METRIC_GIT_READY, NULL, health_is_ready(e->health, &why));
    metrics_set(e->metrics, METRIC_BUILD_INFO, METRIC_LABELS(PAWL_VERSION), 1);
    scan_thread_measure(e->scans);
    reply->type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_write(e->metrics, &reply->body);
}

static bool admit_hook(const struct endpoints *e, const struct listener_call *call, size_t *max_body,
                       struct listener_reply *reply)
{
    return webhooks_admit(e->hooks, call, max_body, reply);
}

static void answer_hook(const struct endpoints *e, const struct listener_call *call,
                        struct listener_reply *reply)
{
    webhooks_answer(e->hooks, call, reply);
}

#define METRICS_PATH "/metrics"

static const struct route routes[] = {
    {.path = "/healthz", .methods = "GET, HEAD", .answer = answer_health},
    {.path = "/readyz", .methods = "GET, HEAD", .answer = answer_ready},
    {.path = METRICS_PATH, .methods = "GET, HEAD", .answer = answer_metrics},
    {.path = WEBHOOKS_PATH, .methods = "POST", .admit = admit_hook, .answer = answer_hook},
};

static bool is_in(enum endpoint_set set, const struct route *route)
{
    bool is_metrics = !strcmp(route->path, METRICS_PATH);
    return set == ENDPOINTS_ALL || is_metrics == (set == ENDPOINTS_METRICS);
}

static const struct route *find(const struct endpoints *e, const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        bool is_prefix = str_ends_with(routes[i].path, "/");
        if (!is_in(e->set, &routes[i]))
            continue;
        if (is_prefix ? str_starts_with(path, routes[i].path) : !strcmp(path, routes[i].path))
            return &routes[i];
    }
    return NULL;
}

/* One of "GET, HEAD" as a whole word. */
static bool has_method(const char *methods, const char *method)
{
    size_t len = strlen(method);
    for (const char *at = methods; at; at = strstr(at, ", ") ? strstr(at, ", ") + 2 : NULL) {
        if (!strncmp(at, method, len) && (at[len] == ',' || !at[len]))
            return true;
    }
    return false;
}

static bool admit(const struct listener_call *call, size_t *max_body, struct listener_reply *reply,
                  void *context)
{
    const struct route *route = find(context, call->path);
    if (!route) {
        listener_reply_error(reply, 404, "API endpoint not found");
        return false;
    }
    if (!has_method(route->methods, call->method)) {
        listener_reply_error(reply, 405, "%s takes %s", route->path, route->methods);
        reply->allow = route->methods;
        return false;
    }
    return !route->admit || route->admit(context, call, max_body, reply);
}

static void answer(const struct listener_call *call, struct listener_reply *reply, void *context)
{
    find(context, call->path)->answer(context, call, reply);
}

struct listener *endpoints_open(struct endpoints *endpoints, const char *address, const struct clock *clock,
                                struct error *err)
{
    return listener_open(
        &(struct listener_options){
            .address = address, .clock = clock, .admit = admit, .answer = answer, .context = endpoints},
        err);
}
