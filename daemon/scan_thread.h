/*
 * The scanner's thread, for serve: one curl_multi loop for all registries and all repositories in git.
 *
 * Each round hands over what its commit needs to know (a demand set) and reads what was last learned, without
 * waiting. The thread asks for each image repository once per interval, spread by jitter, however many git
 * repositories want it; when an answer differs from the last one, or the first one arrives, those that want it
 * are woken. Pawls that share a cache share that one question: a list that another has read within the interval is
 * taken as it is, and the next is due when it is an interval old. A registry that is slow or fails delays only its
 * own repositories: it is asked again after a pause that doubles up to the interval, or that the registry asked for.
 *
 * All functions but new and free may be called from any thread.
 */
#ifndef DAEMON_SCAN_THREAD_H
#define DAEMON_SCAN_THREAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "daemon/demand_set.h"
#include "daemon/image_source.h"
#include "scanner/scanner.h"

struct scan_thread;

/* `wake(owner, context)` is called on the scanner's thread when answers for an owner changed. The scanner is used
 * by the new thread alone from now on, and must outlive it. */
struct scan_thread *scan_thread_new(struct scanner *scanner, size_t owners, int64_t interval_ms,
                                    const struct clock *clock, void (*wake)(size_t owner, void *context),
                                    void *context) MUST_CHECK;
/* Cancels what is under way, waits for the thread, frees everything. */
void scan_thread_free(struct scan_thread *thread);

/* What the rounds of one owner (0 … owners-1) read their answers from; freed with the thread. A repository that was
 * not answered yet has a result without info and without error: nothing is known, and nothing is wrong. */
struct image_source *scan_thread_source(struct scan_thread *thread, size_t owner);

#endif
