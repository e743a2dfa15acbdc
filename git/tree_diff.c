#include "git/tree_diff.h"

#include "base/limits.h"
#include "base/strbuf.h"
#include "git/mirror_private.h"

struct comparison {
    struct mirror *mirror;
    struct strbuf path;
    tree_diff_visit visit;
    void *context;
};

int mirror_damaged(struct mirror *mirror, struct error *err)
{
    mirror_store_mark_damaged(mirror);
    return library_error(err, "the mirror of %s is damaged and will be made anew", mirror->url.shown);
}

bool tree_entry_is_file(const git_tree_entry *entry)
{
    git_filemode_t mode = entry ? git_tree_entry_filemode(entry) : GIT_FILEMODE_UNREADABLE;
    return mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

static bool is_tree(const git_tree_entry *entry)
{
    return entry && git_tree_entry_type(entry) == GIT_OBJECT_TREE;
}

static int compare_trees(struct comparison *c, const git_oid *before, const git_oid *after, unsigned depth,
                         struct error *err);

static void visit_file(const struct comparison *c, const git_tree_entry *before, const git_tree_entry *after)
{
    const struct tree_change change = {
        .path = c->path.buf,
        .before = tree_entry_is_file(before) ? git_tree_entry_id(before) : NULL,
        .after = tree_entry_is_file(after) ? git_tree_entry_id(after) : NULL,
    };
    if (change.before || change.after)
        c->visit(&change, c->context);
}

/* Two entries of one name, that differ; or one, and NULL. */
static int compare_entries(struct comparison *c, const git_tree_entry *before, const git_tree_entry *after,
                           unsigned depth, struct error *err)
{
    size_t len = c->path.len;
    strbuf_addf(&c->path, "%s%s", len ? "/" : "", git_tree_entry_name(before ? before : after));
    int result = 0;
    if (is_tree(before) || is_tree(after))
        result = compare_trees(c, before ? git_tree_entry_id(before) : NULL,
                               after ? git_tree_entry_id(after) : NULL, depth + 1, err);
    else
        visit_file(c, before, after);
    c->path.len = len;
    c->path.buf[len] = '\0';
    return result;
}

static bool is_same(const git_tree_entry *a, const git_tree_entry *b)
{
    return git_oid_equal(git_tree_entry_id(a), git_tree_entry_id(b)) &&
           tree_entry_is_file(a) == tree_entry_is_file(b);
}

/* Both in git's order, in which a file and a directory of one name are two. */
static int merge_entries(struct comparison *c, const git_tree *before, const git_tree *after, unsigned depth,
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
        if (compare_entries(c, order <= 0 ? old : NULL, order >= 0 ? new : NULL, depth, err) < 0)
            return -1;
    }
    return 0;
}

static int compare_trees(struct comparison *c, const git_oid *before, const git_oid *after, unsigned depth,
                         struct error *err)
{
    CLEANUP(release_tree) git_tree *old = NULL;
    CLEANUP(release_tree) git_tree *new = NULL;
    git_repository *repository = c->mirror->repository;
    if (depth > LIMIT_GIT_TREE_DEPTH || (before && after && git_oid_equal(before, after)))
        return 0;
    if ((before && git_tree_lookup(&old, repository, before) < 0) ||
        (after && git_tree_lookup(&new, repository, after) < 0))
        return mirror_damaged(c->mirror, err);
    return merge_entries(c, old, new, depth, err);
}

int tree_diff(struct mirror *mirror, const git_oid *before, const git_oid *after, tree_diff_visit visit,
              void *context, struct error *err)
{
    struct comparison c = {.mirror = mirror, .path = STRBUF_INIT, .visit = visit, .context = context};
    strbuf_addstr(&c.path, ""); /* a buffer of its own, as names are cut off again */
    int result = compare_trees(&c, before, after, 0, err);
    strbuf_release(&c.path);
    return result;
}
