/*
 * Room in an LMDB file of limited size: values that are of no use go when others are written, and where too much of the file is in
 * use, every other one goes until half is free. Deleting needs free pages itself in LMDB, so there are always some.
 */
#ifndef CACHE_LMDB_ROOM_H
#define CACHE_LMDB_ROOM_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "cache/lmdb_file.h"

#define LMDB_KEY_SIZE 512 /* LMDB's longest key, 511 bytes, and a NUL */

struct lmdb_room {
    const struct lmdb_file *file;
    /* Whether a value is of no use. */
    bool (*is_dead)(const MDB_val *value, void *context);
    void *context;
    char next_key[LMDB_KEY_SIZE]; /* where the next sweep begins */
    size_t next_key_len;          /* 0: at the first */
};

/* Looks at up to `count` values from where the last sweep ended and deletes the dead. All of these: 0 or a code. */
int lmdb_room_sweep(struct lmdb_room *room, MDB_txn *txn, size_t count) MUST_CHECK;
/* Does nothing while less than three quarters are in use; then deletes until at most half is. Without a transaction. */
int lmdb_room_make(struct lmdb_room *room) MUST_CHECK;
/* Deletes everything. Without a transaction. */
int lmdb_room_drop_all(struct lmdb_room *room) MUST_CHECK;

#endif
