/*
 * Where a commit's new objects go: one by one into the mirror, or gathered in memory and then written as one pack. Each
 * object in a file of its own is two disk flushes, and a thousand changed files are two thousand objects.
 *
 * A pack is put together here, as libgit2's own builder first looks for deltas, which costs more than all the rest;
 * libgit2 reads it, checks every object and makes its index. Small packs are gathered later (mirror_packs_gather).
 */
#ifndef GIT_OBJECT_WRITER_H
#define GIT_OBJECT_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "git/mirror_private.h"

struct object_writer;

/* `is_packed`: nothing is in the mirror before object_writer_finish. The mirror's lock is held as long. */
struct object_writer *object_writer_new(struct mirror *mirror, bool is_packed, struct error *err) MUST_CHECK;
void object_writer_free(struct object_writer *writer);     /* NULL does nothing */
void object_writer_release(struct object_writer **writer); /* for CLEANUP */

/* The object's id; it is written once, however often it is added. */
int object_writer_add(struct object_writer *writer, git_object_t type, const void *bytes, size_t len,
                      git_oid *id, struct error *err) MUST_CHECK;

/* All that was added is in the mirror, and on disk. */
int object_writer_finish(struct object_writer *writer, struct error *err) MUST_CHECK;

#endif
