/*
 * An arena: many small allocations that live and die together. Nothing in it is freed alone.
 *
 * It is for trees that are built once and then only read (base/yaml.h). Alignment is good for pointers and
 * integers, no more: it is nodes by the million. Not for sharing between threads while it grows; what it holds may be read by all.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/attr.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* the newest first */
    size_t used, size;          /* of the newest */
    size_t next_size;           /* of the block to come: half of all before, so that large trees need few */
    size_t total;               /* of all blocks */
};

/* `first_size` is a guess at the whole, in bytes; 0: a few KiB. Nothing is allocated yet. */
void arena_init(struct arena *arena, size_t first_size);
/* Frees everything; the arena is then empty and usable. */
void arena_release(struct arena *arena);

/* Zeroed. */
void *arena_alloc(struct arena *arena, size_t size) MUST_CHECK;
/* The bytes and a NUL. */
char *arena_memdupz(struct arena *arena, const void *bytes, size_t len) MUST_CHECK;
/* NULL gives NULL. */
char *arena_strdup(struct arena *arena, const char *text) MUST_CHECK;

#endif
