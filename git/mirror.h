/*
 * A repository: a persistent bare mirror of one branch, made and used through libgit2. No work tree.
 *
 * Reading (trees, blobs) is local. Commits are made in the mirror without moving any ref, so that a process
 * that dies in between leaves nothing but an unused object; only a push that the remote took moves a branch,
 * and it moves forward or not at all (never forced). The mirror is only a cache: deleting it costs one fetch.
 *
 * A mirror that is damaged is made anew when it is opened.
 *
 * Transports (git/transport.h): local paths and file:// through git's own upload-pack and receive-pack,
 * ssh:// and user@host:path through the user's ssh, http(s):// through our HTTP client. All have deadlines.
 *
 * A mirror belongs to one thread. Several processes, and several mirrors of one process (two branches of one
 * repository), may have the same directory open; the lock orders rounds. A function that writes takes the lock for
 * itself where the caller does not hold it.
 */
#ifndef GIT_MIRROR_H
#define GIT_MIRROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"

struct mirror;

/* A commit or blob id as lower-case hex with its NUL. */
#define GIT_ID_SIZE 41

struct mirror_options {
    const char *url;       /* a path, file://, ssh://, user@host:path, https://[user:password@]… */
    const char *directory; /* where mirrors live; each has a subdirectory named by a hash of its URL */
    const char *branch;    /* NULL: the remote's HEAD */
    const char *notes; /* short name of the ref of git notes, as in `git notes --ref`; NULL or "": no notes */
    int64_t timeout_ms; /* of each step on the network; 0: 60 s */
};

/* Opens or creates the mirror; asks nothing of the remote. ERROR_USAGE for a URL that is none or a branch that
 * cannot be, ERROR_UNSUPPORTED for a URL of a kind that is refused (git/remote_url.h says which), ERROR_IO,
 * ERROR_FORBIDDEN. */
struct mirror *mirror_open(const struct mirror_options *options, struct error *err) MUST_CHECK;
void mirror_free(struct mirror *mirror);

/* One round at a time: waits up to `timeout_ms` for another process. ERROR_TIMEOUT names its pid. Held already: 0.
 * What a process that died with the lock left half-done is removed. */
int mirror_lock(struct mirror *mirror, int64_t timeout_ms, struct error *err) MUST_CHECK;
void mirror_unlock(struct mirror *mirror);

/*
 * Asks the remote for its branch and fetches what is missing. ERROR_NOT_FOUND if there is no such repository,
 * or no such branch (the text names those there are); ERROR_UNAUTHORIZED, ERROR_NETWORK, ERROR_TLS, ERROR_TIMEOUT.
 */
int mirror_fetch(struct mirror *mirror, struct error *err) MUST_CHECK;

/* Hex id of the branch's commit as last fetched or pushed, also by an earlier process; "" before the first fetch. */
const char *mirror_head(const struct mirror *mirror);
/* The branch's short name; NULL before the first fetch if none was given. The next fetch may replace it: a remote's
 * HEAD can move. */
const char *mirror_branch(const struct mirror *mirror);
/* The URL without its password (over HTTP without the user too), for messages and logs. */
const char *mirror_url(const struct mirror *mirror);

/* A regular file of a commit. `path` is relative to the repository's root; the blob is read with
 * mirror_read_blob. Return 0 to go on, -1 (with err set) to stop. */
struct tree_file {
    const char *path, *name;
    char blob[GIT_ID_SIZE];
    bool is_executable;
};
typedef int (*tree_visit)(const struct tree_file *file, void *context, struct error *err);
/* True: do not descend into the directory `path` ("" is the root). `has_file` tells whether the directory
 * itself holds a file of that name, so that Helm charts can be recognised. */
struct tree_directory;
bool tree_directory_has(const struct tree_directory *directory, const char *name);
typedef bool (*tree_skip)(const char *path, const struct tree_directory *directory, void *context);

/*
 * Walks the files of a commit below `path` ("" or NULL: all; a file's path: that file), in order of their paths.
 * Symbolic links and submodules are passed over; `skip` may be NULL. ERROR_NOT_FOUND if the commit has no such path,
 * ERROR_TOO_LARGE past LIMIT_GIT_TREE_ENTRIES or LIMIT_GIT_TREE_DEPTH, ERROR_INVALID for a name that leads out of
 * its directory ("..", ".git"), ERROR_IO if the mirror turns out to be damaged (open it again), or what `visit` set.
 */
int mirror_walk(struct mirror *mirror, const char *commit, const char *path, tree_skip skip, tree_visit visit,
                void *context, struct error *err) MUST_CHECK;

/* Appends the blob's bytes; ERROR_TOO_LARGE over `limit` (its size is read first), ERROR_IO if it is not there: the
 * mirror is damaged. */
int mirror_read_blob(struct mirror *mirror, const char *blob, size_t limit, struct strbuf *out,
                     struct error *err) MUST_CHECK;

struct commit_file {
    const char *path; /* must exist in the parent; its mode is kept */
    const void *bytes;
    size_t len;
};
struct commit_author {
    const char *name, *email;
    int64_t when_ms;                              /* wall clock */
    const char *committer_name, *committer_email; /* who makes the commit for them; NULL: they do */
};
/* Makes a commit of `parent` with these files changed; moves no ref. Its id goes to `commit`, and is the same for the
 * same arguments. The message is taken as it is. ERROR_NOT_FOUND for a file that is not there, ERROR_INVALID for one
 * that is not regular, that is named twice, or where all files are as they were; ERROR_USAGE for an author that git
 * does not take. */
int mirror_commit(struct mirror *mirror, const char *parent, const struct commit_file *files, size_t len,
                  const struct commit_author *author, const char *message, char commit[GIT_ID_SIZE],
                  struct error *err) MUST_CHECK;

/*
 * Pushes a commit to the branch. ERROR_CONFLICT if the branch is not where the commit's parent was: fetch and
 * decide again. ERROR_FORBIDDEN with the remote's words if it refused for another reason (a hook, a protected
 * branch, no right to write). After a failure of the network the push may or may not have happened: fetch; pushing
 * the same commit again is no harm.
 */
int mirror_push(struct mirror *mirror, const char *commit, struct error *err) MUST_CHECK;

/* A git note for a commit that is pushed. */
struct commit_note {
    char commit[GIT_ID_SIZE];
    const char *text;
};
struct push_request {
    const char *base,
        *commit; /* the branch must be at `base`, the commit's ancestor, and is to be at `commit` */
    const struct commit_note *notes;
    size_t notes_len;
    struct commit_author notes_author;
};

/*
 * mirror_push of several commits, one upon the other, with notes on them: in the same push where the ref of notes is as
 * it was fetched, else in a push after it. The branch goes first: whatever is wrong with notes is no failure, and goes
 * to `problem` (code ERROR_NONE: nothing). A remote that refuses the ref of notes is not tried again by this mirror.
 * If the notes were overtaken they are fetched and made again, LIMIT_PUSH_ATTEMPTS times.
 */
int mirror_push_with_notes(struct mirror *mirror, const struct push_request *request, struct error *problem,
                           struct error *err) MUST_CHECK;

/* Appends the note of a commit as last fetched or pushed. ERROR_NOT_FOUND if it has none, or notes are off;
 * ERROR_TOO_LARGE over LIMIT_NOTE_BYTES. */
int mirror_read_note(struct mirror *mirror, const char *commit, struct strbuf *out, struct error *err)
    MUST_CHECK;

#endif
