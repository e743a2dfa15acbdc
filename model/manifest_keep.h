/*
 * What stays of a file when it has been read. While it is read, everything that its resources point at is in its tree,
 * which is ten times the size of the text; of that they need a few words and scalars, which this copies, so that the
 * tree can go. The inside of model/manifest.c; nothing else includes this.
 *
 * What several of them point at (an anchor's scalar) is copied once: a file of aliases stays as small as its text.
 *
 * Whoever lets a resource or a container point at something more of the tree adds it to the walk in manifest_keep.c.
 */
#ifndef MODEL_MANIFEST_KEEP_H
#define MODEL_MANIFEST_KEEP_H

#include "model/manifest.h"

/* Lets all that the file's resources point at be the file's own, and frees its tree. */
void manifest_keep(struct manifest_file *file);

#endif
