/*
 * What every command that works with registries opens first: cache, credentials, scanner, and the times at which tags
 * were first seen, which any thread may use. The rest belongs to the thread that scans.
 */
#ifndef DAEMON_SESSION_H
#define DAEMON_SESSION_H

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "cache/cache.h"
#include "daemon/config.h"
#include "daemon/docker_config.h"
#include "daemon/first_seen.h"
#include "scanner/scanner.h"

struct session {
    struct cache *cache;
    struct docker_config *docker_config;
    struct scanner *scanner;
    struct first_seen *first_seen;
};
#define SESSION_INIT                                                                                         \
    {                                                                                                        \
        0                                                                                                    \
    }

/* ERROR_IO or ERROR_USAGE from the cache, ERROR_INVALID from a Docker config file, ERROR_NOT_FOUND if the one
 * that --docker-config names is not there, ERROR_UNAUTHORIZED if --registry-require is not met (a missing default one is no error). */
int session_open(struct session *session, const struct config *config, const struct clock *clock,
                 struct error *err) MUST_CHECK;
void session_close(struct session *session);

#endif
