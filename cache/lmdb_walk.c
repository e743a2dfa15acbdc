#include "cache/lmdb_walk.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cache/cache.h"

#define VALUES_PER_STEP 64
#define KEY_SIZE        511 /* LMDB's longest */

struct walk_key {
    size_t len;
    char bytes[KEY_SIZE];
};

/* A value to be deleted. */
struct condemned {
    struct walk_key key;
    uint64_t checksum;
};

struct walk {
    const struct lmdb_file *file;
    lmdb_visit visit;
    void *context;
    struct walk_key next; /* where the next step begins; len 0: at the first key */
    bool at_end;
    struct condemned condemned[VALUES_PER_STEP];
    size_t condemned_len;
};

static int copy_key(const MDB_val *from, struct walk_key *to)
{
    if (from->mv_size > sizeof(to->bytes))
        return LMDB_FILE_DAMAGED;
    to->len = from->mv_size;
    memcpy(to->bytes, from->mv_data, from->mv_size);
    return 0;
}

static int look_at(struct walk *w, const MDB_val *key, const MDB_val *value)
{
    struct condemned *condemned = &w->condemned[w->condemned_len];
    int rc = copy_key(key, &condemned->key);
    if (rc || !w->visit(key, value, w->context))
        return rc;
    condemned->checksum = cache_checksum(value->mv_data, value->mv_size);
    w->condemned_len++;
    return 0;
}

static int read_step(struct walk *w)
{
    CLEANUP(lmdb_txn_release) MDB_txn *txn = NULL;
    CLEANUP(lmdb_cursor_release) MDB_cursor *cursor = NULL;
    MDB_val key = {.mv_size = w->next.len, .mv_data = w->next.bytes}, value;
    int rc = mdb_txn_begin(w->file->env, NULL, MDB_RDONLY, &txn);
    if (!rc)
        rc = mdb_cursor_open(txn, w->file->dbi, &cursor);
    if (!rc)
        rc = mdb_cursor_get(cursor, &key, &value, w->next.len ? MDB_SET_RANGE : MDB_FIRST);
    for (size_t i = 0; i < VALUES_PER_STEP && !rc; i++) {
        rc = look_at(w, &key, &value);
        if (!rc)
            rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    w->at_end = rc == MDB_NOTFOUND;
    return rc ? rc : copy_key(&key, &w->next);
}

static int delete_unchanged(const struct walk *w, MDB_txn *txn, struct condemned *condemned)
{
    MDB_val key = {.mv_size = condemned->key.len, .mv_data = condemned->key.bytes}, value;
    int rc = mdb_get(txn, w->file->dbi, &key, &value);
    if (!rc && cache_checksum(value.mv_data, value.mv_size) == condemned->checksum)
        rc = mdb_del(txn, w->file->dbi, &key, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int delete_step(struct walk *w)
{
    CLEANUP(lmdb_txn_release) MDB_txn *txn = NULL;
    if (!w->condemned_len)
        return 0;
    int rc = lmdb_file_begin_write(w->file, 0, &txn);
    for (size_t i = 0; i < w->condemned_len && !rc; i++)
        rc = delete_unchanged(w, txn, &w->condemned[i]);
    w->condemned_len = 0;
    return rc ? rc : lmdb_txn_commit(&txn);
}

int lmdb_walk(const struct lmdb_file *f, lmdb_visit visit, void *context)
{
    AUTO_FREE struct walk *w = xcalloc(1, sizeof(*w));
    w->file = f;
    w->visit = visit;
    w->context = context;
    int rc = 0;
    while (!rc && !w->at_end) {
        rc = read_step(w);
        if (!rc || w->at_end)
            rc = delete_step(w);
    }
    return rc;
}
