#include "daemon/session.h"

#include "base/alloc.h"

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
