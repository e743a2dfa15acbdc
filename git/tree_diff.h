/*
 * The files in which two trees of a mirror differ. Only what differs is read: a directory that is the same in both
 * costs nothing. Internal to git/.
 */
#ifndef GIT_TREE_DIFF_H
#define GIT_TREE_DIFF_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "git/library.h"
#include "git/mirror.h"

struct tree_change {
    const char *path;
    const git_oid *before, *after; /* blobs; NULL: no file is there */
};
typedef void (*tree_diff_visit)(const struct tree_change *change, void *context);

/* In git's order of names; what is deeper than LIMIT_GIT_TREE_DEPTH is passed over. ERROR_IO for a mirror that is damaged,
 * and is then marked as such. */
int tree_diff(struct mirror *mirror, const git_oid *before, const git_oid *after, tree_diff_visit visit,
              void *context, struct error *err) MUST_CHECK;

/* False for NULL, directories, links and submodules. */
bool tree_entry_is_file(const git_tree_entry *entry);

/* Marks the mirror and says so; returns -1. */
int mirror_damaged(struct mirror *mirror, struct error *err);

#endif
