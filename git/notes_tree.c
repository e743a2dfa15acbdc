#include "git/notes_tree.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

#define PREFIX_DIGITS 2

struct spreading {
    struct mirror *mirror;
    const git_tree *flat;
    git_treebuilder *root;
    struct error *err;
};

static void release_builder(git_treebuilder **builder)
{
    git_treebuilder_free(*builder);
}

static bool is_note(const git_tree_entry *entry)
{
    const char *name = git_tree_entry_name(entry);
    size_t len = strspn(name, "0123456789abcdef");
    return len == GIT_OID_HEXSZ && !name[len] && git_tree_entry_type(entry) == GIT_OBJECT_BLOB;
}

static size_t count_notes(const git_tree *tree)
{
    size_t count = 0;
    for (size_t i = 0; i < git_tree_entrycount(tree); i++)
        count += is_note(git_tree_entry_byindex(tree, i));
    return count;
}

static int fail(const struct spreading *s)
{
    return library_error(s->err, "cannot spread the notes in the mirror of %s", s->mirror->url.shown);
}

/* The directory as it is, or a new one. A file of that name stays, and so do its notes: *out is NULL. */
static int open_directory(const struct spreading *s, const char *name, git_treebuilder **out)
{
    CLEANUP(release_tree) git_tree *old = NULL;
    const git_tree_entry *entry = git_tree_entry_byname(s->flat, name);
    *out = NULL;
    if (entry && git_tree_entry_type(entry) != GIT_OBJECT_TREE)
        return 0;
    if ((entry && git_tree_lookup(&old, s->mirror->repository, git_tree_entry_id(entry)) < 0) ||
        git_treebuilder_new(out, s->mirror->repository, old) < 0)
        return fail(s);
    return 0;
}

static int move_note(const struct spreading *s, const git_tree_entry *entry, git_treebuilder *directory)
{
    const char *name = git_tree_entry_name(entry);
    if (git_treebuilder_get(directory, name + PREFIX_DIGITS))
        return 0;
    if (git_treebuilder_insert(NULL, directory, name + PREFIX_DIGITS, git_tree_entry_id(entry),
                               git_tree_entry_filemode(entry)) < 0 ||
        git_treebuilder_remove(s->root, name) < 0)
        return fail(s);
    return 0;
}

/* All that begins as the first-th entry does, a note, stands together; *end is behind it. */
static int move_group(const struct spreading *s, size_t first, size_t *end)
{
    CLEANUP(release_builder) git_treebuilder *directory = NULL;
    const char *name = git_tree_entry_name(git_tree_entry_byindex(s->flat, first));
    AUTO_FREE char *prefix = xmemdupz(name, PREFIX_DIGITS);
    if (open_directory(s, prefix, &directory) < 0)
        return -1;
    for (*end = first; *end < git_tree_entrycount(s->flat); (*end)++) {
        const git_tree_entry *entry = git_tree_entry_byindex(s->flat, *end);
        if (strncmp(git_tree_entry_name(entry), prefix, PREFIX_DIGITS) != 0)
            break;
        if (directory && is_note(entry) && move_note(s, entry, directory) < 0)
            return -1;
    }
    git_oid id;
    if (directory && (git_treebuilder_write(&id, directory) < 0 ||
                      git_treebuilder_insert(NULL, s->root, prefix, &id, GIT_FILEMODE_TREE) < 0))
        return fail(s);
    return 0;
}

static int move_all(const struct spreading *s, git_oid *tree)
{
    for (size_t i = 0, end; i < git_tree_entrycount(s->flat); i = end) {
        end = i + 1;
        if (is_note(git_tree_entry_byindex(s->flat, i)) && move_group(s, i, &end) < 0)
            return -1;
    }
    return git_treebuilder_write(tree, s->root) < 0 ? fail(s) : 0;
}

static int commit_on(const struct spreading *s, const git_commit *tip, const git_signature *author,
                     const git_oid *tree_id, git_oid *made)
{
    CLEANUP(release_tree) git_tree *tree = NULL;
    if (git_tree_lookup(&tree, s->mirror->repository, tree_id) < 0 ||
        git_commit_create_v(made, s->mirror->repository, NULL, author, author, NULL,
                            "Notes moved into directories by 'pawl'\n", tree, 1, tip) < 0)
        return fail(s);
    return 0;
}

int notes_tree_spread(struct mirror *mirror, const git_signature *author, git_oid *tip, struct error *err)
{
    CLEANUP(release_commit) git_commit *commit = NULL;
    CLEANUP(release_tree) git_tree *flat = NULL;
    CLEANUP(release_builder) git_treebuilder *root = NULL;
    struct spreading s = {.mirror = mirror, .err = err};
    git_oid tree, made;
    if (git_oid_is_zero(tip))
        return 0;
    if (git_commit_lookup(&commit, mirror->repository, tip) < 0 || git_commit_tree(&flat, commit) < 0)
        return fail(&s);
    if (count_notes(flat) <= LIMIT_NOTES_FLAT)
        return 0;
    if (git_treebuilder_new(&root, mirror->repository, flat) < 0)
        return fail(&s);
    s.flat = flat;
    s.root = root;
    if (move_all(&s, &tree) < 0 || commit_on(&s, commit, author, &tree, &made) < 0)
        return -1;
    *tip = made;
    return 0;
}
