/*
 * The LMDB backend's own knobs; everyone else opens it by cache_open.
 *
 * Durability: puts gather in memory until cache_flush, until CACHE_FILE_HELD_BACK of them or
 * CACHE_FILE_HELD_BACK_BYTES are there, or until a put comes CACHE_FILE_HELD_BACK_MS after the first of them;
 * then they are one transaction with one fdatasync (MDB_NOMETASYNC). Keys are digests and lie all over the
 * file: a transaction copies, and holds in memory until its end, about a page for each value. A thousand at a
 * time are few syncs for a first scan of many images, and 4 MiB.
 * Killing the process loses what was held back; a crash of the machine may lose the last transaction as well.
 * Neither damages the file (MDB_NOSYNC would save the sync and may leave a broken tree).
 *
 * Room: the map is address space, not memory or disk; the file grows with what is stored, and only pages that
 * were touched since the last write count as resident. When three quarters of it are in use, expired values go first, then every
 * other one until half is free, so that deleting, which in LMDB needs free pages itself, always has them.
 *
 * Damage: a file that LMDB refuses, one that is shorter than it says (reading it would end the process with
 * SIGBUS), or one found broken while reading is renamed to PATH.bad and begun anew. Each value carries a
 * checksum.
 *
 * Several processes share the file through PATH-lock (LMDB's own). They must be on one machine and see each
 * other's process ids.
 */
#ifndef CACHE_CACHE_FILE_H
#define CACHE_CACHE_FILE_H

#include <stddef.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"

/* Enough for some ten million digests. Where so much address space is not given (RLIMIT_AS), half as much is
 * tried, and so on down to CACHE_FILE_MAP_MIN. */
#define CACHE_FILE_MAP_SIZE ((size_t)1 << 30)
#define CACHE_FILE_MAP_MIN  ((size_t)8 << 20)

#define CACHE_FILE_HELD_BACK       1024
#define CACHE_FILE_HELD_BACK_MS    5000
#define CACHE_FILE_HELD_BACK_BYTES ((size_t)1 << 20)

struct cache_file_options {
    size_t map_size;           /* bytes, a multiple of the page size */
    const struct clock *clock; /* wall time decides what is expired; must outlive the cache */
};

void *cache_file_open_with(const char *path, const struct cache_file_options *options, struct error *err)
    MUST_CHECK;

#endif
