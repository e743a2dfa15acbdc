/* Git notes: reading them, and making the commit that adds some. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "git/mirror_private.h"
#include "git/notes_tree.h"

void mirror_read_notes_tip(const struct mirror *mirror, git_oid *tip)
{
    memset(tip, 0, sizeof(*tip));
    if (mirror->notes && git_reference_name_to_id(tip, mirror->repository, mirror->notes) < 0)
        memset(tip, 0, sizeof(*tip));
}

int mirror_write_notes_tip(struct mirror *mirror, const git_oid *tip, struct error *err)
{
    CLEANUP(release_reference) git_reference *reference = NULL;
    if (git_reference_create(&reference, mirror->repository, mirror->notes, tip, 1, NULL) == 0)
        return 0;
    return library_error(err, "cannot write %s in the mirror of %s", mirror->notes, mirror->url.shown);
}

static int add_note(struct mirror *mirror, const git_signature *author, const struct commit_note *note,
                    git_oid *tip, struct error *err)
{
    CLEANUP(release_commit) git_commit *parent = NULL;
    git_oid target, made, blob;
    bool is_first = git_oid_is_zero(tip);
    if (git_oid_fromstr(&target, note->commit) < 0 ||
        (!is_first && git_commit_lookup(&parent, mirror->repository, tip) < 0) ||
        git_note_commit_create(&made, &blob, mirror->repository, parent, author, author, &target, note->text,
                               1) < 0)
        return library_error(err, "cannot make the note of %.7s", note->commit);
    *tip = made;
    return 0;
}

/* Notes of what is not in the branch. One that is not there has been removed by somebody else. */
static void remove_orphans(struct mirror *mirror, const git_signature *author, git_oid *tip)
{
    for (size_t i = 0; i < mirror->orphans.len && !git_oid_is_zero(tip); i++) {
        CLEANUP(release_commit) git_commit *parent = NULL;
        git_oid target, made;
        if (git_oid_fromstr(&target, mirror->orphans.items[i]) == 0 &&
            git_commit_lookup(&parent, mirror->repository, tip) == 0 &&
            git_note_commit_remove(&made, mirror->repository, parent, author, author, &target) == 0)
            *tip = made;
    }
}

int mirror_make_notes(struct mirror *mirror, const git_oid *tip, const struct push_request *request,
                      git_oid *made, struct error *err)
{
    CLEANUP(release_signature) git_signature *author = NULL;
    const struct commit_author *who = &request->notes_author;
    if (git_signature_new(&author, who->name, who->email, who->when_ms / 1000, 0) < 0)
        return library_error(err, "\"%s <%s>\" is no author of a note", who->name, who->email);
    *made = *tip;
    remove_orphans(mirror, author, made);
    if (notes_tree_spread(mirror, author, made, err) < 0)
        return -1;
    for (size_t i = 0; i < request->notes_len; i++) {
        if (add_note(mirror, author, &request->notes[i], made, err) < 0)
            return -1;
    }
    return 0;
}

static void release_note(git_note **note)
{
    git_note_free(*note);
}

int mirror_read_note(struct mirror *mirror, const char *commit, struct strbuf *out, struct error *err)
{
    CLEANUP(release_commit) git_commit *notes = NULL;
    CLEANUP(release_note) git_note *note = NULL;
    git_oid id, tip;
    mirror_read_notes_tip(mirror, &tip);
    if (git_oid_is_zero(&tip) || git_oid_fromstr(&id, commit) < 0 ||
        git_commit_lookup(&notes, mirror->repository, &tip) < 0 ||
        git_note_commit_read(&note, mirror->repository, notes, &id) < 0)
        return error_set(err, ERROR_NOT_FOUND, "commit %.7s has no note", commit);
    const char *text = git_note_message(note);
    if (strlen(text) > LIMIT_NOTE_BYTES)
        return error_set(err, ERROR_TOO_LARGE, "the note of %.7s is longer than %u bytes", commit,
                         LIMIT_NOTE_BYTES);
    strbuf_addstr(out, text);
    return 0;
}
