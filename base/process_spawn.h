/*
 * Starting a program, for base/process.c.
 *
 * It is started with posix_spawn, so that a threaded parent never runs code between fork and exec. It gets a session of
 * its own: without a terminal ssh and git's helpers fail at once where they would ask and wait for an answer, and the
 * whole family can be signalled by one group id.
 */
#ifndef BASE_PROCESS_SPAWN_H
#define BASE_PROCESS_SPAWN_H

#include <sys/types.h>

#include "base/attr.h"
#include "base/process.h"

/* `ends` become its descriptors 0, 1 and 2. 0 with the id of the process, or an errno value. */
int process_spawn(pid_t *pid, const struct process_options *options, const int ends[3]) MUST_CHECK;

#endif
