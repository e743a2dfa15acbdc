/*
 * The releases of a workload, read from git: which commit gave which container which image, who made it, and why.
 */
#ifndef DAEMON_WORKLOAD_LOG_H
#define DAEMON_WORKLOAD_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/repository.h"
#include "git/history.h"

struct log_change {
    char *container;
    char *from, *to; /* references as written; NULL: there was no such container, or it is gone */
    char *reason;    /* why automation chose it, as the note has it; NULL: not known */
};

struct log_entry {
    char commit[GIT_ID_SIZE];
    struct commit_info info;
    bool is_automatic; /* made by automation; else by a person */
    char *user;        /* who asked for it with a command of pawl, as the note has it; NULL: not known */
    struct log_change *changes;
    size_t changes_len, changes_capacity;
};

struct workload_log {
    char *workload;            /* id text */
    struct log_entry *entries; /* newest first */
    size_t len, capacity;
    bool is_complete; /* false: there may be more, over `most` or in older commits than are looked at */
};
void workload_log_release(struct workload_log *log);

/*
 * Of the workload (an id; `space` where it names none, NULL: the repository's default) at the branch's head, which is
 * fetched: the newest `most` (0: all) commits that changed its images. ERROR_USAGE for an id that is none,
 * ERROR_NOT_FOUND and others of workload_find, and what git says.
 */
int workload_log_read(struct repository *r, const char *workload, const char *space, size_t most,
                      struct workload_log *log, struct error *err) MUST_CHECK;

/* As docs/interface.md has it. A new reference. */
json_t *workload_log_json(const struct workload_log *log) MUST_CHECK;

#endif
