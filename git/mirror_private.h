/*
 * What the files of a mirror share: its struct, and the directory on disk (mirror_store.c). Internal to git/.
 *
 * On disk, under the directory of mirrors:
 *
 *     <id>/         the bare repository; <id> is the hash of the URL without its password
 *     <id>.lock     flocked by whoever works with it; holds that process's number meanwhile
 *     <id>.new/     a mirror being made; becomes <id>/ by rename, so a mirror is there wholly or not at all
 *     <id>.old/     a damaged one being removed
 *
 * In the repository: refs/remotes/origin/<branch> is where the branch was seen last, refs/remotes/origin/HEAD
 * the default branch, refs/pawl/push/… exists during a push (libgit2 pushes refs, not commits), and a file
 * pawl-damaged says that an object is missing or broken.
 */
#ifndef GIT_MIRROR_PRIVATE_H
#define GIT_MIRROR_PRIVATE_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "git/library.h"
#include "git/mirror.h"
#include "git/remote_url.h"
#include "git/transport.h"

struct mirror {
    struct remote_url url;
    struct transport *transport;
    git_repository *repository;
    char *directory; /* <id>/ */
    char *wanted;    /* the branch asked for; NULL: the remote's default */
    char *branch;    /* the branch in use; NULL until known */
    char head[GIT_ID_SIZE];
    char *notes;        /* refs/notes/…; NULL: none */
    bool notes_refused; /* by the remote, since the mirror was opened */
    struct strvec
        orphans; /* commits that lost the race, and whose notes the same push brought to the remote */
    int64_t timeout_ms;
    int lock; /* descriptor of the held lock; -1 */
};

#define MIRROR_ORIGIN       "refs/remotes/origin/"
#define MIRROR_DEFAULT      MIRROR_ORIGIN "HEAD"
#define MIRROR_PUSH         "refs/pawl/push/"
#define MIRROR_DAMAGED_FILE "pawl-damaged"

/* Opens the repository in mirror->directory, making it (anew, if it is damaged) where needed. */
int mirror_store_open(struct mirror *mirror, struct error *err) MUST_CHECK;

/* Notes that an object cannot be read: the next mirror_store_open makes the mirror anew. */
void mirror_store_mark_damaged(const struct mirror *mirror);

/*
 * Takes the lock for a function that writes, unless the caller of the mirror holds it already; `taken` says
 * whether it did. mirror_lock_leave gives back what was taken.
 */
int mirror_lock_enter(struct mirror *mirror, bool *taken, struct error *err) MUST_CHECK;
void mirror_lock_leave(struct mirror *mirror, bool taken);

/* Removes what a process that died left half-done. The lock is held. */
void mirror_store_sweep(struct mirror *mirror);

/*
 * Makes one pack of the small ones, once there are LIMIT_GIT_PACKS of them: each fetch leaves a pack, and each pack
 * is one more place to look for an object. The lock is held. A failure leaves all as it was and is not told: it
 * costs time only, and the next fetch tries again.
 */
void mirror_packs_gather(struct mirror *mirror);
/* The same for objects in files of their own, once there are about LIMIT_GIT_LOOSE: each small commit leaves a few. */
void mirror_loose_gather(struct mirror *mirror);

/* Opens refs/remotes/origin/<branch>; sets mirror->head ("" if there is none). */
int mirror_read_head(struct mirror *mirror, struct error *err) MUST_CHECK;
/* Points refs/remotes/origin/<branch> at the commit, wherever it was, and sets mirror->head. */
int mirror_write_head(struct mirror *mirror, const git_oid *commit, struct error *err) MUST_CHECK;

/* Where the ref of notes is in the mirror; zero if it is not there. */
void mirror_read_notes_tip(const struct mirror *mirror, git_oid *tip);
int mirror_write_notes_tip(struct mirror *mirror, const git_oid *tip, struct error *err) MUST_CHECK;
/* Makes the commit of the ref of notes, on `tip` (zero: its first), that has the notes of the request as well, and none of
 * the mirror's orphans. */
int mirror_make_notes(struct mirror *mirror, const git_oid *tip, const struct push_request *request,
                      git_oid *made, struct error *err) MUST_CHECK;

/* Connects; on failure *remote is NULL. */
int mirror_connect(struct mirror *mirror, git_direction direction, git_remote **remote, struct error *err)
    MUST_CHECK;

/* The commit with this hex id. ERROR_INVALID if that is no id, ERROR_NOT_FOUND. */
int mirror_commit_lookup(struct mirror *mirror, const char *id, git_commit **commit, struct error *err)
    MUST_CHECK;

#endif
