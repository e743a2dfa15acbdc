/*
 * The cache: image metadata at rest. One interface, three backends: an LMDB file (the default), memcached
 * (shared between pawls), and none.
 *
 * A cache only ever saves requests. Whatever goes wrong with it (a full disk, a dead server, an item that
 * does not decode) is a miss for the reader and is counted; nothing fails because of it, and no secret is put
 * in. Keys are any bytes of a C string; backends hash what they cannot store as it is. Values are whole
 * blobs; what is in them is cache/records.h's business. The version of the format is part of the key.
 *
 * A cache is used by one thread at a time. Several processes may use the same file or servers; one process
 * opens the same file only once (LMDB's locks belong to the process, not to the opening).
 */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/strbuf.h"

struct cache;

enum cache_operation { CACHE_GET, CACHE_PUT, CACHE_OPERATIONS };

/* Upper bounds of the buckets of durations, in seconds: those of Flux v1. A last bucket without bound follows. */
#define CACHE_DURATION_BOUNDS 11
extern const double cache_duration_bounds_s[CACHE_DURATION_BOUNDS];

struct cache_durations {
    uint64_t buckets[CACHE_DURATION_BOUNDS + 1]; /* each its own, not cumulated */
    double sum_s;
};

struct cache_stats {
    uint64_t hits, misses, writes, failures; /* a failed get is a miss and a failure */
    /* By operation, and by whether it succeeded: a miss did not. All zero without cache_time. */
    struct cache_durations durations[CACHE_OPERATIONS][2];
};

/*
 * Opens by the text of --cache: "file" (LMDB in `data_dir`, which is made with mode 0700 if it is missing),
 * "memcached://host:port[,host:port…]" (IPv6 addresses in brackets, port 11211 where none is given) or
 * "none". `timeout_ms` bounds each memcached operation. ERROR_USAGE for a text that is none of these;
 * ERROR_IO and its like if the file cannot be opened (the text says which and why). An unreachable memcached
 * is no error.
 */
struct cache *cache_open(const char *spec, const char *data_dir, int64_t timeout_ms, struct error *err)
    MUST_CHECK;
/* The same for those who only look: a file that is not there is not made, but is ERROR_NOT_FOUND. */
struct cache *cache_open_existing(const char *spec, const char *data_dir, int64_t timeout_ms,
                                  struct error *err) MUST_CHECK;
void cache_free(struct cache *cache); /* NULL does nothing */

/* From now on operations are timed. What is held back until a flush costs its time there, or in the put that finds the
 * batch full. `clock` is borrowed. */
void cache_time(struct cache *cache, const struct clock *clock);

/* Appends the value to `out`: true if there was one. Otherwise `out` is as it was. */
bool cache_get(struct cache *cache, const char *key, struct strbuf *out);
/* Keeps it for at least `ttl_s` seconds if the backend has room (0: as long as it can). It may be held back
 * until cache_flush or cache_free, or until enough has gathered, so that many small ones cost one write; a get
 * finds it at once. */
void cache_put(struct cache *cache, const char *key, const void *value, size_t len, int64_t ttl_s);

/* Writes what was held back: others see it, and it outlives the process. */
void cache_flush(struct cache *cache);

/* A value on a walk; all of it is borrowed until the visit ends. */
struct cache_value {
    const char *key;    /* one that was too long for the backend is "sha256-" and its digest */
    const char *bytes;  /* NULL: the value is damaged */
    size_t len;         /* as stored, of a damaged one too */
    int64_t expires_ms; /* wall time; 0: never, or not known */
    bool is_expired;
};

/* True to have the value removed. Must not use the cache. */
typedef bool (*cache_visit)(const struct cache_value *value, void *context);

/* Visits all values, expired and damaged ones too, while others may go on using the same file. ERROR_UNSUPPORTED if
 * the backend cannot list what it has; the text says what to do instead. ERROR_IO: it was visited in part. */
int cache_each(struct cache *cache, cache_visit visit, void *context, struct error *err) MUST_CHECK;
/* False for what cache_each refuses. */
bool cache_can_list(const struct cache *cache);

/* The last thing that went wrong, for one log line; NULL if nothing did since the last call. Borrowed until
 * the next call of anything here with this cache. */
const char *cache_problem(struct cache *cache);
struct cache_stats cache_stats(const struct cache *cache);

/* -- for backends ---------------------------------------------------------------------------------------- */

struct cache_backend {
    /* 1 found (appended to out), 0 not there, -1 failed; out is as it was unless 1. */
    int (*get)(void *state, const char *key, struct strbuf *out, struct error *err);
    int (*put)(void *state, const char *key, const void *value, size_t len, int64_t ttl_s, struct error *err);
    int (*flush)(void *state, struct error *err); /* NULL: nothing is ever held back */
    /* As cache_each, after a flush. NULL: it cannot list. */
    int (*each)(void *state, cache_visit visit, void *context, struct error *err);
    void (*free)(void *state); /* after a flush */
};

/* A cache on a backend that is already open; takes over `state`, which is freed by the backend. */
struct cache *cache_new(const struct cache_backend *backend, void *state) MUST_CHECK;

void *cache_file_open(const char *path, struct error *err) MUST_CHECK;
extern const struct cache_backend cache_file_backend;
/* `servers` as behind "memcached://". */
void *cache_memcached_open(const char *servers, int64_t timeout_ms, struct error *err) MUST_CHECK;
extern const struct cache_backend cache_memcached_backend;

/* Eight bytes that tell a damaged value from a whole one (FNV-1a, 64 bits). No defence against intent. */
uint64_t cache_checksum(const void *bytes, size_t len);

/* Writes a key of `size` - 1 bytes at most for any key: the key itself, or, if it is longer or `as_it_is` is
 * false, "sha256-" and the hexadecimal digest of it. `size` is at least 72. */
void cache_short_key(const char *key, bool as_it_is, char *out, size_t size);

#endif
