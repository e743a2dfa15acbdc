/*
 * The history of a branch: which commit made which YAML file what, newest first.
 *
 * One walk over the commits reads only the trees that differ between a commit and its parent and notes the files; the
 * index is kept, and a head that grew from the last one costs the new commits alone. All parents are walked, in order
 * of time. A merge counts only for files that are in none of its parents what they are in it: a merge that takes one
 * side's text is no change of its own, and the side's own commit says who made it. The first commit of all, and the
 * oldest that is still looked at, are where history begins: what they hold is not a change.
 *
 * Bounded by LIMIT_HISTORY_COMMITS and LIMIT_HISTORY_CHANGES, counted from the newest; what is older is not known, and
 * history_is_complete says so. A repository whose own history is cut off (a shallow one) ends there, likewise.
 *
 * Belongs to the thread of its mirror, which must outlive it.
 */
#ifndef GIT_HISTORY_H
#define GIT_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "git/mirror.h"

struct history;

struct history *history_new(struct mirror *mirror);
void history_free(struct history *history); /* NULL does nothing */

/* A commit changed a file. */
struct history_change {
    char commit[GIT_ID_SIZE];
    const char *path;         /* where the file was then */
    char before[GIT_ID_SIZE]; /* its blob in the parent; "": it was not there */
    char after[GIT_ID_SIZE];  /* in the commit; "": it is gone */
    size_t order; /* among all changes of all files: newer is greater. Valid until the head moves */
};
/* Return 0 to go on, 1 to stop (which is no error), -1 with err set. */
typedef int (*history_visit)(const struct history_change *change, void *context, struct error *err);

/*
 * The changes that led to the file as `head` (a commit id) has it, newest first. A file that was moved as it is (same
 * bytes, another path, one commit) is followed. ERROR_IO where the mirror is damaged, ERROR_NOT_FOUND for a head that
 * it does not have, or what `visit` set.
 */
int history_of_file(struct history *history, const char *head, const char *path, history_visit visit,
                    void *context, struct error *err) MUST_CHECK;

/*
 * For use in `visit` and after history_of_file, until the head moves: the other files that the commit of a change changed
 * or removed (not those that it added), in no order; and the changes of a file that are older than `order`, newest first.
 */
int history_beside(const struct history *history, const struct history_change *change, history_visit visit,
                   void *context, struct error *err) MUST_CHECK;
int history_before(const struct history *history, const char *path, size_t order, history_visit visit,
                   void *context, struct error *err) MUST_CHECK;

/* False if there are older commits than those that the last call looked at. */
bool history_is_complete(const struct history *history);

struct commit_info {
    char *author, *email; /* owned */
    char *message;        /* owned; the whole of it */
    int64_t when_ms;      /* the author's date */
};
/* ERROR_NOT_FOUND, ERROR_INVALID (no commit id). */
int mirror_commit_info(struct mirror *mirror, const char *id, struct commit_info *out, struct error *err)
    MUST_CHECK;
void commit_info_release(struct commit_info *info);

/* The commit that a person's hex digits (4 to 40) stand for. ERROR_INVALID for what is no such thing or stands for
 * several, ERROR_NOT_FOUND. */
int mirror_find_commit(struct mirror *mirror, const char *prefix, char commit[GIT_ID_SIZE], struct error *err)
    MUST_CHECK;

#endif
