/*
 * The scanner's thread, for serve: one curl_multi loop for all registries and all repositories in git.
 *
 * Each round hands over what its commit needs to know (a demand set) and reads what was last learned, without
 * waiting. The thread asks for each image repository (and log-in, where workloads bring theirs) once per interval,
 * spread by jitter, however many git repositories want it; when an answer differs from the last one, or the first one arrives, those that want it
 * are woken. Pawls that share a cache share that one question: a list that another has read within the interval is
 * taken as it is, and the next is due when it is an interval old. A registry that is slow or fails delays only its
 * own repositories: it is asked again after a pause that doubles up to the interval, or that the registry asked for.
 *
 * A tag that a webhook told of is looked at at once, alone, without listing its repository; several that come within
 * SCAN_PUSH_QUIET_MS of each other are looked at together. Where names are all that is wanted and the
 * webhooks have told of all that the lists brought, the next list is then due an interval after the push: an interval
 * in which a webhook told costs a HEAD and no list (scan_entry_put_off_list). Elsewhere the list is read when its own
 * interval is over. Webhooks get lost, so a list is read now and then however many come. One that names a tag which is
 * not there yet brings the next list forward.
 *
 * The watchdog: an image repository without a successful scan for three intervals is logged once, and counted in
 * the metrics until it answers again.
 *
 * All functions but new and free may be called from any thread.
 */
#ifndef DAEMON_SCAN_THREAD_H
#define DAEMON_SCAN_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "daemon/demand_set.h"
#include "daemon/docker_config.h"
#include "daemon/health.h"
#include "daemon/image_source.h"
#include "daemon/metrics.h"
#include "daemon/webhook.h"
#include "scanner/scanner.h"

#define SCAN_PUSH_QUIET_MS 150
#define SCAN_PUSH_WAIT_MS  1000 /* at most, while more and more come */

struct scan_thread;

struct scan_thread_options {
    struct scanner *scanner; /* used by the new thread alone from now on; must outlive it, as all here */
    struct cache *cache;     /* the scanner's, for its counts; NULL: none */
    struct docker_config *docker_config; /* whose credentials the scanner has; NULL: none */
    size_t owners;
    int64_t interval_ms;
    const struct clock *clock;
    struct metrics *metrics; /* NULL: none */
    struct health *health;   /* NULL: none */
    /* Called on the scanner's thread when answers for an owner changed. */
    void (*wake)(size_t owner, void *context);
    void *context;
};
struct scan_thread *scan_thread_new(const struct scan_thread_options *options) MUST_CHECK;
/* Cancels what is under way, waits for the thread, frees everything. */
void scan_thread_free(struct scan_thread *thread);

/* What the rounds of one owner (0 … owners-1) read their answers from; freed with the thread. A repository that was
 * not answered yet has a result without info and without error: nothing is known, and nothing is wrong. */
struct image_source *scan_thread_source(struct scan_thread *thread, size_t owner);

/* Tells of pushes, all at once: a webhook's are looked at together. One to "/path", on a host that the sender did not
 * name, stands for every repository whose path is that or ends with it. wanted[i] (one for each): whether anybody wants such
 * a repository. A tag that is none is ignored. */
void scan_thread_pushed(struct scan_thread *thread, const struct push_list *pushes, bool *wanted);

/* Puts the gauges of what is known now (tags, ages, what is overdue) into the metrics. */
void scan_thread_measure(struct scan_thread *thread);

#endif
