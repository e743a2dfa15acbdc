/*
 * The tree of git notes, spread over directories as git itself does it (git-notes(1): "ab/cdef…" for "abcdef…"). libgit2
 * puts a note into the directory of its first two digits where there is one, and makes none; flat, each note writes and
 * pushes a tree that lists all notes ever written. Internal to git/.
 */
#ifndef GIT_NOTES_TREE_H
#define GIT_NOTES_TREE_H

#include "git/mirror_private.h"

/*
 * Where the tree of the notes' commit `tip` lists more than LIMIT_NOTES_FLAT notes, makes a commit on it whose tree has
 * them in directories, and sets `tip` to it; else leaves all as it is. What is no note, and a note that its directory has
 * already, stays where it is.
 */
int notes_tree_spread(struct mirror *mirror, const git_signature *author, git_oid *tip, struct error *err)
    MUST_CHECK;

#endif
