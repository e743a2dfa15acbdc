/*
 * Publishing: fetch, decide, commit, push, and all of it again if someone else was first. What an automatic round
 * and a change that a person asked for (daemon/job.h) have in common.
 *
 * The commits are made from the very head that was decided on, and the push succeeds only if the branch still is
 * there: never a merge, never force. A decision is made anew for each head, so it must not keep anything from the
 * last one. The caller holds the mirror's lock.
 *
 * The notes of the commits (--git-notes-ref) go with them. A note that cannot be pushed is logged, and is no failure.
 */
#ifndef DAEMON_PUBLISH_H
#define DAEMON_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/repository.h"
#include "git/mirror.h"

struct proposed_commit {
    struct commit_file *files; /* owned; the paths and bytes in it are borrowed from who decided */
    size_t files_len;
    char *message; /* owned; without the suffix of --git-ci-skip, which is added */
    char *note; /* owned; for the ref of git notes, without the job's id (daemon/commit_note.h); NULL: none */
};

/* What a decision wants to be in git: commits, one upon the other; none: nothing is to be written. */
struct proposal {
    struct proposed_commit *commits;
    size_t len, capacity;
};
/* Adds a commit without files and returns it, valid until the next is added; takes over `message`. */
struct proposed_commit *proposal_add(struct proposal *proposal, char *message, size_t files_len);
void proposal_release(struct proposal *proposal);

struct publication {
    /* Decides on the head (a commit id) and fills the proposal, which is empty. What it keeps in `context` must stay
     * until publish returns, or until it is called again. */
    int (*decide)(struct repository *r, const char *head, struct proposal *proposal, void *context,
                  struct error *err);
    void *context;
    bool dry_run;     /* decide, and write nothing */
    const char *user; /* who asked for it, the author with --git-set-author; NULL: nobody */
};

/*
 * Fills `head` with what was decided on ("" if git could not be read) and `commit` with the last commit pushed ("":
 * nothing was). -1: what fetching or `decide` said; ERROR_FORBIDDEN and others of mirror_push; ERROR_CONFLICT after
 * LIMIT_PUSH_ATTEMPTS that were all overtaken.
 */
int publish(struct repository *r, const struct publication *publication, char head[GIT_ID_SIZE],
            char commit[GIT_ID_SIZE], struct error *err) MUST_CHECK;

#endif
