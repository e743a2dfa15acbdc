/*
 * A token bucket: at most `burst` at once after a rest, `rate` a second in the long run. Time is passed in.
 */
#ifndef SCANNER_RATE_LIMIT_H
#define SCANNER_RATE_LIMIT_H

#include <stdint.h>

struct rate_limit {
    double rate, burst; /* rate 0: no limit */
    double tokens;
    int64_t filled_ms;
};

/* Starts full. A burst below one could never let anything through and counts as one. */
void rate_limit_init(struct rate_limit *limit, double rate, double burst, int64_t now_ms);

/* 0 if one may go now (and is counted), else the milliseconds until one may. A clock that jumps back costs no
 * more than one refill. */
int64_t rate_limit_take(struct rate_limit *limit, int64_t now_ms);

#endif
