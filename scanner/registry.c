#include "scanner/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strmap.h"
#include "scanner/registry_call.h"
#include "scanner/registry_host.h"

struct registry {
    struct registry_options options;
    struct registry_calls calls;
    struct strmap hosts; /* name -> struct registry_host */
    bool is_cancelled;
};

static int64_t dispatch(struct registry *registry, struct registry_host *host)
{
    return registry_host_dispatch(host, clock_monotonic_ms(registry->options.clock));
}

/* Called while the client runs: a wait for the rate limit is registry_run's to keep. */
static void resume(struct registry_host *host, void *context)
{
    struct registry *registry = context;
    if (!registry->is_cancelled && dispatch(registry, host) >= 0)
        http_client_wake(registry->calls.client);
}

struct registry *registry_new(const struct registry_options *options)
{
    struct registry *registry = xcalloc(1, sizeof(*registry));
    registry->options = *options;
    registry->calls.clock = options->clock;
    registry->calls.timeout_ms = options->timeout_ms;
    registry->calls.client = http_client_new(&(struct http_client_options){.observer = options->observer});
    strmap_init(&registry->hosts, registry_host_free);
    token_source_init(&registry->calls.tokens, &registry->calls.client, options->clock, options->timeout_ms);
    return registry;
}

void registry_free(struct registry *registry)
{
    if (!registry)
        return;
    http_client_free(registry->calls.client);
    token_source_release(&registry->calls.tokens);
    strmap_release(&registry->hosts);
    free(registry);
}

static struct registry_host *find_host(struct registry *registry, const char *repository)
{
    AUTO_FREE char *name = xmemdupz(repository, strcspn(repository, "/"));
    struct registry_host *host = strmap_get(&registry->hosts, name);
    if (host)
        return host;
    const struct registry_options *o = &registry->options;
    host = registry_host_new(name, o->insecure_hosts, o->rps, o->burst, clock_monotonic_ms(o->clock));
    host->resume = resume;
    host->context = registry;
    strmap_set(&registry->hosts, name, host);
    return host;
}

static struct rate_quota *find_quota(struct registry *registry, struct registry_host *host,
                                     const char *identity)
{
    return registry_host_quota(host, identity, clock_monotonic_ms(registry->options.clock));
}

bool registry_counts_manifests(struct registry *registry, const char *repository,
                               const struct credential *credential)
{
    AUTO_FREE char *identity = credential_identity(credential);
    const struct rate_quota *quota = find_quota(registry, find_host(registry, repository), identity);
    return rate_quota_counts(quota, REGISTRY_MANIFEST);
}

void registry_ask(struct registry *registry, const struct registry_question *question, registry_answer answer,
                  void *context)
{
    AUTO_FREE char *identity = credential_identity(question->credential);
    struct registry_host *host = find_host(registry, question->repository);
    const struct registry_call_options options = {
        .host = host, .quota = find_quota(registry, host, identity), .identity = identity};
    registry_call_start(&registry->calls, &options, question, answer, context);
}

/* Starts what may start; the milliseconds until more may, or -1. `in_flight` counts what waits for an answer. */
static int64_t dispatch_all(struct registry *registry, size_t *in_flight)
{
    int64_t next_ms = -1;
    const char *name;
    void *value;
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    *in_flight = 0;
    while (strmap_next(&registry->hosts, &cursor, &name, &value)) {
        struct registry_host *host = value;
        int64_t wait_ms = dispatch(registry, host);
        if (wait_ms >= 0 && (next_ms < 0 || wait_ms < next_ms))
            next_ms = wait_ms;
        *in_flight += host->in_flight;
    }
    return next_ms;
}

void registry_run(struct registry *registry, int64_t timeout_ms)
{
    size_t in_flight;
    int64_t next_ms = dispatch_all(registry, &in_flight);
    int64_t wait_ms = next_ms >= 0 && (timeout_ms < 0 || next_ms < timeout_ms) ? next_ms : timeout_ms;
    if (in_flight)
        http_client_run(registry->calls.client, wait_ms);
    else if (wait_ms)
        http_client_sleep(registry->calls.client, wait_ms);
}

void registry_visit_stats(struct registry *registry, registry_stats_visit visit, void *context)
{
    const struct clock *clock = registry->options.clock;
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *name;
    void *host;
    while (strmap_next(&registry->hosts, &cursor, &name, &host)) {
        const struct registry_host_stats stats =
            registry_host_stats_now(host, clock_monotonic_ms(clock), clock_wall_ms(clock));
        visit(&stats, context);
    }
}

void registry_wake(struct registry *registry)
{
    http_client_wake(registry->calls.client);
}

void registry_cancel(struct registry *registry)
{
    struct error err = ERROR_INIT;
    error_set(&err, ERROR_CANCELLED, "the scan was ended early");
    registry->is_cancelled = true;
    while (registry->calls.open) {
        http_client_cancel(registry->calls.client);
        const char *name;
        void *host;
        struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
        while (strmap_next(&registry->hosts, &cursor, &name, &host))
            registry_host_refuse_all(host, &err);
    }
    registry->is_cancelled = false;
}
