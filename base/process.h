/*
 * Child processes: a program with arguments (never a shell), three pipes, a deadline. Used for the user's own
 * ssh, for git's server side of a local path, and for credential helpers.
 *
 * A process is used by one thread. Its standard error is gathered up to LIMIT_PROCESS_STDERR_BYTES (the rest is
 * dropped), so that a failure can be explained in the program's own words. Ending it (process_end) waits for it:
 * first its input is closed and what it still writes is dropped, at the deadline it gets SIGTERM, a second later
 * SIGKILL. It runs in a session of its own: a program that would ask a question at the terminal fails instead.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/strbuf.h"

struct process;

struct process_options {
    const char *const *argv;        /* argv[0] is looked up in PATH; ends with NULL */
    const char *const *environment; /* "NAME=value" is added to ours, "NAME" is left out of it; ends with
                                       NULL; NULL: ours */
    int64_t timeout_ms; /* for each wait on it, and for its end; 0: none. After an ERROR_TIMEOUT it
                           gets no more time. */
};

/* NULL: ERROR_NOT_FOUND when there is no such program (the text names it), ERROR_IO. */
struct process *process_start(const struct process_options *options, struct error *err) MUST_CHECK;

/* Reads what is there, at least one byte; 0 at the end of its output; -1: ERROR_TIMEOUT or ERROR_IO. */
ssize_t process_read(struct process *p, void *buffer, size_t size, struct error *err) MUST_CHECK;

/* Writes everything; -1: ERROR_TIMEOUT, or ERROR_IO when it no longer reads. Never raises SIGPIPE. */
int process_write(struct process *p, const void *bytes, size_t len, struct error *err) MUST_CHECK;

/* Closes its input, as the end of what we have to say. */
void process_close_input(struct process *p);

/* What it wrote to its standard error so far, trimmed at the end; borrowed until the next call. */
const char *process_stderr(struct process *p);

/* Ends it; its exit status, or 128 + the signal. Its standard error is complete then. May be called again. */
int process_end(struct process *p);

/* Ends it and frees it; the same value. NULL does nothing and gives 0. */
int process_close(struct process *p);

/*
 * The whole run of a short program, within timeout_ms as a whole: input in, output (appended, at most
 * LIMIT_PROCESS_STDOUT_BYTES) out. ERROR_IO with its standard error in the text if it exits with other than 0;
 * ERROR_NOT_FOUND, ERROR_TIMEOUT, ERROR_TOO_LARGE. Nothing is appended on failure.
 */
int process_run(const struct process_options *options, const char *input, size_t input_len,
                struct strbuf *output, struct error *err) MUST_CHECK;

#endif
