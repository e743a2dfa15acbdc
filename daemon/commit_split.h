/*
 * A round's release as commits: one for all of it, or one for each workload (--commit-per workload).
 *
 * Of several workloads in one file each commit has the file with the changes of those before it. Workloads that share an
 * image by an anchor can only change together, and share a commit.
 */
#ifndef DAEMON_COMMIT_SPLIT_H
#define DAEMON_COMMIT_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/plan.h"
#include "daemon/publish.h"
#include "updater/commit_message.h"
#include "updater/release.h"

/* Releases that commits borrow their files from. Zero is empty. */
struct release_list {
    struct release **items;
    size_t len, capacity;
};
void release_list_release(struct release_list *list);

/* How the commits of a round are made. */
struct split_form {
    struct message_form message;
    bool per_workload;
    int64_t now_ms; /* wall time, for the notes */
};

/* Adds the commits of the plan's release to the proposal, with messages and notes; what they borrow is the plan's, and
 * `kept`'s. */
void propose_round(const struct plan *plan, const struct split_form *form, struct release_list *kept,
                   struct proposal *proposal);

#endif
