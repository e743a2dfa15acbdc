#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define QUIET_MS 1000

void progress_begin(struct progress *progress, const char *what)
{
    *progress = (struct progress){.what = what,
                                  .started_ms = clock_monotonic_ms(&system_clock),
                                  .is_terminal = isatty(STDERR_FILENO) == 1};
}

void progress_step(size_t done, size_t total, void *context)
{
    struct progress *progress = context;
    if (!progress->is_terminal || clock_monotonic_ms(&system_clock) - progress->started_ms < QUIET_MS)
        return;
    fprintf(stderr, "\r%s: %zu of %zu\033[K", progress->what, done, total);
    progress->is_shown = true;
}

void progress_end(struct progress *progress)
{
    if (progress->is_shown)
        fputs("\r\033[K", stderr);
    progress->is_shown = false;
}
