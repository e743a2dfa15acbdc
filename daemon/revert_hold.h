/*
 * The hold on what was taken back: automation does not go again to an image that somebody moved a container off.
 *
 * Asked only for decisions to update, of the history of the file in git, so that it needs no store and outlives every
 * restart. A container is held (CAUSE_REVERTED) if
 *
 *   - it has had the very image that is to be written (name, tag and digest), and
 *   - the newest commit that moved it off that image was not one of automation: a `git revert`, an edit by hand, a
 *     `pawl rollback` or `pawl release`, the removal of a workload or a container that came back with another image, and
 *   - since then nobody has lifted that: by an unlock of the workload, or by changing the container's tag policy.
 *
 * A tag that is newer than the held one is another image and is taken. Whoever puts the container on the held image
 * again (`pawl release`, an edit) has it; from then on it counts as any other.
 *
 * What it cannot see is not held: what is older than the limits of git/history.h and daemon/image_history.h, what was
 * before a workload was copied to another file, its container got another name, or a file that is its own workload's name was
 * moved with other changes, and what a forced push took out of the history.
 */
#ifndef DAEMON_REVERT_HOLD_H
#define DAEMON_REVERT_HOLD_H

#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "updater/choose.h"

struct repository;
struct revert_hold; /* answers for one head, kept until it moves */

struct revert_hold *revert_hold_new(void);
void revert_hold_free(struct revert_hold *holds);

/* Turns those of the decisions (made on `head`, a commit id) that are to be held into such. ERROR_IO where the mirror
 * is damaged. */
int revert_hold_apply(struct repository *r, const char *head, struct decision *decisions, size_t len,
                      struct error *err) MUST_CHECK;

#endif
