/*
 * One connection: the remote's list of branches tells whether there is anything to download. What is
 * downloaded enters the mirror as a whole pack; only after it is there does the branch's ref move, so that a
 * process that dies at any moment leaves a mirror in which every object that a ref reaches is present.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "git/mirror_private.h"

/* Branch names shown in "there is no such branch": enough to find a slip, not a screen of them. */
#define SHOWN_BRANCHES 10

#define HEADS "refs/heads/"

struct heads {
    const git_remote_head **items;
    size_t len;
};

static const git_remote_head *find_head(const struct heads *heads, const char *name)
{
    for (size_t i = 0; i < heads->len; i++) {
        if (!strcmp(heads->items[i]->name, name))
            return heads->items[i];
    }
    return NULL;
}

static const git_remote_head *find_branch(const struct heads *heads, const char *branch)
{
    AUTO_FREE char *name = xasprintf(HEADS "%s", branch);
    return find_head(heads, name);
}

/* A short name that can be a branch of ours; a remote may send anything. */
static const char *branch_name(const git_remote_head *head)
{
    int is_valid = 0;
    if (!head || !str_starts_with(head->name, HEADS) ||
        git_reference_name_is_valid(&is_valid, head->name) < 0 || !is_valid)
        return NULL;
    return head->name + strlen(HEADS);
}

/*
 * The branch that the remote's HEAD names. A server that does not say so (an old one) is understood by the
 * commit; one whose HEAD names no branch that exists, by the two customary names, or because there is but
 * one.
 */
static const char *default_branch(const struct heads *heads)
{
    static const char *const customary[] = {"main", "master"};
    const git_remote_head *head = find_head(heads, "HEAD"), *only = NULL;
    if (head && head->symref_target)
        return branch_name(find_head(heads, head->symref_target));
    for (size_t i = 0; i < ARRAY_LEN(customary); i++) {
        const git_remote_head *branch = find_branch(heads, customary[i]);
        if (branch && (!head || git_oid_equal(&head->oid, &branch->oid)))
            return customary[i];
    }
    size_t candidates = 0;
    for (size_t i = 0; i < heads->len; i++) {
        if (branch_name(heads->items[i]) && (!head || git_oid_equal(&head->oid, &heads->items[i]->oid))) {
            only = heads->items[i];
            candidates++;
        }
    }
    return candidates == 1 || (head && candidates) ? branch_name(only) : NULL;
}

/* "main, next and 3 more". */
static size_t list_branches(const struct heads *heads, struct strbuf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < heads->len; i++) {
        const char *name = branch_name(heads->items[i]);
        if (name && count++ < SHOWN_BRANCHES)
            strbuf_addf(out, "%s%s", out->len ? ", " : "", name);
    }
    if (count > SHOWN_BRANCHES)
        strbuf_addf(out, " and %zu more", count - SHOWN_BRANCHES);
    return count;
}

/* Sets mirror->branch and finds where it is. */
static const git_remote_head *choose_branch(struct mirror *mirror, const struct heads *heads,
                                            struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf names = STRBUF_INIT;
    const char *branch = mirror->wanted ? mirror->wanted : default_branch(heads);
    const git_remote_head *head = branch ? find_branch(heads, branch) : NULL;
    if (head) {
        char *copy = xstrdup(branch);
        free(mirror->branch);
        mirror->branch = copy;
        return head;
    }
    if (!list_branches(heads, &names))
        error_set(err, ERROR_NOT_FOUND, "%s has no branch yet: push a first commit to it", mirror->url.shown);
    else if (branch)
        error_set(err, ERROR_NOT_FOUND, "%s has no branch %s; it has %s", mirror->url.shown, branch,
                  names.buf);
    else
        error_set(err, ERROR_NOT_FOUND, "the HEAD of %s names no branch; name one of %s", mirror->url.shown,
                  names.buf);
    return NULL;
}

/* So that the next run knows the branch before it has asked. */
static int remember_default(struct mirror *mirror, struct error *err)
{
    CLEANUP(release_reference) git_reference *old = NULL;
    CLEANUP(release_reference) git_reference *reference = NULL;
    AUTO_FREE char *target = xasprintf(MIRROR_ORIGIN "%s", mirror->branch);
    if (mirror->wanted)
        return 0;
    if (git_reference_lookup(&old, mirror->repository, MIRROR_DEFAULT) == 0 &&
        git_reference_symbolic_target(old) && !strcmp(git_reference_symbolic_target(old), target))
        return 0;
    if (git_reference_symbolic_create(&reference, mirror->repository, MIRROR_DEFAULT, target, 1, NULL) < 0)
        return library_error(err, "cannot note the default branch in the mirror of %s", mirror->url.shown);
    return 0;
}

/* An error that speaks of objects that should have been here: the mirror, not the remote, is to blame. */
static bool is_damage(const struct transport *t)
{
    const git_error *last = git_error_last();
    return t->error.code == ERROR_NONE && last &&
           (last->klass == GIT_ERROR_ODB || last->klass == GIT_ERROR_OBJECT || last->klass == GIT_ERROR_ZLIB);
}

/* The refs in `refspecs`, which end with NULL. */
static int download(struct mirror *mirror, git_remote *remote, char **refspecs, struct error *err)
{
    const git_strarray wanted = {refspecs, refspecs[1] ? 2 : 1};
    git_fetch_options options;
    git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    options.prune = GIT_FETCH_NO_PRUNE;
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    transport_begin(mirror->transport, &options.callbacks);
    if (git_remote_download(remote, &wanted, &options) == 0)
        return 0;
    if (is_damage(mirror->transport))
        mirror_store_mark_damaged(mirror);
    return transport_explain(mirror->transport, err);
}

static int take_branch(struct mirror *mirror, const git_oid *id, struct error *err)
{
    CLEANUP(release_commit) git_commit *commit = NULL;
    char hex[GIT_ID_SIZE];
    git_oid_tostr(hex, sizeof(hex), id);
    if (mirror_commit_lookup(mirror, hex, &commit, err) < 0)
        return error_wrap(err, "%s sent something else than its branch %s", mirror->url.shown,
                          mirror->branch);
    return mirror_write_head(mirror, id, err);
}

/* Notes that the remote has no longer are none here either: ours could never be pushed on top of them. */
static int drop_deleted_notes(struct mirror *mirror, const struct heads *heads, struct error *err)
{
    git_oid here;
    if (!mirror->notes || find_head(heads, mirror->notes))
        return 0;
    mirror_read_notes_tip(mirror, &here);
    if (git_oid_is_zero(&here) || git_reference_remove(mirror->repository, mirror->notes) == 0)
        return 0;
    return library_error(err, "cannot remove %s from the mirror of %s", mirror->notes, mirror->url.shown);
}

/* The remote's notes, if they are other than those that are here. */
static const git_remote_head *find_notes(const struct mirror *mirror, const struct heads *heads)
{
    git_oid here;
    const git_remote_head *notes = mirror->notes ? find_head(heads, mirror->notes) : NULL;
    if (!notes)
        return NULL;
    mirror_read_notes_tip(mirror, &here);
    return git_oid_equal(&here, &notes->oid) ? NULL : notes;
}

static bool is_known(struct mirror *mirror, const git_oid *id)
{
    AUTO_FREE char *name = xasprintf(MIRROR_ORIGIN "%s", mirror->branch);
    git_oid seen;
    return git_reference_name_to_id(&seen, mirror->repository, name) == 0 && git_oid_equal(&seen, id);
}

static int fetch_from(struct mirror *mirror, git_remote *remote, struct error *err)
{
    struct heads heads = {NULL, 0};
    if (git_remote_ls(&heads.items, &heads.len, remote) < 0)
        return library_error(err, "%s", mirror->url.shown);
    const git_remote_head *head = choose_branch(mirror, &heads, err);
    if (!head || drop_deleted_notes(mirror, &heads, err) < 0)
        return -1;
    const git_remote_head *notes = find_notes(mirror, &heads);
    const git_oid id = head->oid, notes_id = notes ? notes->oid : id;
    AUTO_FREE char *branch_refspec =
        xasprintf("+" HEADS "%s:" MIRROR_ORIGIN "%s", mirror->branch, mirror->branch);
    AUTO_FREE char *notes_refspec = notes ? xasprintf("+%s:%s", mirror->notes, mirror->notes) : NULL;
    char *refspecs[] = {branch_refspec, notes_refspec, NULL};
    bool is_old = is_known(mirror, &id);
    if (is_old)
        git_oid_tostr(mirror->head, sizeof(mirror->head), &id);
    if (is_old && !notes)
        return remember_default(mirror, err);
    if (download(mirror, remote, refspecs, err) < 0)
        return -1;
    if (take_branch(mirror, &id, err) < 0 || remember_default(mirror, err) < 0 ||
        (notes && mirror_write_notes_tip(mirror, &notes_id, err) < 0))
        return -1;
    mirror_packs_gather(mirror);
    return 0;
}

int mirror_fetch(struct mirror *mirror, struct error *err)
{
    bool taken = false;
    if (mirror_lock_enter(mirror, &taken, err) < 0)
        return -1;
    git_remote *remote = NULL;
    int result = mirror_connect(mirror, GIT_DIRECTION_FETCH, &remote, err);
    if (result == 0)
        result = fetch_from(mirror, remote, err);
    release_remote(&remote);
    mirror_lock_leave(mirror, taken);
    return result;
}
