/* Making commits without an index or a work tree: new blobs, the trees on the way to them, one commit. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strmap.h"
#include "git/commit_pack.h"
#include "git/mirror_private.h"

/* From so many files on their objects are written as one pack. Fewer are as fast by themselves, and packs are gathered
 * into larger ones now and then, which costs time of its own. */
#define PACK_FILES 16

/* The file as the parent has it: it must be there, and its mode stays. */
static int find_mode(const git_tree *tree, const char *path, git_filemode_t *mode, struct error *err)
{
    CLEANUP(release_tree_entry) git_tree_entry *entry = NULL;
    if (git_tree_entry_bypath(&entry, tree, path) < 0)
        return error_set(err, ERROR_NOT_FOUND, "the parent commit has no file %s", path);
    *mode = git_tree_entry_filemode(entry);
    if (*mode != GIT_FILEMODE_BLOB && *mode != GIT_FILEMODE_BLOB_EXECUTABLE)
        return error_set(err, ERROR_INVALID, "%s is not a regular file in the parent commit", path);
    return 0;
}

static int build_tree(git_repository *repository, git_tree *tree, const struct commit_file *files, size_t len,
                      git_oid *id, struct error *err)
{
    AUTO_FREE git_tree_update *updates = xcalloc(len, sizeof(*updates));
    CLEANUP(strmap_release) struct strmap seen = STRMAP_INIT;
    for (size_t i = 0; i < len; i++) {
        if (strmap_has(&seen, files[i].path))
            return error_set(err, ERROR_INVALID, "%s is to be changed twice in one commit", files[i].path);
        strmap_set(&seen, files[i].path, NULL);
        updates[i] = (git_tree_update){.action = GIT_TREE_UPDATE_UPSERT, .path = files[i].path};
        if (find_mode(tree, files[i].path, &updates[i].filemode, err) < 0)
            return -1;
        if (git_blob_create_from_buffer(&updates[i].id, repository, files[i].bytes, files[i].len) < 0)
            return library_error(err, "cannot store %s", files[i].path);
    }
    if (git_tree_create_updated(id, repository, tree, len, updates) < 0)
        return library_error(err, "cannot store the changed directories");
    if (git_oid_equal(id, git_tree_id(tree)))
        return error_set(err, ERROR_INVALID, "the commit would change nothing");
    return 0;
}

static int make_signature(const char *name, const char *email, int64_t when_ms, git_signature **signature,
                          struct error *err)
{
    if (git_signature_new(signature, name, email, when_ms / 1000, 0) == 0)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "\"%s <%s>\" is no author of a commit: set a name and an e-mail address", name, email);
}

static int make_committer(const struct commit_author *author, git_signature **signature, struct error *err)
{
    bool is_other = author->committer_name != NULL;
    return make_signature(is_other ? author->committer_name : author->name,
                          is_other ? author->committer_email : author->email, author->when_ms, signature,
                          err);
}

static int lookup_parent(struct mirror *mirror, git_repository *repository, const char *id,
                         git_commit **parent, git_tree **tree, struct error *err)
{
    CLEANUP(release_commit) git_commit *found = NULL;
    if (mirror_commit_lookup(mirror, id, &found, err) < 0)
        return -1;
    if (git_commit_lookup(parent, repository, git_commit_id(found)) < 0 || git_commit_tree(tree, *parent) < 0)
        return library_error(err, "cannot read the tree of %s", id);
    return 0;
}

/* Writes to `repository`: the mirror's own, or the one in memory. */
static int create(struct mirror *mirror, git_repository *repository, const char *parent_id,
                  const struct commit_file *files, size_t len, const struct commit_author *author,
                  const char *message, git_oid *id, struct error *err)
{
    CLEANUP(release_commit) git_commit *parent = NULL;
    CLEANUP(release_tree) git_tree *old = NULL;
    CLEANUP(release_tree) git_tree *new = NULL;
    CLEANUP(release_signature) git_signature *signature = NULL;
    CLEANUP(release_signature) git_signature *committer = NULL;
    git_oid tree_id;
    if (make_signature(author->name, author->email, author->when_ms, &signature, err) < 0 ||
        make_committer(author, &committer, err) < 0 ||
        lookup_parent(mirror, repository, parent_id, &parent, &old, err) < 0 ||
        build_tree(repository, old, files, len, &tree_id, err) < 0)
        return -1;
    const git_commit *parents[] = {parent};
    if (git_tree_lookup(&new, repository, &tree_id) < 0 ||
        git_commit_create(id, repository, NULL, signature, committer, NULL, message, new, 1, parents) < 0)
        return library_error(err, "cannot store the commit");
    return 0;
}

static int create_packed(struct mirror *mirror, const char *parent_id, const struct commit_file *files,
                         size_t len, const struct commit_author *author, const char *message, git_oid *id,
                         struct error *err)
{
    CLEANUP(commit_pack_release) struct commit_pack pack = {.repository = NULL};
    if (commit_pack_open(mirror, &pack, err) < 0 ||
        create(mirror, pack.repository, parent_id, files, len, author, message, id, err) < 0)
        return -1;
    return commit_pack_write(&pack, mirror, id, err);
}

int mirror_commit(struct mirror *mirror, const char *parent, const struct commit_file *files, size_t len,
                  const struct commit_author *author, const char *message, char commit[GIT_ID_SIZE],
                  struct error *err)
{
    bool taken = false;
    git_oid id;
    if (mirror_lock_enter(mirror, &taken, err) < 0)
        return -1;
    int result = len < PACK_FILES
                     ? create(mirror, mirror->repository, parent, files, len, author, message, &id, err)
                     : create_packed(mirror, parent, files, len, author, message, &id, err);
    mirror_lock_leave(mirror, taken);
    if (result < 0)
        return error_wrap(err, "making a commit for %s", mirror->url.shown);
    git_oid_tostr(commit, GIT_ID_SIZE, &id);
    return 0;
}
