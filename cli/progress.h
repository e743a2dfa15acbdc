/*
 * A line on stderr that says how far a long step is: only on a terminal, and only once it has taken a second.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
    const char *what; /* "asking registries"; borrowed */
    int64_t started_ms;
    bool is_terminal, is_shown;
};

void progress_begin(struct progress *progress, const char *what);
/* `context` is the struct progress. */
void progress_step(size_t done, size_t total, void *context);
/* Takes the line away; a later step brings it back. */
void progress_end(struct progress *progress);

#endif
