/*
 * Whether the daemon works: what /healthz and /readyz answer.
 *
 * Alive: the scanner's thread came round within HEALTH_SCANNER_MS, and no round runs longer than HEALTH_ROUND_MS.
 * Only a bug makes these false (all that rounds wait for has deadlines of its own), and a restart is then the cure.
 * A registry, a git host or a cluster that is down leaves pawl alive: a restart would not mend it.
 *
 * Ready: every git repository has been fetched once. (The cache is open, or serve would not have started.)
 *
 * From any thread.
 */
#ifndef DAEMON_HEALTH_H
#define DAEMON_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/strbuf.h"

/* The scanner's thread wakes at least every HEALTH_BEAT_MS. */
#define HEALTH_BEAT_MS    INT64_C(30000)
#define HEALTH_SCANNER_MS (10 * HEALTH_BEAT_MS)
/* A first clone may take LIMIT_GIT_TRANSFER_MS, an hour, and the apply that follows as long again. */
#define HEALTH_ROUND_MS INT64_C(10800000)

struct health;
/* `names` of the repositories, for the text; borrowed, as the clock. */
struct health *health_new(const char *const *names, size_t len, const struct clock *clock) MUST_CHECK;
void health_free(struct health *health); /* NULL does nothing */

void health_round_begins(struct health *health, size_t repository);
void health_round_ends(struct health *health, size_t repository, bool was_fetched);
void health_scanner_beats(struct health *health);

/* Both append a line of text for people. */
bool health_is_alive(struct health *health, struct strbuf *out);
bool health_is_ready(struct health *health, struct strbuf *out);

#endif
