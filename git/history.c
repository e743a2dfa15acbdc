#include "git/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strmap.h"
#include "git/mirror_private.h"
#include "model/manifest.h"

/* One commit changed one file; in the list of that file, oldest first. */
struct change {
    git_oid commit, before, after; /* zero: not there */
    size_t order;                  /* over all files; newer is greater */
};

struct file_changes {
    struct change *items;
    size_t len, capacity;
};

struct history {
    struct mirror *mirror;
    git_oid head; /* up to where it is read; zero: nothing is */
    bool is_cut;
    size_t commits, changes;
    struct strmap files; /* path -> struct file_changes */
    struct strmap moved; /* "COMMIT BLOB" -> the path that the commit took that blob away from */
};

/* What one walk found, newest first. */
struct found {
    char *path;
    struct change change;
};
struct walk {
    struct history *history;
    struct found *found;
    size_t len, capacity;
    struct strbuf path;
    git_commit *commit;
    size_t commits;
    bool is_cut;
};

static void free_changes(void *item)
{
    struct file_changes *file = item;
    free(file->items);
    free(file);
}

static void clear(struct history *h)
{
    strmap_release(&h->files);
    strmap_release(&h->moved);
    strmap_init(&h->files, free_changes);
    strmap_init(&h->moved, free);
    memset(&h->head, 0, sizeof(h->head));
    h->is_cut = false;
    h->commits = h->changes = 0;
}

struct history *history_new(struct mirror *mirror)
{
    struct history *h = xcalloc(1, sizeof(*h));
    h->mirror = mirror;
    clear(h);
    return h;
}

void history_free(struct history *h)
{
    if (!h)
        return;
    strmap_release(&h->files);
    strmap_release(&h->moved);
    free(h);
}

bool history_is_complete(const struct history *h)
{
    return !h->is_cut;
}

/* -- what differs between two trees ---------------------------------------------------------------------------- */

static int damaged(struct history *h, struct error *err)
{
    mirror_store_mark_damaged(h->mirror);
    return library_error(err, "the mirror of %s is damaged and will be made anew", h->mirror->url.shown);
}

static bool is_file(const git_tree_entry *entry)
{
    git_filemode_t mode = entry ? git_tree_entry_filemode(entry) : GIT_FILEMODE_UNREADABLE;
    return mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

static void add_change(struct walk *walk, const git_tree_entry *before, const git_tree_entry *after)
{
    if (!manifest_path_is_yaml(walk->path.buf))
        return;
    vec_grow(walk->found, walk->len, walk->capacity);
    struct found *found = &walk->found[walk->len++];
    *found = (struct found){.path = xstrdup(walk->path.buf)};
    found->change.commit = *git_commit_id(walk->commit);
    if (is_file(before))
        found->change.before = *git_tree_entry_id(before);
    if (is_file(after))
        found->change.after = *git_tree_entry_id(after);
}

static bool is_tree(const git_tree_entry *entry)
{
    return entry && git_tree_entry_type(entry) == GIT_OBJECT_TREE;
}

static int compare_trees(struct walk *walk, const git_oid *before, const git_oid *after, unsigned depth,
                         struct error *err);

/* Two entries of one name, that differ; or one, and NULL. */
static int compare_entries(struct walk *walk, const git_tree_entry *before, const git_tree_entry *after,
                           unsigned depth, struct error *err)
{
    size_t len = walk->path.len;
    strbuf_addf(&walk->path, "%s%s", len ? "/" : "", git_tree_entry_name(before ? before : after));
    int result = 0;
    if (is_tree(before) || is_tree(after))
        result = compare_trees(walk, before ? git_tree_entry_id(before) : NULL,
                               after ? git_tree_entry_id(after) : NULL, depth + 1, err);
    else if (is_file(before) || is_file(after))
        add_change(walk, before, after);
    walk->path.len = len;
    walk->path.buf[len] = '\0';
    return result;
}

static bool is_same(const git_tree_entry *a, const git_tree_entry *b)
{
    return git_oid_equal(git_tree_entry_id(a), git_tree_entry_id(b)) && is_file(a) == is_file(b);
}

/* Both in git's order, in which a file and a directory of one name are two. */
static int merge_entries(struct walk *walk, const git_tree *before, const git_tree *after, unsigned depth,
                         struct error *err)
{
    size_t before_len = before ? git_tree_entrycount(before) : 0,
           after_len = after ? git_tree_entrycount(after) : 0;
    size_t i = 0, k = 0;
    while (i < before_len || k < after_len) {
        const git_tree_entry *old = i < before_len ? git_tree_entry_byindex(before, i) : NULL;
        const git_tree_entry *new = k < after_len ? git_tree_entry_byindex(after, k) : NULL;
        int order = old && new ? git_tree_entry_cmp(old, new) : (old ? -1 : 1);
        i += order <= 0;
        k += order >= 0;
        if (order == 0 && is_same(old, new))
            continue;
        if (compare_entries(walk, order <= 0 ? old : NULL, order >= 0 ? new : NULL, depth, err) < 0)
            return -1;
    }
    return 0;
}

static int compare_trees(struct walk *walk, const git_oid *before, const git_oid *after, unsigned depth,
                         struct error *err)
{
    CLEANUP(release_tree) git_tree *old = NULL;
    CLEANUP(release_tree) git_tree *new = NULL;
    git_repository *repository = walk->history->mirror->repository;
    if (depth > LIMIT_GIT_TREE_DEPTH || (before && after && git_oid_equal(before, after)))
        return 0;
    if ((before && git_tree_lookup(&old, repository, before) < 0) ||
        (after && git_tree_lookup(&new, repository, after) < 0))
        return damaged(walk->history, err);
    return merge_entries(walk, old, new, depth, err);
}

/* -- the walk over commits -------------------------------------------------------------------------------------- */

/* Of what a merge differs in from its first parent: only what it has from no other parent. */
static int drop_merged(struct walk *walk, size_t first, struct error *err)
{
    for (unsigned p = 1; p < git_commit_parentcount(walk->commit); p++) {
        CLEANUP(release_commit) git_commit *parent = NULL;
        CLEANUP(release_tree) git_tree *tree = NULL;
        if (git_commit_parent(&parent, walk->commit, p) < 0 || git_commit_tree(&tree, parent) < 0)
            return damaged(walk->history, err);
        size_t kept = first;
        for (size_t i = first; i < walk->len; i++) {
            CLEANUP(release_tree_entry) git_tree_entry *entry = NULL;
            static const git_oid none;
            const git_oid *there = &none;
            if (git_tree_entry_bypath(&entry, tree, walk->found[i].path) == 0 && is_file(entry))
                there = git_tree_entry_id(entry);
            if (git_oid_equal(there, &walk->found[i].change.after))
                free(walk->found[i].path);
            else
                walk->found[kept++] = walk->found[i];
        }
        walk->len = kept;
    }
    return 0;
}

static int visit_commit(struct walk *walk, struct error *err)
{
    CLEANUP(release_commit) git_commit *parent = NULL;
    size_t first = walk->len;
    if (git_commit_parentcount(walk->commit) == 0)
        return 0;
    int found = git_commit_parent(&parent, walk->commit, 0);
    if (found == GIT_ENOTFOUND) { /* the remote's own history is cut off here */
        walk->is_cut = true;
        return 0;
    }
    if (found < 0 ||
        compare_trees(walk, git_commit_tree_id(parent), git_commit_tree_id(walk->commit), 0, err) < 0)
        return found < 0 ? damaged(walk->history, err) : -1;
    return git_commit_parentcount(walk->commit) > 1 ? drop_merged(walk, first, err) : 0;
}

static int walk_commits(struct walk *walk, git_revwalk *revwalk, struct error *err)
{
    struct history *h = walk->history;
    git_oid id;
    int status;
    while ((status = git_revwalk_next(&id, revwalk)) == 0) {
        CLEANUP(release_commit) git_commit *commit = NULL;
        if (walk->commits == LIMIT_HISTORY_COMMITS || walk->len >= LIMIT_HISTORY_CHANGES) {
            walk->is_cut = true;
            return 0;
        }
        if (git_commit_lookup(&commit, h->mirror->repository, &id) < 0)
            return damaged(h, err);
        walk->commits++;
        walk->commit = commit;
        if (visit_commit(walk, err) < 0)
            return -1;
    }
    if (status == GIT_ENOTFOUND) {
        walk->is_cut = true;
        return 0;
    }
    return status == GIT_ITEROVER ? 0 : damaged(h, err);
}

static void keep(struct history *h, struct found *found)
{
    struct file_changes *file = strmap_get(&h->files, found->path);
    if (!file) {
        file = xcalloc(1, sizeof(*file));
        strmap_set(&h->files, found->path, file);
    }
    found->change.order = ++h->changes;
    vec_grow(file->items, file->len, file->capacity);
    file->items[file->len++] = found->change;
    if (git_oid_is_zero(&found->change.after)) {
        char commit[GIT_ID_SIZE], blob[GIT_ID_SIZE];
        AUTO_FREE char *key = xasprintf("%s %s", git_oid_tostr(commit, sizeof(commit), &found->change.commit),
                                        git_oid_tostr(blob, sizeof(blob), &found->change.before));
        strmap_set(&h->moved, key, xstrdup(found->path));
    }
}

static int extend(struct history *h, const git_oid *head, bool *has_gap, struct error *err)
{
    CLEANUP(release_revwalk) git_revwalk *revwalk = NULL;
    struct walk walk = {.history = h, .path = STRBUF_INIT};
    strbuf_addstr(&walk.path, ""); /* a buffer of its own, as entries are cut off again */
    bool is_new = git_oid_is_zero(&h->head);
    int result = 0;
    if (git_revwalk_new(&revwalk, h->mirror->repository) < 0 || git_revwalk_push(revwalk, head) < 0 ||
        (!is_new && git_revwalk_hide(revwalk, &h->head) < 0))
        result = library_error(err, "cannot read the history of %s", h->mirror->url.shown);
    /* Not sorted: libgit2 then gives the newest first too, a child before its parents, and does not read a long
     * history to its end before it gives the first. */
    if (result == 0)
        result = walk_commits(&walk, revwalk, err);
    for (size_t i = walk.len; i-- > 0;) {
        if (result == 0)
            keep(h, &walk.found[i]);
        free(walk.found[i].path);
    }
    free(walk.found);
    strbuf_release(&walk.path);
    h->head = *head;
    h->commits += walk.commits;
    h->is_cut = h->is_cut || walk.is_cut;
    *has_gap = walk.is_cut && !is_new;
    return result;
}

static bool is_outgrown(const struct history *h)
{
    return h->commits > 2 * (size_t)LIMIT_HISTORY_COMMITS || h->changes > 2 * (size_t)LIMIT_HISTORY_CHANGES;
}

/* Made anew where the branch did not grow from what was read, and where the index has grown to twice its measure. */
static int read_up_to(struct history *h, const char *head, struct error *err)
{
    CLEANUP(release_commit) git_commit *commit = NULL;
    if (mirror_commit_lookup(h->mirror, head, &commit, err) < 0)
        return -1;
    const git_oid *id = git_commit_id(commit);
    if (git_oid_equal(id, &h->head))
        return 0;
    if (git_oid_is_zero(&h->head) || is_outgrown(h) ||
        git_graph_descendant_of(h->mirror->repository, id, &h->head) != 1)
        clear(h);
    bool has_gap = false;
    int result = extend(h, id, &has_gap, err);
    if (result == 0 && has_gap) { /* more is new than is ever looked at */
        clear(h);
        result = extend(h, id, &has_gap, err);
    }
    if (result < 0)
        clear(h);
    return result;
}

/* -- one file ------------------------------------------------------------------------------------------------------ */

static void write_id(char out[GIT_ID_SIZE], const git_oid *id)
{
    out[0] = '\0';
    if (!git_oid_is_zero(id))
        git_oid_tostr(out, GIT_ID_SIZE, id);
}

/* Where the file was before a commit that made it, if that moved it as it is; else NULL. */
static const char *moved_from(const struct history *h, const struct history_change *change)
{
    if (change->before[0])
        return NULL;
    AUTO_FREE char *key = xasprintf("%s %s", change->commit, change->after);
    return strmap_get(&h->moved, key);
}

int history_of_file(struct history *h, const char *head, const char *path, history_visit visit, void *context,
                    struct error *err)
{
    if (read_up_to(h, head, err) < 0)
        return -1;
    size_t before = SIZE_MAX; /* only what is older; it falls with each step, so moves cannot go round */
    const struct file_changes *file = strmap_get(&h->files, path);
    for (size_t i = file ? file->len : 0; i-- > 0;) {
        const struct change *each = &file->items[i];
        struct history_change change = {.path = path};
        write_id(change.commit, &each->commit);
        write_id(change.before, &each->before);
        write_id(change.after, &each->after);
        if (each->order >= before)
            continue;
        before = each->order;
        const char *old_path = moved_from(h, &change);
        if (!old_path) {
            int result = visit(&change, context, err);
            if (result != 0)
                return result < 0 ? -1 : 0;
            continue;
        }
        path = old_path;
        file = strmap_get(&h->files, path);
        i = file ? file->len : 0;
        while (i > 0 && (file->items[i - 1].order >= before || git_oid_is_zero(&file->items[i - 1].after)))
            i--;
    }
    return 0;
}
