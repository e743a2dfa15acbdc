/*
 * The daemon: a thread per repository that runs its rounds, and the scanner's thread (daemon/scan_thread.h),
 * and the listener's (daemon/endpoints.h).
 *
 * A repository's round runs at start, when git-poll-interval has passed, when the scanner learned something new of
 * one of its images, and at the latest when sync-interval has passed, to apply its commit again. Its commit is
 * applied whenever it is another than the last, or the last time something failed. A round that fails is tried
 * again after a pause that doubles up to the poll interval; others are not affected.
 *
 * Stopping: threads finish what they wait for; those that have not within STOP_GRACE_MS are left, which is safe,
 * because being killed is safe.
 */
#ifndef DAEMON_SERVE_H
#define DAEMON_SERVE_H

#include "base/attr.h"
#include "base/error.h"
#include "daemon/config.h"

#define STOP_GRACE_MS 5000

/* Runs until SIGTERM or SIGINT; 0 then. -1: could not start (a repository's URL, the cache, a kubeconfig, a port
 * that is taken). */
int serve(const struct config *config, struct error *err) MUST_CHECK;

#endif
