#include "cache/lmdb_room.h"

#include <string.h>

#include "base/alloc.h"

#define VALUES_PER_BATCH 512 /* in one transaction when room is made; even */

enum sweep { SWEEP_DEAD, SWEEP_EVERY_OTHER };

/* *at_end when it came to the last. */
static int sweep(struct lmdb_room *room, MDB_txn *txn, enum sweep what, size_t count, bool *at_end)
{
    CLEANUP(lmdb_cursor_release) MDB_cursor *cursor = NULL;
    MDB_val key = {.mv_size = room->next_key_len, .mv_data = room->next_key}, value;
    int rc = mdb_cursor_open(txn, room->file->dbi, &cursor);
    if (!rc)
        rc = mdb_cursor_get(cursor, &key, &value, key.mv_size ? MDB_SET_RANGE : MDB_FIRST);
    for (size_t i = 0; i < count && !rc; i++) {
        if (room->is_dead(&value, room->context) || (what == SWEEP_EVERY_OTHER && i % 2))
            rc = mdb_cursor_del(cursor, 0);
        if (!rc)
            rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (rc && rc != MDB_NOTFOUND)
        return rc;
    *at_end = rc == MDB_NOTFOUND;
    room->next_key_len = *at_end || key.mv_size > sizeof(room->next_key) ? 0 : key.mv_size;
    memcpy(room->next_key, key.mv_data, room->next_key_len);
    return 0;
}

int lmdb_room_sweep(struct lmdb_room *room, MDB_txn *txn, size_t count)
{
    bool at_end;
    return sweep(room, txn, SWEEP_DEAD, count, &at_end);
}

static int sweep_all(struct lmdb_room *room, enum sweep what)
{
    bool at_end = false;
    int rc = 0;
    room->next_key_len = 0;
    while (!rc && !at_end) {
        CLEANUP(lmdb_txn_release) MDB_txn *txn = NULL;
        rc = lmdb_file_begin_write(room->file, 0, &txn);
        if (!rc)
            rc = sweep(room, txn, what, VALUES_PER_BATCH, &at_end);
        if (!rc)
            rc = lmdb_txn_commit(&txn);
    }
    return rc;
}

/* Bytes of the map that hold data, free pages not counted. */
static int measure(const struct lmdb_file *f, MDB_txn *txn, size_t *used)
{
    MDB_stat stat;
    int rc = mdb_stat(txn, f->dbi, &stat);
    if (!rc)
        *used = (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) * f->page_size;
    return rc;
}

static int used_now(const struct lmdb_file *f, size_t *used)
{
    CLEANUP(lmdb_txn_release) MDB_txn *txn = NULL;
    int rc = mdb_txn_begin(f->env, NULL, MDB_RDONLY, &txn);
    return rc ? rc : measure(f, txn, used);
}

int lmdb_room_make(struct lmdb_room *room)
{
    const struct lmdb_file *f = room->file;
    size_t used;
    int rc = used_now(f, &used);
    if (rc || used < f->map_size / 4 * 3)
        return rc;
    rc = sweep_all(room, SWEEP_DEAD);
    if (!rc)
        rc = used_now(f, &used);
    while (!rc && used > f->map_size / 2) {
        rc = sweep_all(room, SWEEP_EVERY_OTHER);
        if (!rc)
            rc = used_now(f, &used);
    }
    return rc;
}

int lmdb_room_drop_all(struct lmdb_room *room)
{
    CLEANUP(lmdb_txn_release) MDB_txn *txn = NULL;
    room->next_key_len = 0;
    int rc = lmdb_file_begin_write(room->file, 0, &txn);
    if (!rc)
        rc = mdb_drop(txn, room->file->dbi, 0);
    return rc ? rc : lmdb_txn_commit(&txn);
}
