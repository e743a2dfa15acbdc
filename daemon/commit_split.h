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

#include "daemon/publish.h"
#include "updater/commit_message.h"
#include "updater/release.h"

/* Releases that commits borrow their files from. Zero is empty. */
struct release_list {
    struct release **items;
    size_t len, capacity;
};
void release_list_release(struct release_list *list);

/* Adds the commits to the proposal, with messages and notes; what they borrow is the release's, and `kept`'s. */
void propose_round(const struct release *release, const struct message_form *form, bool per_workload,
                   struct release_list *kept, struct proposal *proposal);

#endif
