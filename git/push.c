/*
 * A push moves a branch from the commit that ours was made on to ours, or not at all. Three looks guard that:
 * the list of refs with which the remote greets (here), the old value that libgit2 sends with the update
 * (taken from that list), and receive-pack's comparison of it with the ref at the moment of the change.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "git/mirror_private.h"

struct push {
    git_oid parent;    /* where the branch must be */
    struct strbuf why; /* the remote's status of the update; empty: it was taken */
    bool has_moved;    /* it was elsewhere when libgit2 decided */
    bool has_status;   /* the remote told */
};

/* Statuses (and words beside them) that mean: someone else was first. From receive-pack and from hosts. */
static const char *const conflicts[] = {
    "non-fast-forward", "fetch first",    "stale info",          "cannot lock ref", "but expected",
    "failed to lock",   "already exists", "incorrect old value", "old id",          "reference changed",
};

/* "failed to update ref" alone is what receive-pack says when the comparison fails, but also when it may not
 * or cannot write. */
static const char *const no_conflicts[] = {"Permission denied", "Read-only file system", "No space left"};

static bool has_any(const char *text, const char *const *words, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (strcasestr(text, words[i]))
            return true;
    }
    return false;
}

static bool is_conflict(const char *status, const char *words)
{
    if (has_any(words, no_conflicts, ARRAY_LEN(no_conflicts)))
        return false;
    return has_any(status, conflicts, ARRAY_LEN(conflicts)) || strstr(status, "failed to update ref");
}

static int conflict(const struct mirror *mirror, const char *why, struct error *err)
{
    return error_set(err, ERROR_CONFLICT,
                     "the branch %s of %s has moved meanwhile%s%s: fetch and decide again", mirror->branch,
                     mirror->url.shown, *why ? ", " : "", why);
}

/* -- callbacks of libgit2; their payload is the transport ------------------------------------------------ */

static int take_status(const char *name UNUSED, const char *status, void *payload)
{
    struct push *push = ((struct transport *)payload)->context;
    push->has_status = true;
    strbuf_addstr(&push->why, status ? status : "");
    return 0;
}

static int check_update(const git_push_update **updates, size_t len, void *payload)
{
    struct push *push = ((struct transport *)payload)->context;
    push->has_moved = len != 1 || !git_oid_equal(&updates[0]->src, &push->parent);
    return push->has_moved ? -1 : 0;
}

/* -- the push -------------------------------------------------------------------------------------------- */

/* Where the remote's branch is, in its greeting; false if there is none. */
static bool advertised(const struct mirror *mirror, git_remote *remote, git_oid *id)
{
    const git_remote_head **heads = NULL;
    size_t len = 0;
    AUTO_FREE char *name = xasprintf("refs/heads/%s", mirror->branch);
    if (git_remote_ls(&heads, &len, remote) < 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (strcmp(heads[i]->name, name) != 0)
            continue;
        *id = heads[i]->oid;
        return true;
    }
    return false;
}

/* The update was refused, with a status. */
static int explain_refusal(const struct mirror *mirror, const struct push *push, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    transport_words(mirror->transport, &words);
    if (is_conflict(push->why.buf, words.buf))
        return conflict(mirror, push->why.buf, err);
    const char *hint =
        strstr(push->why.buf, "currently checked out")
            ? " (push to a bare repository, or set receive.denyCurrentBranch=updateInstead there)"
            : "";
    return error_set(err, ERROR_FORBIDDEN, "%s refused the push to %s: %.200s%s%s%.600s", mirror->url.shown,
                     mirror->branch, push->why.buf, hint, words.len ? "; it says: " : "", words.buf);
}

static int upload(struct mirror *mirror, git_remote *remote, const char *local, struct push *push,
                  struct error *err)
{
    AUTO_FREE char *refspec = xasprintf("%s:refs/heads/%s", local, mirror->branch);
    const git_strarray refspecs = {&refspec, 1};
    git_push_options options;
    git_push_options_init(&options, GIT_PUSH_OPTIONS_VERSION);
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    options.pb_parallelism = 1; /* a commit is a handful of objects */
    transport_begin(mirror->transport, &options.callbacks);
    options.callbacks.push_update_reference = take_status;
    options.callbacks.push_negotiation = check_update;
    mirror->transport->context = push;
    int result = git_remote_upload(remote, &refspecs, &options);
    mirror->transport->context = NULL;
    const git_error *last = git_error_last();
    if (result < 0 && !push->why.len && last && last->message && strstr(last->message, "unpacking"))
        strbuf_addstr(&push->why, "it could not unpack what was sent"); /* libgit2 then hides the status */
    if (push->has_moved || result == GIT_ENONFASTFORWARD)
        return conflict(mirror, "", err);
    if (push->why.len)
        return explain_refusal(mirror, push, err);
    if (result < 0) {
        transport_explain(mirror->transport, err);
        return error_wrap(err, "pushing to %s", mirror->branch);
    }
    return push->has_status ? 0
                            : error_set(err, ERROR_NETWORK, "%s did not say whether it took the push to %s",
                                        mirror->url.shown, mirror->branch);
}

/* libgit2 pushes refs, so the commit has one for as long as that takes. */
static int upload_commit(struct mirror *mirror, git_remote *remote, const git_oid *id, struct push *push,
                         struct error *err)
{
    AUTO_FREE char *local = xasprintf(MIRROR_PUSH "%lld", (long long)getpid());
    CLEANUP(release_reference) git_reference *reference = NULL;
    if (git_reference_create(&reference, mirror->repository, local, id, 1, NULL) < 0)
        return library_error(err, "cannot prepare the push in the mirror of %s", mirror->url.shown);
    int result = upload(mirror, remote, local, push, err);
    git_reference_delete(reference);
    return result;
}

static int push_commit(struct mirror *mirror, git_commit *commit, struct error *err)
{
    const git_oid *id = git_commit_id(commit);
    CLEANUP(release_remote) git_remote *remote = NULL;
    if (mirror_connect(mirror, GIT_DIRECTION_PUSH, &remote, err) < 0)
        return -1;
    git_oid tip;
    bool is_there = advertised(mirror, remote, &tip);
    if (is_there && git_oid_equal(&tip, id)) /* an earlier push whose answer was lost */
        return mirror_write_head(mirror, id, err);
    struct push push = {.why = STRBUF_INIT_MAX(LIMIT_PROCESS_STDERR_BYTES)};
    push.parent = *git_commit_parent_id(commit, 0);
    if (!is_there || !git_oid_equal(&tip, &push.parent))
        return conflict(mirror, is_there ? "" : "it is not there any more", err);
    int result = upload_commit(mirror, remote, id, &push, err);
    strbuf_release(&push.why);
    return result < 0 ? -1 : mirror_write_head(mirror, id, err);
}

int mirror_push(struct mirror *mirror, const char *commit_id, struct error *err)
{
    CLEANUP(release_commit) git_commit *commit = NULL;
    if (mirror_commit_lookup(mirror, commit_id, &commit, err) < 0)
        return -1;
    if (!mirror->branch || git_commit_parentcount(commit) != 1)
        return error_set(err, ERROR_INVALID, "commit %s was not made on a branch of %s", commit_id,
                         mirror->url.shown);
    bool taken = false;
    if (mirror_lock_enter(mirror, &taken, err) < 0)
        return -1;
    int result = push_commit(mirror, commit, err);
    mirror_lock_leave(mirror, taken);
    return result;
}
