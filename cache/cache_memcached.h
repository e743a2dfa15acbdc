/*
 * The memcached backend's own knobs; everyone else opens it by cache_open.
 *
 * An operation (a get with all of its chunks, a put with all of its) ends within about timeout_ms: each wait
 * for a server is at most a third of it, and between waits the whole is checked. Looking up a server's name
 * is not under our control: it takes as long as the system's resolver allows.
 */
#ifndef CACHE_CACHE_MEMCACHED_H
#define CACHE_CACHE_MEMCACHED_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"

struct cache_memcached_options {
    int64_t timeout_ms;
    int64_t retry_after_s;     /* a server that failed is not asked for so long; at least 1 */
    const struct clock *clock; /* must outlive the cache */
};
#define CACHE_MEMCACHED_RETRY_AFTER_S 10

void *cache_memcached_open_with(const char *servers, const struct cache_memcached_options *options,
                                struct error *err) MUST_CHECK;

#endif
