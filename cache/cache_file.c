#include "cache/cache_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strmap.h"
#include "cache/cache.h"
#include "cache/lmdb_file.h"
#include "cache/lmdb_room.h"
#include "cache/lmdb_walk.h"

#define SWEEP_PER_VALUE 4 /* values looked at for expiry with each one that is written */

struct cache_file {
    char *path;
    const struct clock *clock;
    struct lmdb_file file;
    struct strmap held_back; /* key -> struct held_value */
    size_t held_back_bytes;
    int64_t held_back_since_ms; /* monotonic */
    struct lmdb_room room;
};

/* Before each value in the file. */
struct value_head {
    uint64_t checksum;
    int64_t expires_s; /* wall time; 0: never */
};

struct held_value {
    struct value_head head;
    size_t len;
    char bytes[];
};

static int report(const struct cache_file *f, int code, const char *what, struct error *err)
{
    if (code > 0)
        return error_errno(err, code, "cannot %s the cache file %s", what, f->path);
    return error_set(err, ERROR_IO, "cannot %s the cache file %s: %s", what, f->path, mdb_strerror(code));
}

/* -- values ---------------------------------------------------------------------------------------------- */

static bool is_expired(const struct cache_file *f, const struct value_head *head)
{
    return head->expires_s && head->expires_s <= clock_wall_ms(f->clock) / 1000;
}

static uint64_t checksum_of(const struct value_head *head, const void *bytes, size_t len)
{
    return cache_checksum(bytes, len) ^ (uint64_t)head->expires_s * 0x9e3779b97f4a7c15u;
}

/* False if it is too short to be a value of ours. */
static bool read_head(const MDB_val *value, struct value_head *head)
{
    if (value->mv_size < sizeof(*head))
        return false;
    memcpy(head, value->mv_data, sizeof(*head));
    return true;
}

static bool is_whole(const MDB_val *value)
{
    struct value_head head;
    return read_head(value, &head) && checksum_of(&head, (const char *)value->mv_data + sizeof(head),
                                                  value->mv_size - sizeof(head)) == head.checksum;
}

/* It has expired, or is none of ours. */
static bool is_dead(const MDB_val *value, void *context)
{
    struct value_head head;
    return !read_head(value, &head) || is_expired(context, &head);
}

/* -- opening --------------------------------------------------------------------------------------------- */

static void cache_file_free(void *state)
{
    struct cache_file *f = state;
    lmdb_file_close(&f->file);
    strmap_release(&f->held_back);
    free(f->path);
    free(f);
}

void *cache_file_open_with(const char *path, const struct cache_file_options *options, struct error *err)
{
    struct cache_file *f = xcalloc(1, sizeof(*f));
    f->path = xstrdup(path);
    f->clock = options->clock;
    strmap_init(&f->held_back, free);
    f->file =
        (struct lmdb_file){.path = f->path, .map_size = options->map_size, .map_min = CACHE_FILE_MAP_MIN};
    f->room = (struct lmdb_room){.file = &f->file, .is_dead = is_dead, .context = f};
    int rc = lmdb_file_open(&f->file);
    if (rc == 0)
        return f;
    report(f, rc, "open", err);
    cache_file_free(f);
    return NULL;
}

void *cache_file_open(const char *path, struct error *err)
{
    const struct cache_file_options options = {.map_size = CACHE_FILE_MAP_SIZE, .clock = &system_clock};
    return cache_file_open_with(path, &options, err);
}

/* -- what is held back ----------------------------------------------------------------------------------- */

static void hold_back(struct cache_file *f, const char *key, const void *bytes, size_t len, int64_t ttl_s)
{
    struct held_value *value = xmalloc(sizeof(*value) + len);
    value->head.expires_s = ttl_s ? clock_wall_ms(f->clock) / 1000 + ttl_s : 0;
    value->head.checksum = checksum_of(&value->head, bytes, len);
    value->len = len;
    if (len)
        memcpy(value->bytes, bytes, len);
    if (!strmap_size(&f->held_back))
        f->held_back_since_ms = clock_monotonic_ms(f->clock);
    strmap_set(&f->held_back, key, value);
    f->held_back_bytes += sizeof(value->head) + len;
}

static bool is_time_to_write(const struct cache_file *f)
{
    return strmap_size(&f->held_back) >= CACHE_FILE_HELD_BACK ||
           f->held_back_bytes >= CACHE_FILE_HELD_BACK_BYTES ||
           clock_monotonic_ms(f->clock) - f->held_back_since_ms >= CACHE_FILE_HELD_BACK_MS;
}

static void forget_held_back(struct cache_file *f)
{
    strmap_release(&f->held_back);
    f->held_back_bytes = 0;
}

static int write_value(const struct cache_file *f, MDB_txn *txn, const char *key,
                       const struct held_value *held)
{
    char copy[LMDB_KEY_SIZE]; /* LMDB takes keys without const */
    size_t key_len = strlen(key);
    memcpy(copy, key, key_len + 1);
    MDB_val name = {.mv_size = key_len, .mv_data = copy};
    MDB_val value = {.mv_size = sizeof(held->head) + held->len, .mv_data = NULL};
    int rc = mdb_put(txn, f->file.dbi, &name, &value, MDB_RESERVE);
    if (rc)
        return rc;
    memcpy(value.mv_data, &held->head, sizeof(held->head));
    memcpy((char *)value.mv_data + sizeof(held->head), held->bytes, held->len);
    return 0;
}

static int write_held_back(struct cache_file *f)
{
    CLEANUP(lmdb_txn_release) MDB_txn *txn = NULL;
    struct strmap_cursor c = STRMAP_CURSOR_INIT;
    const char *key;
    void *value;
    int rc = lmdb_file_begin_write(&f->file, f->held_back_bytes, &txn);
    if (!rc)
        rc = lmdb_room_sweep(&f->room, txn, SWEEP_PER_VALUE * strmap_size(&f->held_back));
    while (!rc && strmap_next(&f->held_back, &c, &key, &value))
        rc = write_value(f, txn, key, value);
    return rc ? rc : lmdb_txn_commit(&txn);
}

static int write_with_room(struct cache_file *f)
{
    int rc = lmdb_room_make(&f->room);
    if (!rc)
        rc = write_held_back(f);
    if (rc != MDB_MAP_FULL) /* the free pages are scattered, or an old reader holds them */
        return rc;
    rc = lmdb_room_drop_all(&f->room);
    return rc ? rc : write_held_back(f);
}

static int begin_anew(struct cache_file *f)
{
    f->room.next_key_len = 0;
    return lmdb_file_begin_anew(&f->file);
}

/* Mends what can be mended after a failure; 0 if trying again makes sense, else the code. */
static int recover(struct cache_file *f, int code)
{
    int dead;
    if (code == MDB_READERS_FULL)
        return mdb_reader_check(f->file.env, &dead);
    if (code == MDB_MAP_RESIZED) /* another process made it larger */
        return mdb_env_set_mapsize(f->file.env, 0);
    return lmdb_file_is_damage(code) || code == MDB_MAP_FULL ? begin_anew(f) : code;
}

/* What cannot be written is forgotten: a full disk must not fill the memory. */
static int cache_file_flush(void *state, struct error *err)
{
    struct cache_file *f = state;
    if (!strmap_size(&f->held_back))
        return 0;
    int rc = f->file.env ? 0 : begin_anew(f);
    if (!rc)
        rc = write_with_room(f);
    if (rc && f->file.env && recover(f, rc) == 0)
        rc = write_held_back(f);
    forget_held_back(f);
    if (!rc)
        rc = lmdb_file_let_go(&f->file);
    return rc ? report(f, rc, "write", err) : 0;
}

/* -- get and put ----------------------------------------------------------------------------------------- */

static int cache_file_put(void *state, const char *key, const void *bytes, size_t len, int64_t ttl_s,
                          struct error *err)
{
    struct cache_file *f = state;
    char name[LMDB_KEY_SIZE];
    cache_short_key(key, *key != '\0', name, sizeof(name));
    if (len > f->file.map_size / 8)
        return error_set(err, ERROR_TOO_LARGE, "%zu bytes are too large for the cache file %s", len, f->path);
    hold_back(f, name, bytes, len, ttl_s);
    return is_time_to_write(f) ? cache_file_flush(f, err) : 0;
}

/* 0, MDB_NOTFOUND, or what is wrong. */
static int get_once(const struct cache_file *f, char *key, struct strbuf *out)
{
    CLEANUP(lmdb_txn_release) MDB_txn *txn = NULL;
    MDB_val name = {.mv_size = strlen(key), .mv_data = key}, value;
    struct value_head head;
    int rc = mdb_txn_begin(f->file.env, NULL, MDB_RDONLY, &txn);
    if (!rc)
        rc = mdb_get(txn, f->file.dbi, &name, &value);
    if (rc)
        return rc;
    if (!is_whole(&value) || !read_head(&value, &head))
        return LMDB_FILE_DAMAGED;
    if (is_expired(f, &head))
        return MDB_NOTFOUND;
    strbuf_add(out, (const char *)value.mv_data + sizeof(head), value.mv_size - sizeof(head));
    return 0;
}

static int get_with_repair(struct cache_file *f, char *key, struct strbuf *out)
{
    int rc = f->file.env ? 0 : begin_anew(f);
    if (!rc)
        rc = get_once(f, key, out);
    if (!rc || rc == MDB_NOTFOUND)
        return rc;
    rc = recover(f, rc);
    return rc ? rc : get_once(f, key, out);
}

/* Says once that the file was damaged: as a failure of the get that finds nothing in the new one. */
static int report_set_aside(struct cache_file *f, struct error *err)
{
    if (!f->file.was_set_aside)
        return 0;
    f->file.was_set_aside = false;
    return error_set(err, ERROR_IO,
                     "the cache file %s was damaged: it is now %s.bad, and a new one was begun", f->path,
                     f->path);
}

static int cache_file_get(void *state, const char *key, struct strbuf *out, struct error *err)
{
    struct cache_file *f = state;
    char name[LMDB_KEY_SIZE];
    cache_short_key(key, *key != '\0', name, sizeof(name));
    const struct held_value *held = strmap_get(&f->held_back, name);
    if (held && is_expired(f, &held->head))
        return 0;
    if (held) {
        strbuf_add(out, held->bytes, held->len);
        return 1;
    }
    int rc = get_with_repair(f, name, out);
    if (rc == MDB_NOTFOUND)
        return report_set_aside(f, err);
    return rc ? report(f, rc, "read", err) : 1;
}

/* -- the walk -------------------------------------------------------------------------------------------- */

struct file_walk {
    const struct cache_file *file;
    cache_visit visit;
    void *context;
};

static bool visit_value(const MDB_val *key, const MDB_val *value, void *context)
{
    const struct file_walk *walk = context;
    struct value_head head;
    struct cache_value shown = {.len = value->mv_size};
    AUTO_FREE char *name = xmemdupz(key->mv_data, key->mv_size);
    shown.key = name;
    if (read_head(value, &head) && is_whole(value)) {
        shown.bytes = (const char *)value->mv_data + sizeof(head);
        shown.len -= sizeof(head);
        shown.expires_ms = head.expires_s * 1000;
        shown.is_expired = is_expired(walk->file, &head);
    }
    return walk->visit(&shown, walk->context);
}

static int cache_file_each(void *state, cache_visit visit, void *context, struct error *err)
{
    struct cache_file *f = state;
    struct file_walk walk = {f, visit, context};
    if (report_set_aside(f, err) < 0)
        return -1;
    int rc = f->file.env ? lmdb_walk(&f->file, visit_value, &walk) : ENOENT;
    return rc ? report(f, rc, "walk through", err) : 0;
}

const struct cache_backend cache_file_backend = {.get = cache_file_get,
                                                 .put = cache_file_put,
                                                 .flush = cache_file_flush,
                                                 .each = cache_file_each,
                                                 .free = cache_file_free};
