/*
 * What the listener answers at which path:
 *
 *     GET  /healthz               200 while the daemon works (daemon/health.h), else 503
 *     GET  /readyz                200 once every git repository has been fetched, else 503
 *     GET  /metrics               Prometheus text
 *     POST /hook/SOURCE/KEY       a registry tells of a push (daemon/webhooks.h); 404 without keys
 *
 * Anything else is 404 with an error in the form of Flux v1's API. All run on the listener's thread.
 */
#ifndef DAEMON_ENDPOINTS_H
#define DAEMON_ENDPOINTS_H

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "daemon/health.h"
#include "daemon/listener.h"
#include "daemon/metrics.h"
#include "daemon/scan_thread.h"
#include "daemon/webhooks.h"

struct endpoints {
    struct metrics *metrics;
    struct health *health;
    struct scan_thread *scans;
    struct webhooks *hooks;
};

/* Listens; `endpoints` must live until listener_close. NULL as listener_open. */
struct listener *endpoints_open(struct endpoints *endpoints, const char *address, const struct clock *clock,
                                struct error *err) MUST_CHECK;

#endif
