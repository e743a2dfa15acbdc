/*
 * What the scanner counted of each registry host, as metrics: requests by kind and outcome, bytes, time, the budget and
 * what is left of a quota.
 */
#ifndef DAEMON_REGISTRY_METRICS_H
#define DAEMON_REGISTRY_METRICS_H

#include "daemon/metrics.h"
#include "scanner/scanner.h"

/* On the scanner's thread. */
void registry_metrics_take(struct metrics *metrics, struct scanner *scanner);

#endif
