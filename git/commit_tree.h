/*
 * The tree of a commit in which some files are changed: the parent's trees with other ids in them, and not a byte else.
 * The inside of git/commit.c.
 */
#ifndef GIT_COMMIT_TREE_H
#define GIT_COMMIT_TREE_H

#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "git/mirror_private.h"
#include "git/object_writer.h"

/* Writes the files and the trees on the way to them, and gives the new root's id. The errors of mirror_commit that are
 * about files. */
int commit_tree_write(struct mirror *mirror, struct object_writer *writer, const git_oid *root,
                      const struct commit_file *files, size_t len, git_oid *id, struct error *err) MUST_CHECK;

#endif
