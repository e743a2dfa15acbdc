/*
 * What the listener answers at which path:
 *
 *     GET  /healthz               200 while the daemon works (daemon/health.h), else 503
 *     GET  /readyz                200 once every git repository has been fetched, else 503
 *     GET  /metrics               Prometheus text
 *     POST /hook/SOURCE/KEY       a registry tells of a push (daemon/webhooks.h); 404 without keys
 *
 * With --listen-metrics a second listener has /metrics alone, and the first has all else. Anything else is 404 with an error in the form of Flux v1's API. All run on the listener's thread.
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

/* Which of them one listener answers. */
enum endpoint_set { ENDPOINTS_ALL, ENDPOINTS_METRICS, ENDPOINTS_BUT_METRICS };

struct endpoints {
    enum endpoint_set set;
    struct metrics *metrics;
    struct health *health;
    struct scan_thread *scans;
    struct webhooks *hooks;
};

/* Listens; `endpoints` must live until listener_close. NULL as listener_open. */
struct listener *endpoints_open(struct endpoints *endpoints, const char *address, const struct clock *clock,
                                struct error *err) MUST_CHECK;

#endif
