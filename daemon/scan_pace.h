/*
 * How often an image repository is asked for: once an interval, less a tenth or more a tenth, sooner after a failure, and
 * not at all where another pawl has asked. Arithmetic alone.
 */
#ifndef DAEMON_SCAN_PACE_H
#define DAEMON_SCAN_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "daemon/scan_entry.h"

/* A first failure is asked again after this; it doubles with each further one. */
#define SCAN_PACE_FIRST_PAUSE_MS 5000

struct scan_pace {
    int64_t interval_ms;
    const struct clock *clock; /* borrowed */
    unsigned random;           /* state of the jitter */
};

/* 0.9 to 1.1 times: pawls that started together do not stay together. */
int64_t scan_pace_jitter(struct scan_pace *pace, int64_t ms);

/* Milliseconds until the entry is to be listed again, after a list that was its own (or came from a shared cache). */
int64_t scan_pace_next(struct scan_pace *pace, const struct scan_entry *entry, bool is_our_own);

/* The oldest answer in the cache that will do for the list that is due, in milliseconds; 0: none. */
int64_t scan_pace_longest_age(const struct scan_pace *pace, const struct scan_entry *entry);

#endif
