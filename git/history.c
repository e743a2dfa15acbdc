#include "git/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strmap.h"
#include "git/mirror_private.h"
#include "git/tree_diff.h"
#include "model/manifest.h"

/* One commit changed one file; in the list of that file, oldest first. */
struct change {
    git_oid commit, before, after; /* zero: not there */
    size_t order;                  /* over all files; newer is greater */
};

struct file_changes {
    char *path;
    struct change *items;
    size_t len, capacity;
};

/* Where a change is. */
struct place {
    const struct file_changes *file;
    size_t at;
};

struct history {
    struct mirror *mirror;
    git_oid head; /* up to where it is read; zero: nothing is */
    bool is_cut;
    size_t commits;
    struct place
        *places; /* of all changes: that of order N at N - 1, so those of a commit are side by side */
    size_t places_len, places_capacity;
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
    git_commit *commit;
    size_t commits;
    bool is_cut;
};

static void free_changes(void *item)
{
    struct file_changes *file = item;
    free(file->path);
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
    h->commits = h->places_len = 0;
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
    free(h->places);
    free(h);
}

bool history_is_complete(const struct history *h)
{
    return !h->is_cut;
}

/* -- the walk over commits -------------------------------------------------------------------------------------- */

static void add_change(const struct tree_change *change, void *context)
{
    struct walk *walk = context;
    if (!manifest_path_is_yaml(change->path))
        return;
    vec_grow(walk->found, walk->len, walk->capacity);
    struct found *found = &walk->found[walk->len++];
    *found = (struct found){.path = xstrdup(change->path)};
    found->change.commit = *git_commit_id(walk->commit);
    if (change->before)
        found->change.before = *change->before;
    if (change->after)
        found->change.after = *change->after;
}

/* Of what a merge differs in from its first parent: only what it has from no other parent. */
static int drop_merged(struct walk *walk, size_t first, struct error *err)
{
    for (unsigned p = 1; p < git_commit_parentcount(walk->commit); p++) {
        CLEANUP(release_commit) git_commit *parent = NULL;
        CLEANUP(release_tree) git_tree *tree = NULL;
        if (git_commit_parent(&parent, walk->commit, p) < 0 || git_commit_tree(&tree, parent) < 0)
            return mirror_damaged(walk->history->mirror, err);
        size_t kept = first;
        for (size_t i = first; i < walk->len; i++) {
            CLEANUP(release_tree_entry) git_tree_entry *entry = NULL;
            static const git_oid none;
            const git_oid *there = &none;
            if (git_tree_entry_bypath(&entry, tree, walk->found[i].path) == 0 && tree_entry_is_file(entry))
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
    if (found < 0)
        return mirror_damaged(walk->history->mirror, err);
    if (tree_diff(walk->history->mirror, git_commit_tree_id(parent), git_commit_tree_id(walk->commit),
                  add_change, walk, err) < 0)
        return -1;
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
            return mirror_damaged(h->mirror, err);
        walk->commits++;
        walk->commit = commit;
        if (visit_commit(walk, err) < 0)
            return -1;
    }
    if (status == GIT_ENOTFOUND) {
        walk->is_cut = true;
        return 0;
    }
    return status == GIT_ITEROVER ? 0 : mirror_damaged(h->mirror, err);
}

static void keep(struct history *h, struct found *found)
{
    struct file_changes *file = strmap_get(&h->files, found->path);
    if (!file) {
        file = xcalloc(1, sizeof(*file));
        file->path = xstrdup(found->path);
        strmap_set(&h->files, found->path, file);
    }
    vec_grow(h->places, h->places_len, h->places_capacity);
    h->places[h->places_len++] = (struct place){.file = file, .at = file->len};
    found->change.order = h->places_len;
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
    struct walk walk = {.history = h};
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
    h->head = *head;
    h->commits += walk.commits;
    h->is_cut = h->is_cut || walk.is_cut;
    *has_gap = walk.is_cut && !is_new;
    return result;
}

static bool is_outgrown(const struct history *h)
{
    return h->commits > 2 * (size_t)LIMIT_HISTORY_COMMITS ||
           h->places_len > 2 * (size_t)LIMIT_HISTORY_CHANGES;
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

static struct history_change describe(const char *path, const struct change *change)
{
    struct history_change out = {.path = path, .order = change->order};
    write_id(out.commit, &change->commit);
    write_id(out.before, &change->before);
    write_id(out.after, &change->after);
    return out;
}

int history_before(const struct history *h, const char *path, size_t order, history_visit visit,
                   void *context, struct error *err)
{
    size_t before = order; /* only what is older; it falls with each step, so moves cannot go round */
    const struct file_changes *file = strmap_get(&h->files, path);
    for (size_t i = file ? file->len : 0; i-- > 0;) {
        const struct change *each = &file->items[i];
        if (each->order >= before)
            continue;
        before = each->order;
        const struct history_change change = describe(path, each);
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

int history_of_file(struct history *h, const char *head, const char *path, history_visit visit, void *context,
                    struct error *err)
{
    return read_up_to(h, head, err) < 0 ? -1 : history_before(h, path, SIZE_MAX, visit, context, err);
}

static const struct change *change_at(const struct history *h, size_t order)
{
    const struct place *place = &h->places[order - 1];
    return &place->file->items[place->at];
}

int history_beside(const struct history *h, const struct history_change *change, history_visit visit,
                   void *context, struct error *err)
{
    const git_oid *commit = &change_at(h, change->order)->commit;
    size_t first = change->order;
    while (first > 1 && git_oid_equal(&change_at(h, first - 1)->commit, commit))
        first--;
    for (size_t i = first; i <= h->places_len && git_oid_equal(&change_at(h, i)->commit, commit); i++) {
        if (i == change->order || git_oid_is_zero(&change_at(h, i)->before))
            continue;
        const struct history_change other = describe(h->places[i - 1].file->path, change_at(h, i));
        int result = visit(&other, context, err);
        if (result != 0)
            return result < 0 ? -1 : 0;
    }
    return 0;
}
