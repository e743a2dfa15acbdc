/* Reading commits: the walk over a tree in git's order, and blobs. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "git/mirror_private.h"

struct tree_directory {
    const git_tree *tree;
};

struct walk {
    struct mirror *mirror;
    tree_skip skip;
    tree_visit visit;
    void *context;
    struct strbuf path; /* of what is being looked at */
    size_t entries;
};

static bool is_file(const git_tree_entry *entry)
{
    git_filemode_t mode = git_tree_entry_filemode(entry);
    return mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

bool tree_directory_has(const struct tree_directory *directory, const char *name)
{
    const git_tree_entry *entry = git_tree_entry_byname(directory->tree, name);
    return entry && is_file(entry);
}

static int visit_file(struct walk *walk, const git_tree_entry *entry, struct error *err)
{
    const char *slash = strrchr(walk->path.buf, '/');
    struct tree_file file = {
        .path = walk->path.buf,
        .name = slash ? slash + 1 : walk->path.buf,
        .is_executable = git_tree_entry_filemode(entry) == GIT_FILEMODE_BLOB_EXECUTABLE,
    };
    git_oid_tostr(file.blob, sizeof(file.blob), git_tree_entry_id(entry));
    return walk->visit(&file, walk->context, err);
}

/* Names that git itself refuses to store; what is written below a directory must stay there. */
static bool is_hostile(const char *name)
{
    return !*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..") ||
           !strcasecmp(name, ".git");
}

static int lookup_tree(const struct walk *walk, git_tree **tree, const git_oid *id, struct error *err)
{
    if (git_tree_lookup(tree, walk->mirror->repository, id) == 0)
        return 0;
    mirror_store_mark_damaged(walk->mirror);
    return library_error(err, "the mirror of %s is damaged at %s and will be made anew",
                         walk->mirror->url.shown, walk->path.len ? walk->path.buf : "the root");
}

static int walk_tree(struct walk *walk, const git_oid *id, unsigned depth, struct error *err);

static int walk_entry(struct walk *walk, const git_tree_entry *entry, unsigned depth, struct error *err)
{
    const char *name = git_tree_entry_name(entry);
    if (++walk->entries > LIMIT_GIT_TREE_ENTRIES)
        return error_set(err, ERROR_TOO_LARGE, "the commit has more than %u files", LIMIT_GIT_TREE_ENTRIES);
    if (is_hostile(name))
        return error_set(err, ERROR_INVALID, "the commit holds the name \"%s%s%s\", which git does not allow",
                         walk->path.buf, walk->path.len ? "/" : "", name);
    size_t before = walk->path.len;
    strbuf_addf(&walk->path, "%s%s", before ? "/" : "", name);
    int result = 0;
    if (git_tree_entry_type(entry) == GIT_OBJECT_TREE)
        result = walk_tree(walk, git_tree_entry_id(entry), depth + 1, err);
    else if (is_file(entry))
        result = visit_file(walk, entry, err);
    walk->path.len = before;
    walk->path.buf[before] = '\0';
    return result;
}

/* git keeps a tree's entries in the order of their paths, a directory's name counted with its slash. */
static int walk_tree(struct walk *walk, const git_oid *id, unsigned depth, struct error *err)
{
    CLEANUP(release_tree) git_tree *tree = NULL;
    if (depth > LIMIT_GIT_TREE_DEPTH)
        return error_set(err, ERROR_TOO_LARGE, "%s is nested deeper than %u directories", walk->path.buf,
                         LIMIT_GIT_TREE_DEPTH);
    if (lookup_tree(walk, &tree, id, err) < 0)
        return -1;
    const struct tree_directory directory = {tree};
    if (walk->skip && walk->skip(walk->path.buf, &directory, walk->context))
        return 0;
    for (size_t i = 0; i < git_tree_entrycount(tree); i++) {
        if (walk_entry(walk, git_tree_entry_byindex(tree, i), depth, err) < 0)
            return -1;
    }
    return 0;
}

/* "./a//b/" as git writes it: "a/b". */
static void normalise(const char *path, struct strbuf *out)
{
    for (const char *part = path; *part; part += strspn(part, "/")) {
        size_t len = strcspn(part, "/");
        if (len && !(len == 1 && *part == '.'))
            strbuf_addf(out, "%s%.*s", out->len ? "/" : "", (int)len, part);
        part += len;
    }
}

static int walk_path(struct walk *walk, const git_tree *root, struct error *err)
{
    CLEANUP(release_tree_entry) git_tree_entry *entry = NULL;
    if (git_tree_entry_bypath(&entry, root, walk->path.buf) < 0)
        return error_set(err, ERROR_NOT_FOUND, "the commit has no file or directory %s", walk->path.buf);
    if (git_tree_entry_type(entry) == GIT_OBJECT_TREE)
        return walk_tree(walk, git_tree_entry_id(entry), 1, err);
    if (!is_file(entry))
        return error_set(err, ERROR_NOT_FOUND, "%s is a symbolic link or a submodule, which are passed over",
                         walk->path.buf);
    return visit_file(walk, entry, err);
}

int mirror_walk(struct mirror *mirror, const char *commit_id, const char *path, tree_skip skip,
                tree_visit visit, void *context, struct error *err)
{
    CLEANUP(release_commit) git_commit *commit = NULL;
    CLEANUP(release_tree) git_tree *root = NULL;
    struct walk walk = {
        .mirror = mirror, .skip = skip, .visit = visit, .context = context, .path = STRBUF_INIT};
    if (mirror_commit_lookup(mirror, commit_id, &commit, err) < 0 ||
        lookup_tree(&walk, &root, git_commit_tree_id(commit), err) < 0)
        return -1;
    strbuf_addstr(&walk.path, ""); /* a buffer of its own, as entries are cut off again */
    normalise(path ? path : "", &walk.path);
    int result =
        walk.path.len ? walk_path(&walk, root, err) : walk_tree(&walk, git_commit_tree_id(commit), 0, err);
    strbuf_release(&walk.path);
    return result;
}

int mirror_read_blob(struct mirror *mirror, const char *blob, size_t limit, struct strbuf *out,
                     struct error *err)
{
    CLEANUP(release_odb) git_odb *odb = NULL;
    CLEANUP(release_odb_object) git_odb_object *object = NULL;
    git_oid id;
    size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    if (strlen(blob) != GIT_OID_HEXSZ || git_oid_fromstr(&id, blob) < 0)
        return error_set(err, ERROR_INVALID, "\"%s\" is no blob id", blob);
    if (git_repository_odb(&odb, mirror->repository) < 0)
        return library_error(err, "cannot read the mirror of %s", mirror->url.shown);
    int result = git_odb_read_header(&size, &type, odb, &id);
    if (result == 0 && type != GIT_OBJECT_BLOB)
        return error_set(err, ERROR_INVALID, "%s is no blob", blob);
    if (result == 0 && size > limit)
        return error_set(err, ERROR_TOO_LARGE, "the file has %zu bytes; the limit is %zu", size, limit);
    if (result == 0)
        result = git_odb_read(&object, odb, &id);
    if (result < 0) {
        mirror_store_mark_damaged(mirror);
        return library_error(err, "the mirror of %s is damaged and will be made anew", mirror->url.shown);
    }
    strbuf_add(out, git_odb_object_data(object), git_odb_object_size(object));
    return 0;
}
