/*
 * What the two sides of scan_thread.h share, and nobody else sees: the rounds ask and read (scan_source.c), the thread scans
 * (scan_thread.c).
 *
 * One lock guards everything in struct scan_thread but the scanner, which only the thread itself touches (waking
 * it apart). The thread holds the lock for short steps between runs of the scanner; a round that asks for answers
 * waits no longer than that.
 */
#ifndef DAEMON_SCAN_THREAD_STATE_H
#define DAEMON_SCAN_THREAD_STATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strmap.h"
#include "daemon/image_source.h"
#include "daemon/scan_log.h"
#include "daemon/scan_pace.h"
#include "daemon/scan_thread.h"

/* The owner's view; its address is what rounds hold. */
struct scan_source {
    struct image_source source;
    struct scan_thread *thread;
    size_t owner;
    struct demand_set *demands; /* a reference; what the entries' wanted_by point into */
};

struct scan_thread {
    pthread_t thread;
    pthread_mutex_t lock;
    struct scan_thread_options options;
    struct scan_source *sources;
    struct strmap entries;         /* repository_demand_key -> struct scan_entry * */
    struct push_list early;        /* what was pushed before all owners had said what they want */
    struct label_lookup **lookups; /* to be started; references */
    size_t lookups_len, lookups_capacity;
    struct scan_pace pace;
    bool stopping;
    /* The thread's own: when a failing cache was last logged (monotonic), and what was said of repositories. */
    int64_t cache_said_ms;
    struct scan_log log;
};

/* The view of an owner, without demands yet. */
struct scan_source scan_source_of(struct scan_thread *thread, size_t owner);

#endif
