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

/* What the remote said of one ref. */
struct status {
    bool is_known;
    struct strbuf why; /* it was not updated; empty: it was */
};

struct push {
    const struct push_request *request;
    git_oid base;         /* where the branch must be */
    bool has_moved;       /* it was elsewhere when libgit2 decided */
    bool has_branch;      /* what is pushed: the branch, */
    bool has_notes;       /* and the notes */
    git_oid commit, made; /* the branch's, and that of the notes */
    struct status branch, notes;
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

#define NOTES "refs/notes/"

static int take_status(const char *name, const char *status, void *payload)
{
    struct push *push = ((struct transport *)payload)->context;
    struct status *of = str_starts_with(name, NOTES) ? &push->notes : &push->branch;
    of->is_known = true;
    strbuf_addstr(&of->why, status ? status : "");
    return 0;
}

static int check_update(const git_push_update **updates, size_t len, void *payload)
{
    struct push *push = ((struct transport *)payload)->context;
    size_t branches = 0;
    for (size_t i = 0; i < len; i++) {
        if (str_starts_with(updates[i]->dst_refname, NOTES))
            continue;
        branches++;
        push->has_moved = push->has_moved || !git_oid_equal(&updates[i]->src, &push->base);
    }
    push->has_moved = push->has_moved || branches != push->has_branch;
    return push->has_moved ? -1 : 0;
}

/* -- the push -------------------------------------------------------------------------------------------- */

/* Where a ref of the remote is, in its greeting; false if there is none. */
static bool advertised(git_remote *remote, const char *name, git_oid *id)
{
    const git_remote_head **heads = NULL;
    size_t len = 0;
    memset(id, 0, sizeof(*id));
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

/* What to do about a refusal. */
static const char *hint_for(const char *why)
{
    if (strstr(why, "currently checked out"))
        return " (push to a bare repository, or set receive.denyCurrentBranch=updateInstead there)";
    if (strstr(why, "hook declined"))
        return " (a branch that is protected must let through whom pawl logs in as)";
    return "";
}

/* The update was refused, with a status. */
static int explain_refusal(const struct mirror *mirror, const struct push *push, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    const char *why = push->has_branch ? push->branch.why.buf : push->notes.why.buf;
    transport_words(mirror->transport, &words);
    if (is_conflict(why, words.buf))
        return conflict(mirror, why, err);
    return error_set(err, ERROR_FORBIDDEN, "the push to %s was refused: %.200s%s%s%.600s",
                     push->has_branch ? mirror->branch : mirror->notes, why, hint_for(why),
                     words.len ? "; it says: " : "", words.buf);
}

static int upload(struct mirror *mirror, git_remote *remote, char **refspecs, size_t len, struct push *push)
{
    const git_strarray wanted = {refspecs, len};
    git_push_options options;
    git_push_options_init(&options, GIT_PUSH_OPTIONS_VERSION);
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    options.pb_parallelism = 1; /* a commit is a handful of objects */
    transport_begin(mirror->transport, &options.callbacks);
    options.callbacks.push_update_reference = take_status;
    options.callbacks.push_negotiation = check_update;
    mirror->transport->context = push;
    int result = git_remote_upload(remote, &wanted, &options);
    mirror->transport->context = NULL;
    return result;
}

/* What came of the upload, for the branch or, where that is not part of it, for the notes. */
static int judge(struct mirror *mirror, struct push *push, int result, struct error *err)
{
    struct status *first = push->has_branch ? &push->branch : &push->notes;
    const git_error *last = git_error_last();
    if (result < 0 && !first->why.len && last && last->message && strstr(last->message, "unpacking"))
        strbuf_addstr(&first->why, "it could not unpack what was sent"); /* libgit2 then hides the status */
    if (push->has_moved || result == GIT_ENONFASTFORWARD)
        return conflict(mirror, "", err);
    if (first->why.len)
        return explain_refusal(mirror, push, err);
    if (first->is_known) /* a failure is of the notes beside it */
        return 0;
    if (result < 0) {
        transport_explain(mirror->transport, err);
        return error_wrap(err, "pushing to %s", push->has_branch ? mirror->branch : mirror->notes);
    }
    return error_set(err, ERROR_NETWORK, "%s did not say whether it took the push to %s", mirror->url.shown,
                     push->has_branch ? mirror->branch : mirror->notes);
}

/* libgit2 pushes refs, so each commit has one for as long as that takes. */
static int upload_refs(struct mirror *mirror, git_remote *remote, struct push *push, struct error *err)
{
    AUTO_FREE char *local = xasprintf(MIRROR_PUSH "%lld", (long long)getpid());
    AUTO_FREE char *local_notes = xasprintf(MIRROR_PUSH "%lld-notes", (long long)getpid());
    AUTO_FREE char *branch_refspec = xasprintf("%s:refs/heads/%s", local, mirror->branch);
    AUTO_FREE char *notes_refspec = xasprintf("%s:%s", local_notes, mirror->notes ? mirror->notes : "");
    CLEANUP(release_reference) git_reference *branch = NULL;
    CLEANUP(release_reference) git_reference *notes = NULL;
    char *refspecs[2];
    size_t len = 0;
    if (push->has_branch)
        refspecs[len++] = branch_refspec;
    if (push->has_notes)
        refspecs[len++] = notes_refspec;
    if ((push->has_branch &&
         git_reference_create(&branch, mirror->repository, local, &push->commit, 1, NULL) < 0) ||
        (push->has_notes &&
         git_reference_create(&notes, mirror->repository, local_notes, &push->made, 1, NULL) < 0))
        return library_error(err, "cannot prepare the push in the mirror of %s", mirror->url.shown);
    int result = judge(mirror, push, upload(mirror, remote, refspecs, len, push), err);
    if (branch)
        git_reference_delete(branch);
    if (notes)
        git_reference_delete(notes);
    return result;
}

/* Adds the notes if they are at the remote where they are here. */
static void prepare_notes(struct mirror *mirror, git_remote *remote, struct push *push, struct error *problem)
{
    git_oid there, here;
    mirror_read_notes_tip(mirror, &here);
    advertised(remote, mirror->notes, &there);
    push->has_notes = git_oid_equal(&there, &here) &&
                      mirror_make_notes(mirror, &here, push->request, &push->made, problem) == 0;
}

static bool wants_notes(const struct mirror *mirror, const struct push_request *request)
{
    return mirror->notes && !mirror->notes_refused && request->notes_len > 0;
}

static void push_release(struct push *push)
{
    strbuf_release(&push->branch.why);
    strbuf_release(&push->notes.why);
}

#define PUSH_INIT(wanted)                                                                                    \
    {                                                                                                        \
        .request = (wanted), .branch = {.why = STRBUF_INIT_MAX(LIMIT_PROCESS_STDERR_BYTES)}, .notes = {      \
            .why = STRBUF_INIT_MAX(LIMIT_PROCESS_STDERR_BYTES)                                               \
        }                                                                                                    \
    }

/* The remote took the notes and not the branch: the next notes are made without them. */
static void note_orphans(struct mirror *mirror, const struct push_request *request)
{
    for (size_t i = 0; i < request->notes_len; i++) {
        if (!strvec_contains(&mirror->orphans, request->notes[i].commit))
            strvec_push(&mirror->orphans, request->notes[i].commit);
    }
}

/* The remote has the notes of `made`. */
static int take_notes(struct mirror *mirror, const git_oid *made, struct error *err)
{
    strvec_release(&mirror->orphans);
    return mirror_write_notes_tip(mirror, made, err);
}

/* The branch, and the notes beside it where `with_notes` and they can be: *are_noted. */
static int push_branch(struct mirror *mirror, const struct push_request *request, bool with_notes,
                       bool *are_noted, struct error *problem, struct error *err)
{
    CLEANUP(release_remote) git_remote *remote = NULL;
    CLEANUP(push_release) struct push push = PUSH_INIT(request);
    AUTO_FREE char *name = xasprintf("refs/heads/%s", mirror->branch);
    push.has_branch = true;
    git_oid tip;
    if (git_oid_fromstr(&push.commit, request->commit) < 0 || git_oid_fromstr(&push.base, request->base) < 0)
        return library_error(err, "no commit ids");
    if (mirror_connect(mirror, GIT_DIRECTION_PUSH, &remote, err) < 0)
        return -1;
    bool is_there = advertised(remote, name, &tip);
    if (is_there && git_oid_equal(&tip, &push.commit)) /* an earlier push whose answer was lost */
        return mirror_write_head(mirror, &push.commit, err);
    if (!is_there || !git_oid_equal(&tip, &push.base))
        return conflict(mirror, is_there ? "" : "it is not there any more", err);
    if (with_notes)
        prepare_notes(mirror, remote, &push, problem);
    int result = upload_refs(mirror, remote, &push, err);
    bool is_note_there = push.has_notes && push.notes.is_known && !push.notes.why.len;
    *are_noted = push.has_notes && (result < 0 || is_note_there);
    if (push.branch.why.len && is_note_there)
        note_orphans(mirror, request);
    if (result == 0 && *are_noted)
        result = take_notes(mirror, &push.made, err);
    return result < 0 ? -1 : mirror_write_head(mirror, &push.commit, err);
}

/* -- notes alone ----------------------------------------------------------------------------------------- */

/* Where somebody else's notes came first. */
static int push_notes_once(struct mirror *mirror, const struct push_request *request, struct error *problem)
{
    CLEANUP(release_remote) git_remote *remote = NULL;
    CLEANUP(push_release) struct push push = PUSH_INIT(request);
    if (mirror_fetch(mirror, problem) < 0 || mirror_connect(mirror, GIT_DIRECTION_PUSH, &remote, problem) < 0)
        return -1;
    prepare_notes(mirror, remote, &push, problem);
    if (!push.has_notes)
        return problem->code ? -1
                             : error_set(problem, ERROR_CONFLICT, "%s moves all the time", mirror->notes);
    if (upload_refs(mirror, remote, &push, problem) < 0)
        return -1;
    return take_notes(mirror, &push.made, problem);
}

static void push_notes(struct mirror *mirror, const struct push_request *request, struct error *problem)
{
    for (int attempt = 1; attempt <= LIMIT_PUSH_ATTEMPTS; attempt++) {
        error_clear(problem);
        if (push_notes_once(mirror, request, problem) == 0)
            return;
        if (problem->code != ERROR_CONFLICT)
            break;
    }
    mirror->notes_refused = problem->code == ERROR_FORBIDDEN;
    error_wrap(problem, "the commit is pushed, its git note is not");
}

/* -- both ------------------------------------------------------------------------------------------------ */

static int push_all(struct mirror *mirror, const struct push_request *request, struct error *problem,
                    struct error *err)
{
    bool are_noted = false, with_notes = wants_notes(mirror, request);
    int result = push_branch(mirror, request, with_notes, &are_noted, problem, err);
    if (result < 0 && are_noted && err->code == ERROR_FORBIDDEN) {
        /* A hook refuses all of a push for one ref; the branch alone tells which it was. */
        const struct error refusal = *err;
        error_clear(err);
        result = push_branch(mirror, request, false, &are_noted, problem, err);
        if (result < 0)
            return -1;
        mirror->notes_refused = true;
        *problem = refusal;
        error_wrap(problem, "the commit is pushed, its git note is not, and notes are left out from now on");
        return 0;
    }
    if (result == 0 && with_notes && !are_noted)
        push_notes(mirror, request, problem);
    return result;
}

int mirror_push_with_notes(struct mirror *mirror, const struct push_request *request, struct error *problem,
                           struct error *err)
{
    error_clear(problem);
    if (!mirror->branch)
        return error_set(err, ERROR_INVALID, "commit %s was not made on a branch of %s", request->commit,
                         mirror->url.shown);
    bool taken = false;
    if (mirror_lock_enter(mirror, &taken, err) < 0)
        return -1;
    int result = push_all(mirror, request, problem, err);
    mirror_loose_gather(mirror);
    mirror_lock_leave(mirror, taken);
    return result;
}

int mirror_push(struct mirror *mirror, const char *commit_id, struct error *err)
{
    CLEANUP(release_commit) git_commit *commit = NULL;
    char base[GIT_ID_SIZE];
    struct error problem;
    if (mirror_commit_lookup(mirror, commit_id, &commit, err) < 0)
        return -1;
    if (git_commit_parentcount(commit) != 1)
        return error_set(err, ERROR_INVALID, "commit %s was not made on a branch of %s", commit_id,
                         mirror->url.shown);
    git_oid_tostr(base, sizeof(base), git_commit_parent_id(commit, 0));
    const struct push_request request = {.base = base, .commit = commit_id};
    return mirror_push_with_notes(mirror, &request, &problem, err);
}
