/*
 * A round's report as metrics, for serve.
 */
#ifndef DAEMON_ROUND_METRICS_H
#define DAEMON_ROUND_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/metrics.h"
#include "daemon/round.h"

/* What a repository has put into the gauge that all repositories share. */
struct round_metrics {
    double applied, failed;
};

/* `status` is round_run's. */
void round_metrics_record(struct round_metrics *last, struct metrics *metrics, const char *repository,
                          const struct round_report *report, int status, int64_t duration_ms);

#endif
