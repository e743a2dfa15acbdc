/* A tree object is a list of "MODE NAME", a NUL and an id in bytes, sorted as if directories' names ended in "/". */
#include "git/commit_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define MODE_DIRECTORY 040000u
#define MODE_TYPE      0170000u /* as in stat(2) */
#define MODE_REGULAR   0100000u

struct entry {
    const char *name; /* in the tree's text */
    size_t len;
    unsigned mode;
    size_t id_at; /* in the tree's text */
};

struct tree {
    char *text;
    size_t len;
    struct entry *entries;
    size_t entries_len, entries_capacity;
};

/* Of the files that are written, [first, end). */
struct range {
    size_t first, end;
};

struct writing {
    struct mirror *mirror;
    struct object_writer *writer;
    git_odb *odb;
    const struct commit_file **files; /* by their paths */
    struct error *err;
};

static void release_tree_text(struct tree *tree)
{
    free(tree->text);
    free(tree->entries);
}

/* The entry that begins at *at, which moves behind it; false if there is none. */
static bool read_entry(const struct tree *tree, size_t *at, struct entry *out)
{
    const char *start = tree->text + *at, *end = memchr(start, '\0', tree->len - *at);
    char *name = NULL;
    unsigned long mode = end ? strtoul(start, &name, 8) : 0;
    if (!end || name == start || *name != ' ' || tree->len - (size_t)(end - tree->text) <= GIT_OID_RAWSZ)
        return false;
    *out = (struct entry){.name = name + 1, .len = (size_t)(end - name) - 1, .mode = (unsigned)mode};
    out->id_at = (size_t)(end - tree->text) + 1;
    *at = out->id_at + GIT_OID_RAWSZ;
    return true;
}

static int read_tree(const struct writing *w, const git_oid *id, struct tree *tree)
{
    CLEANUP(release_odb_object) git_odb_object *object = NULL;
    bool is_read = git_odb_read(&object, w->odb, id) == 0 && git_odb_object_type(object) == GIT_OBJECT_TREE;
    if (is_read) {
        tree->len = git_odb_object_size(object);
        tree->text = xmemdupz(git_odb_object_data(object), tree->len);
    }
    for (size_t at = 0; is_read && at < tree->len;) {
        vec_grow(tree->entries, tree->entries_len, tree->entries_capacity);
        is_read = read_entry(tree, &at, &tree->entries[tree->entries_len]);
        tree->entries_len += is_read;
    }
    if (is_read)
        return 0;
    mirror_store_mark_damaged(w->mirror);
    return error_set(w->err, ERROR_IO, "the mirror of %s is damaged and will be made anew",
                     w->mirror->url.shown);
}

/* git's order of names. */
static int compare_names(const char *a, size_t a_len, bool a_is_directory, const struct entry *b)
{
    size_t shorter = a_len < b->len ? a_len : b->len;
    int order = memcmp(a, b->name, shorter);
    unsigned char a_next = a_len > shorter ? (unsigned char)a[shorter] : (a_is_directory ? '/' : '\0');
    unsigned char b_next = b->len > shorter ? (unsigned char)b->name[shorter]
                                            : ((b->mode & MODE_TYPE) == MODE_DIRECTORY ? '/' : '\0');
    return order ? order : a_next - b_next;
}

static const struct entry *find_entry(const struct tree *tree, const char *name, size_t len,
                                      bool is_directory)
{
    size_t low = 0, high = tree->entries_len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_names(name, len, is_directory, &tree->entries[middle]);
        if (order == 0)
            return &tree->entries[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* A file as the parent has it: it must be there, and its mode stays. */
static int write_file(const struct writing *w, const struct tree *tree, const struct commit_file *file,
                      const char *name, const struct entry **entry, git_oid *id)
{
    *entry = find_entry(tree, name, strlen(name), false);
    if (!*entry && !find_entry(tree, name, strlen(name), true))
        return error_set(w->err, ERROR_NOT_FOUND, "the parent commit has no file %s", file->path);
    if (!*entry || ((*entry)->mode & MODE_TYPE) != MODE_REGULAR)
        return error_set(w->err, ERROR_INVALID, "%s is not a regular file in the parent commit", file->path);
    return object_writer_add(w->writer, GIT_OBJECT_BLOB, file->bytes, file->len, id, w->err);
}

static int write_tree(const struct writing *w, const git_oid *old, struct range files, size_t prefix,
                      git_oid *id);

/* Those of the files, from the first on, that are below the same directory. */
static struct range files_below(const struct writing *w, struct range files, size_t prefix)
{
    struct range below = {files.first, files.first + 1};
    const char *path = w->files[files.first]->path;
    while (below.end < files.end && !strncmp(w->files[below.end]->path, path, prefix))
        below.end++;
    return below;
}

static int write_directory(const struct writing *w, const struct tree *tree, struct range below,
                           size_t prefix, size_t len, const struct entry **entry, git_oid *id)
{
    const char *path = w->files[below.first]->path;
    git_oid old;
    *entry = find_entry(tree, path + prefix, len, true);
    if (!*entry)
        return error_set(w->err, ERROR_NOT_FOUND, "the parent commit has no file %s", path);
    memcpy(old.id, tree->text + (*entry)->id_at, GIT_OID_RAWSZ);
    return write_tree(w, &old, below, prefix + len + 1, id);
}

/* `prefix` is the length of the directory's path with its "/". Each level is a tree that was read, so depth is bounded by
 * what the commit has. */
static int write_tree(const struct writing *w, const git_oid *old, struct range files, size_t prefix,
                      git_oid *id)
{
    CLEANUP(release_tree_text) struct tree tree = {.text = NULL};
    if (read_tree(w, old, &tree) < 0)
        return -1;
    while (files.first < files.end) {
        const struct commit_file *file = w->files[files.first];
        const char *name = file->path + prefix, *slash = strchr(name, '/');
        const struct entry *entry;
        git_oid child;
        struct range below = {files.first, files.first + 1};
        size_t len = slash ? (size_t)(slash - name) : 0;
        if (slash)
            below = files_below(w, files, prefix + len + 1);
        if ((slash ? write_directory(w, &tree, below, prefix, len, &entry, &child)
                   : write_file(w, &tree, file, name, &entry, &child)) < 0)
            return -1;
        memcpy(tree.text + entry->id_at, child.id, GIT_OID_RAWSZ);
        files.first = below.end;
    }
    return object_writer_add(w->writer, GIT_OBJECT_TREE, tree.text, tree.len, id, w->err);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp((*(const struct commit_file *const *)a)->path,
                  (*(const struct commit_file *const *)b)->path);
}

int commit_tree_write(struct mirror *mirror, struct object_writer *writer, const git_oid *root,
                      const struct commit_file *files, size_t len, git_oid *id, struct error *err)
{
    CLEANUP(release_odb) git_odb *odb = NULL;
    AUTO_FREE const struct commit_file **sorted = xcalloc(len + 1, sizeof(*sorted));
    for (size_t i = 0; i < len; i++)
        sorted[i] = &files[i];
    qsort(sorted, len, sizeof(*sorted), compare_paths);
    for (size_t i = 1; i < len; i++) {
        if (!strcmp(sorted[i - 1]->path, sorted[i]->path))
            return error_set(err, ERROR_INVALID, "%s is to be changed twice in one commit", sorted[i]->path);
    }
    if (git_repository_odb(&odb, mirror->repository) < 0)
        return library_error(err, "cannot read the mirror of %s", mirror->url.shown);
    const struct writing w = {.mirror = mirror, .writer = writer, .odb = odb, .files = sorted, .err = err};
    if (write_tree(&w, root, (struct range){0, len}, 0, id) < 0)
        return -1;
    if (git_oid_equal(id, root))
        return error_set(err, ERROR_INVALID, "the commit would change nothing");
    return 0;
}
