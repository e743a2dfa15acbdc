/*
 * A round's report as log lines, for serve: what was decided, pushed and applied, each problem once until it
 * changes.
 */
#ifndef DAEMON_ROUND_LOG_H
#define DAEMON_ROUND_LOG_H

#include "base/error.h"
#include "base/strmap.h"
#include "daemon/repository.h"
#include "daemon/round.h"

/* What a repository's log has said already, so that a standing problem does not fill it. */
struct round_log {
    char head[GIT_ID_SIZE];
    struct strmap said; /* lines of the last round */
};
void round_log_init(struct round_log *log);
void round_log_release(struct round_log *log);

void round_log_write(struct round_log *log, const struct repository *repository,
                     const struct round_report *report, const struct error *failure);

#endif
