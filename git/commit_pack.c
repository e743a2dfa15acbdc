#include "git/commit_pack.h"

#include <git2/sys/mempack.h>

/* Before all others, so that it is what objects are written to. */
#define PRIORITY 1000

void commit_pack_release(struct commit_pack *pack)
{
    release_repository(&pack->repository);
}

int commit_pack_open(const struct mirror *mirror, struct commit_pack *pack, struct error *err)
{
    CLEANUP(release_odb) git_odb *odb = NULL;
    git_odb_backend *memory = NULL;
    if (git_repository_open_bare(&pack->repository, mirror->directory) < 0 ||
        git_repository_odb(&odb, pack->repository) < 0 || git_mempack_new(&memory) < 0)
        return library_error(err, "cannot open %s", mirror->directory);
    if (git_odb_add_backend(odb, memory, PRIORITY) < 0) {
        memory->free(memory);
        return library_error(err, "cannot open %s", mirror->directory);
    }
    return 0;
}

static int insert_difference(git_repository *repository, git_packbuilder *builder, const git_oid *old_id,
                             const git_oid *new_id);

/* `old`: what has the name in the parent; NULL: nothing. */
static int insert_entry(git_repository *repository, git_packbuilder *builder, const git_tree_entry *old,
                        const git_tree_entry *new)
{
    if (old && git_oid_equal(git_tree_entry_id(old), git_tree_entry_id(new)))
        return 0;
    if (git_tree_entry_type(new) == GIT_OBJECT_BLOB)
        return git_packbuilder_insert(builder, git_tree_entry_id(new), NULL);
    bool had_tree = old && git_tree_entry_type(old) == GIT_OBJECT_TREE;
    return git_tree_entry_type(new) == GIT_OBJECT_TREE
               ? insert_difference(repository, builder, had_tree ? git_tree_entry_id(old) : NULL,
                                   git_tree_entry_id(new))
               : 0;
}

/* Depth is bounded: the paths that were changed were found by a walk that is. */
static int insert_difference(git_repository *repository, git_packbuilder *builder, const git_oid *old_id,
                             const git_oid *new_id)
{
    CLEANUP(release_tree) git_tree *old = NULL;
    CLEANUP(release_tree) git_tree *new = NULL;
    if (git_packbuilder_insert(builder, new_id, NULL) < 0 || git_tree_lookup(&new, repository, new_id) < 0 ||
        (old_id && git_tree_lookup(&old, repository, old_id) < 0))
        return -1;
    for (size_t i = 0; i < git_tree_entrycount(new); i++) {
        const git_tree_entry *entry = git_tree_entry_byindex(new, i);
        const git_tree_entry *before = old ? git_tree_entry_byname(old, git_tree_entry_name(entry)) : NULL;
        if (insert_entry(repository, builder, before, entry) < 0)
            return -1;
    }
    return 0;
}

static int insert_commit(git_repository *repository, git_packbuilder *builder, const git_oid *id)
{
    CLEANUP(release_commit) git_commit *commit = NULL;
    CLEANUP(release_commit) git_commit *parent = NULL;
    if (git_commit_lookup(&commit, repository, id) < 0 || git_packbuilder_insert(builder, id, NULL) < 0 ||
        git_commit_parent(&parent, commit, 0) < 0)
        return -1;
    return insert_difference(repository, builder, git_commit_tree_id(parent), git_commit_tree_id(commit));
}

int commit_pack_write(struct commit_pack *pack, struct mirror *mirror, const git_oid *commit,
                      struct error *err)
{
    CLEANUP(release_packbuilder) git_packbuilder *builder = NULL;
    CLEANUP(release_odb) git_odb *odb = NULL;
    if (git_packbuilder_new(&builder, pack->repository) < 0 ||
        insert_commit(pack->repository, builder, commit) < 0 ||
        git_packbuilder_write(builder, NULL, 0, NULL, NULL) < 0 ||
        git_repository_odb(&odb, mirror->repository) < 0 || git_odb_refresh(odb) < 0)
        return library_error(err, "cannot store the commit's objects in %s", mirror->directory);
    return 0;
}
