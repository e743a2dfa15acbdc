/*
 * How fast one host may be asked: a token bucket whose rate gives way to the host.
 *
 * At most `burst` at once after a rest, and in the long run `ceiling` a second: that is what the user allows. A
 * host that answers 429 halves the rate, once for a whole burst of refusals: only the refusal of a request that
 * was sent after the last halving halves again. The rate comes back slowly, by a twentieth of the ceiling a
 * minute, so a halved one is whole again after ten minutes without a refusal (Flux v1 halved too, waited twenty
 * minutes, and then took half as much again with every repository). What may go at once shrinks with the rate.
 *
 * Waits are stretched by up to a tenth, at random, so that pawls that started together do not go on in step.
 * Times are monotonic milliseconds and passed in.
 */
#ifndef SCANNER_RATE_LIMIT_H
#define SCANNER_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* No host is asked more rarely than this for having refused: it could not tell us that it is well again. */
#define RATE_LIMIT_FLOOR_RPS   0.1
#define RATE_LIMIT_RECOVERY_MS INT64_C(1200000) /* from nothing to the ceiling */

struct rate_limit {
    double ceiling, burst; /* ceiling 0: no limit */
    double base;           /* the rate at `halved_ms` */
    int64_t halved_ms;     /* INT64_MIN: never */
    double tokens;
    int64_t filled_ms;
    unsigned random; /* state of the jitter */
};

/* Starts full and at the ceiling. A burst below one could never let anything through and counts as one. */
void rate_limit_init(struct rate_limit *limit, double ceiling, double burst, int64_t now_ms);

/* 0 if one may go now (and is counted), else the milliseconds until one may. A clock that jumps back costs no
 * more than one refill. */
int64_t rate_limit_take(struct rate_limit *limit, int64_t now_ms);

/* What was taken was not used. */
void rate_limit_give_back(struct rate_limit *limit);

/* A request that was sent at `sent_ms` was refused for being one too many. True if that halved the rate. */
bool rate_limit_refused(struct rate_limit *limit, int64_t sent_ms, int64_t now_ms);

/* The rate now; 0: no limit. */
double rate_limit_rps(const struct rate_limit *limit, int64_t now_ms);

#endif
