#include "daemon/session.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "scanner/provider.h"

static int check_providers(const struct strvec *names, struct error *err)
{
    for (size_t i = 0; i < names->len; i++) {
        if (provider_require(names->items[i], err) < 0)
            return error_wrap(err, "--registry-require %s", names->items[i]);
    }
    return 0;
}

static void log_exchange(const struct http_exchange *exchange, void *context UNUSED)
{
    AUTO_FREE char *status = exchange->status ? xasprintf("%d", exchange->status) : NULL;
    AUTO_FREE char *bytes = exchange->status ? xasprintf("%zu", exchange->bytes) : NULL;
    AUTO_FREE char *took = xasprintf("%" PRId64, exchange->took_ms);
    log_event(LOG_INFO, "registry", "event", "request", "method", exchange->method, "url", exchange->url,
              "status", status, "bytes", bytes, "ms", took, "err",
              exchange->error ? exchange->error->text : NULL, NULL);
}

int session_open(struct session *session, const struct config *config, const struct clock *clock,
                 struct error *err)
{
    *session = (struct session)SESSION_INIT;
    AUTO_FREE char *spec = config_cache_spec(config);
    session->cache = cache_open(spec, config->data_dir, config->memcached_timeout_ms, err);
    if (!session->cache)
        return error_wrap(err, "--cache");
    cache_time(session->cache, clock);
    session->docker_config = docker_config_open(config->docker_config, clock, err);
    if (!session->docker_config)
        return -1;
    if (check_providers(&config->registry_require, err) < 0)
        return -1;
    const struct scanner_options options = {
        .cache = session->cache,
        .credentials = docker_config_credentials(session->docker_config),
        .clock = clock,
        .platform = config->platform,
        .insecure_hosts = &config->insecure_hosts,
        .rps = (double)config->registry_rps,
        .burst = (double)config->registry_burst,
        .tag_limit = (size_t)config->registry_tag_limit,
        .timeout_ms = config->registry_timeout_ms,
        .observer = config->registry_trace ? log_exchange : NULL,
    };
    session->scanner = scanner_new(&options);
    session->first_seen = first_seen_new(config->data_dir, clock);
    return 0;
}

void session_close(struct session *session)
{
    first_seen_free(session->first_seen);
    scanner_free(session->scanner);
    docker_config_free(session->docker_config);
    cache_free(session->cache);
    *session = (struct session)SESSION_INIT;
}
