/*
 * Standard error is drained in every wait, so that a program that complains at length cannot fill its pipe
 * and stand still.
 */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/process_spawn.h"

/* How long a program has after SIGTERM before SIGKILL. */
#define TERM_GRACE_MS 1000

struct process {
    char *name; /* argv[0], for messages */
    pid_t pid;
    int pid_fd;
    int input, output, error_output; /* our ends; -1 when closed */
    int64_t timeout_ms;
    struct strbuf error_text;
    struct strbuf error_trimmed; /* what process_stderr lends */
    bool has_ended;
    int exit_status; /* once it has ended */
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_pair(int (*pair)[2])
{
    close_fd(&(*pair)[0]);
    close_fd(&(*pair)[1]);
}

static int64_t now_ms(void)
{
    return clock_monotonic_ms(&system_clock);
}

/* What poll should wait until `deadline` (-1: for ever). */
static int remaining_ms(int64_t deadline)
{
    if (deadline < 0)
        return -1;
    int64_t left = deadline - now_ms();
    return left < 0 ? 0 : left > 1000000000 ? 1000000000 : (int)left;
}

static int64_t deadline_of(int64_t timeout_ms)
{
    return timeout_ms > 0 ? now_ms() + timeout_ms : -1;
}

static void set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

struct process *process_start(const struct process_options *options, struct error *err)
{
    CLEANUP(close_pair) int in[2] = {-1, -1};
    CLEANUP(close_pair) int out[2] = {-1, -1};
    CLEANUP(close_pair) int errors[2] = {-1, -1};
    const char *name = options->argv[0];
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0) {
        error_errno(err, errno, "cannot make the pipes for %s", name);
        return NULL;
    }
    pid_t pid = 0;
    int problem = process_spawn(&pid, options, (int[]){in[0], out[1], errors[1]});
    if (problem == ENOENT) {
        error_set(err, ERROR_NOT_FOUND, "there is no program %s: install it, or put it on the PATH", name);
        return NULL;
    }
    if (problem) {
        error_errno(err, problem, "cannot start %s", name);
        return NULL;
    }
    struct process *p = xcalloc(1, sizeof(*p));
    *p = (struct process){.name = xstrdup(name),
                          .pid = pid,
                          .timeout_ms = options->timeout_ms,
                          .input = in[1],
                          .output = out[0],
                          .error_output = errors[0]};
    p->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    in[1] = out[0] = errors[0] = -1;
    strbuf_init(&p->error_trimmed, 0);
    strbuf_init(&p->error_text, LIMIT_PROCESS_STDERR_BYTES);
    set_nonblocking(p->input);
    set_nonblocking(p->output);
    set_nonblocking(p->error_output);
    return p;
}

/* Takes what is there of standard error; what is over the limit is read and dropped. */
static void drain_errors(struct process *p)
{
    char chunk[4096];
    while (p->error_output >= 0) {
        ssize_t got = read(p->error_output, chunk, sizeof(chunk));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            close_fd(&p->error_output);
            return;
        }
        size_t room = LIMIT_PROCESS_STDERR_BYTES - p->error_text.len;
        strbuf_add(&p->error_text, chunk, (size_t)got < room ? (size_t)got : room);
    }
}

/* Waits until `fd` is ready for `events`, reading standard error meanwhile. 1 ready, 0 deadline, -1 errno. */
static int wait_ready(struct process *p, int fd, short events, int64_t deadline)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = fd, .events = events}, {.fd = p->error_output, .events = POLLIN}};
        int count = poll(fds, 2, remaining_ms(deadline));
        if (count < 0 && errno != EINTR)
            return -1;
        if (count > 0 && fds[1].revents)
            drain_errors(p);
        if (count > 0 && fds[0].revents)
            return 1;
        if (count <= 0 && deadline >= 0 && now_ms() >= deadline)
            return 0;
    }
}

/* A program that had its time gets no more of it: its end is not waited for as long again. */
static int timed_out(struct process *p, const char *doing, struct error *err)
{
    int64_t seconds = (p->timeout_ms + 999) / 1000;
    p->timeout_ms = 1;
    return error_set(err, ERROR_TIMEOUT, "%s did not %s within %" PRId64 " seconds", p->name, doing, seconds);
}

ssize_t process_read(struct process *p, void *buffer, size_t size, struct error *err)
{
    int64_t deadline = deadline_of(p->timeout_ms);
    if (p->output < 0)
        return 0;
    for (;;) {
        ssize_t got = read(p->output, buffer, size);
        if (got > 0)
            return got;
        if (got == 0) {
            close_fd(&p->output);
            return 0;
        }
        if (errno != EINTR && errno != EAGAIN)
            return error_errno(err, errno, "cannot read from %s", p->name);
        int ready = wait_ready(p, p->output, POLLIN, deadline);
        if (ready == 0)
            return timed_out(p, "answer", err);
        if (ready < 0)
            return error_errno(err, errno, "cannot wait for %s", p->name);
    }
}

/*
 * write(2) that answers EPIPE without the signal: it is blocked for this thread, and taken back if this write
 * (and nothing before it) raised it.
 */
static ssize_t write_quietly(int fd, const void *bytes, size_t len)
{
    sigset_t pipe_signal, old, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &old);
    ssize_t wrote = write(fd, bytes, len);
    int problem = errno;
    if (wrote < 0 && problem == EPIPE && !was_pending)
        sigtimedwait(&pipe_signal, NULL, &(struct timespec){0});
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = problem;
    return wrote;
}

/* What process_write says of errno; ERROR_IO. */
static int cannot_write(const struct process *p, int problem, struct error *err)
{
    if (p->input < 0 || problem == EPIPE)
        return error_set(err, ERROR_IO, "%s no longer reads its input", p->name);
    return error_errno(err, problem, "cannot write to %s", p->name);
}

int process_write(struct process *p, const void *bytes, size_t len, struct error *err)
{
    int64_t deadline = deadline_of(p->timeout_ms);
    const char *at = bytes;
    while (len) {
        ssize_t wrote = p->input < 0 ? -1 : write_quietly(p->input, at, len);
        if (wrote > 0) {
            at += wrote;
            len -= (size_t)wrote;
            deadline = deadline_of(p->timeout_ms);
            continue;
        }
        if (p->input < 0 || (errno != EINTR && errno != EAGAIN))
            return cannot_write(p, errno, err);
        int ready = wait_ready(p, p->input, POLLOUT, deadline);
        if (ready == 0)
            return timed_out(p, "take its input", err);
        if (ready < 0)
            return error_errno(err, errno, "cannot wait for %s", p->name);
    }
    return 0;
}

void process_close_input(struct process *p)
{
    close_fd(&p->input);
}

const char *process_stderr(struct process *p)
{
    drain_errors(p);
    size_t len = p->error_text.len;
    while (len && strchr(" \t\r\n", p->error_text.buf[len - 1]))
        len--;
    strbuf_reset(&p->error_trimmed);
    strbuf_add(&p->error_trimmed, p->error_text.buf, len);
    return p->error_trimmed.buf;
}

/* Lets it finish what it has to say: a program that is cut off in the middle of its output is killed by
 * SIGPIPE, and git's server side may be running a hook. */
static void drain_output(struct process *p, int64_t deadline)
{
    char chunk[16384];
    size_t total = 0;
    while (p->output >= 0 && total < LIMIT_PROCESS_STDOUT_BYTES) {
        if (wait_ready(p, p->output, POLLIN, deadline) <= 0)
            break;
        ssize_t got = read(p->output, chunk, sizeof(chunk));
        if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
            break;
        total += got > 0 ? (size_t)got : 0;
    }
    close_fd(&p->output);
}

/* Its wait status in *status, once it has ended before the deadline. */
static bool wait_end(struct process *p, int64_t deadline, int *status)
{
    for (;;) {
        pid_t ended = waitpid(p->pid, status, WNOHANG);
        if (ended == p->pid)
            return true;
        if (ended < 0 && errno != EINTR) { /* someone else took its status: it is gone */
            *status = 0;
            return true;
        }
        if (deadline >= 0 && now_ms() >= deadline)
            return false;
        int wait_ms = remaining_ms(deadline);
        if (p->pid_fd < 0 && (wait_ms < 0 || wait_ms > 10))
            wait_ms = 10; /* a kernel or a sandbox without pidfd_open */
        struct pollfd fds[2] = {{.fd = p->pid_fd, .events = POLLIN},
                                {.fd = p->error_output, .events = POLLIN}};
        if (poll(fds, 2, wait_ms) > 0 && fds[1].revents)
            drain_errors(p);
    }
}

int process_end(struct process *p)
{
    if (p->has_ended)
        return p->exit_status;
    int status = 0;
    int64_t deadline = deadline_of(p->timeout_ms);
    close_fd(&p->input);
    drain_output(p, deadline);
    if (!wait_end(p, deadline, &status)) {
        kill(-p->pid, SIGTERM);
        if (!wait_end(p, now_ms() + TERM_GRACE_MS, &status)) {
            kill(-p->pid, SIGKILL);
            wait_end(p, -1, &status);
        }
    }
    drain_errors(p);
    p->has_ended = true;
    p->exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return p->exit_status;
}

static void process_free(struct process *p)
{
    close_fd(&p->input);
    close_fd(&p->output);
    close_fd(&p->error_output);
    close_fd(&p->pid_fd);
    strbuf_release(&p->error_text);
    strbuf_release(&p->error_trimmed);
    free(p->name);
    free(p);
}

int process_close(struct process *p)
{
    if (!p)
        return 0;
    int status = process_end(p);
    process_free(p);
    return status;
}

/* One turn of process_run: writes what fits of the input, reads what is there. 1: there may be more. */
static int exchange(struct process *p, const char **input, size_t *left, struct strbuf *output,
                    struct error *err)
{
    char chunk[16384];
    if (*left) {
        ssize_t wrote = write_quietly(p->input, *input, *left);
        if (wrote > 0) {
            *input += wrote;
            *left -= (size_t)wrote;
        } else if (errno != EINTR && errno != EAGAIN) {
            *left = 0; /* it has heard enough; its exit status tells whether that was well */
        }
    }
    if (!*left)
        close_fd(&p->input);
    ssize_t got = read(p->output, chunk, sizeof(chunk));
    if (got == 0)
        return 0;
    if (got < 0)
        return errno == EINTR || errno == EAGAIN ? 1
                                                 : error_errno(err, errno, "cannot read from %s", p->name);
    if (output->len + (size_t)got > LIMIT_PROCESS_STDOUT_BYTES)
        return error_set(err, ERROR_TOO_LARGE, "%s wrote more than %u bytes", p->name,
                         LIMIT_PROCESS_STDOUT_BYTES);
    strbuf_add(output, chunk, (size_t)got);
    return 1;
}

static int converse(struct process *p, const char *input, size_t left, struct strbuf *output,
                    struct error *err)
{
    int64_t deadline = deadline_of(p->timeout_ms);
    for (;;) {
        int more = exchange(p, &input, &left, output, err);
        if (more <= 0)
            return more;
        struct pollfd fds[3] = {{.fd = p->output, .events = POLLIN},
                                {.fd = p->error_output, .events = POLLIN},
                                {.fd = p->input, .events = POLLOUT}};
        int count = poll(fds, 3, remaining_ms(deadline));
        if (count > 0 && fds[1].revents)
            drain_errors(p);
        if (deadline >= 0 && now_ms() >= deadline)
            return timed_out(p, "finish", err);
    }
}

int process_run(const struct process_options *options, const char *input, size_t input_len,
                struct strbuf *output, struct error *err)
{
    struct process *p = process_start(options, err);
    if (!p)
        return -1;
    CLEANUP(strbuf_release) struct strbuf gathered = STRBUF_INIT;
    int result = converse(p, input, input_len, &gathered, err);
    if (result < 0)
        p->timeout_ms = 1; /* what went wrong is known */
    int status = process_end(p);
    if (result == 0 && status != 0)
        result = error_set(err, ERROR_IO, "%s failed with status %d%s%s", p->name, status,
                           p->error_text.len ? ": " : "", process_stderr(p));
    if (result == 0)
        strbuf_add(output, gathered.buf, gathered.len);
    process_free(p);
    return result;
}
