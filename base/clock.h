/*
 * Time. Wall time (milliseconds since 1970, UTC) for dates, monotonic time for intervals and deadlines. Both
 * come from a clock that is passed in, so that tests move time instead of waiting for it.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct clock {
    int64_t (*wall_ms)(void *context);
    int64_t (*monotonic_ms)(void *context);
    void *context;
};

/* The machine's own clock; safe from any thread. */
extern const struct clock system_clock;

static inline int64_t clock_wall_ms(const struct clock *c)
{
    return c->wall_ms(c->context);
}

static inline int64_t clock_monotonic_ms(const struct clock *c)
{
    return c->monotonic_ms(c->context);
}

/* "2026-01-02T03:04:05.678Z"; without the fraction when it is zero. */
#define CLOCK_RFC3339_SIZE 32
void clock_format_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_SIZE]);

/* Parses RFC 3339 (any offset, any number of fraction digits; finer than a millisecond is dropped).
 * -1 if it is not one; then *wall_ms is untouched. */
int clock_parse_rfc3339(const char *text, int64_t *wall_ms) MUST_CHECK;

/* Parses a Go duration: "300ms", "5m", "1.5h", "1h30m", and, beyond Go, "2d"; finer than a millisecond is
 * dropped. Never negative. -1 if it is not one. */
int clock_parse_duration(const char *text, int64_t *duration_ms) MUST_CHECK;
/* "5m", "1h30m", "1s250ms", "0s": what clock_parse_duration reads back. */
#define CLOCK_DURATION_SIZE 32
void clock_format_duration(int64_t duration_ms, char out[CLOCK_DURATION_SIZE]);

/* Whether `then_ms` is less than `limit_ms` ago. What is somewhat in the future is near, too: machines that share something do
 * not share a clock. */
static inline bool clock_is_near(int64_t now_ms, int64_t then_ms, int64_t limit_ms)
{
    int64_t age_ms = now_ms - then_ms;
    return age_ms < limit_ms && age_ms > -limit_ms;
}

#endif
