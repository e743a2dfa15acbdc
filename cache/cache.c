#include "cache/cache.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"

#define FILE_NAME "cache.lmdb" /* in the data directory */

struct cache {
    const struct cache_backend *backend; /* NULL: none */
    void *state;
    const struct clock *clock; /* NULL: nothing is timed */
    struct cache_stats stats;
    struct error problem; /* ERROR_NONE: nothing since the last cache_problem */
    struct error shown;
};

const double cache_duration_bounds_s[CACHE_DURATION_BOUNDS] = {.005, .01, .025, .05, .1, .25,
                                                               .5,   1,   2.5,  5,   10};

struct cache *cache_new(const struct cache_backend *backend, void *state)
{
    struct cache *cache = xcalloc(1, sizeof(*cache));
    cache->backend = backend;
    cache->state = state;
    return cache;
}

static struct cache *open_file(const char *data_dir, struct error *err)
{
    AUTO_FREE char *path = file_join(data_dir, FILE_NAME);
    if (file_make_directories(data_dir, 0700, err) < 0) {
        error_wrap(err, "opening the cache (see --data-dir)");
        return NULL;
    }
    struct error cause = ERROR_INIT;
    void *state = cache_file_open(path, &cause);
    if (state)
        return cache_new(&cache_file_backend, state);
    error_set(err, cause.code, "%s; --data-dir puts it elsewhere, --cache none does without", cause.text);
    return NULL;
}

static struct cache *open_memcached(const char *servers, int64_t timeout_ms, struct error *err)
{
    void *state = cache_memcached_open(servers, timeout_ms, err);
    return state ? cache_new(&cache_memcached_backend, state) : NULL;
}

struct cache *cache_open(const char *spec, const char *data_dir, int64_t timeout_ms, struct error *err)
{
    static const char memcached[] = "memcached://";
    if (!strcmp(spec, "none"))
        return cache_new(NULL, NULL);
    if (!strcmp(spec, "file"))
        return open_file(data_dir, err);
    if (str_starts_with(spec, memcached))
        return open_memcached(spec + strlen(memcached), timeout_ms, err);
    error_set(err, ERROR_USAGE, "\"%s\" is no cache: use file, memcached://HOST:PORT[,HOST:PORT…] or none",
              spec);
    return NULL;
}

struct cache *cache_open_existing(const char *spec, const char *data_dir, int64_t timeout_ms,
                                  struct error *err)
{
    AUTO_FREE char *path = file_join(data_dir, FILE_NAME);
    if (!strcmp(spec, "file") && access(path, F_OK) < 0) {
        bool is_missing = errno == ENOENT || errno == ENOTDIR;
        error_errno(err, errno,
                    is_missing ? "no cache file %s (see --data-dir; the first scan makes it)"
                               : "cannot look at %s",
                    path);
        return NULL;
    }
    return cache_open(spec, data_dir, timeout_ms, err);
}

void cache_free(struct cache *cache)
{
    if (!cache)
        return;
    cache_flush(cache);
    if (cache->backend)
        cache->backend->free(cache->state);
    free(cache);
}

void cache_time(struct cache *cache, const struct clock *clock)
{
    cache->clock = clock;
}

static int64_t now_of(const struct cache *cache)
{
    return cache->clock ? clock_monotonic_ms(cache->clock) : 0;
}

static void note_duration(struct cache *cache, enum cache_operation operation, bool succeeded,
                          int64_t started_ms)
{
    if (!cache->clock || !cache->backend)
        return;
    struct cache_durations *durations = &cache->stats.durations[operation][succeeded];
    double took_s = (double)(now_of(cache) - started_ms) / 1000;
    size_t bucket = 0;
    while (bucket < CACHE_DURATION_BOUNDS && took_s > cache_duration_bounds_s[bucket])
        bucket++;
    durations->buckets[bucket]++;
    durations->sum_s += took_s;
}

static void note_failure(struct cache *cache, const struct error *problem)
{
    cache->stats.failures++;
    cache->problem = *problem;
}

bool cache_get(struct cache *cache, const char *key, struct strbuf *out)
{
    struct error problem = ERROR_INIT;
    int64_t started_ms = now_of(cache);
    int found = cache->backend ? cache->backend->get(cache->state, key, out, &problem) : 0;
    note_duration(cache, CACHE_GET, found > 0, started_ms);
    if (found < 0)
        note_failure(cache, &problem);
    if (found > 0)
        cache->stats.hits++;
    else
        cache->stats.misses++;
    return found > 0;
}

void cache_put(struct cache *cache, const char *key, const void *value, size_t len, int64_t ttl_s)
{
    struct error problem = ERROR_INIT;
    if (!cache->backend)
        return;
    if (len > LIMIT_CACHE_VALUE_BYTES) {
        error_set(&problem, ERROR_TOO_LARGE, "%zu bytes are more than the cache takes (%u)", len,
                  LIMIT_CACHE_VALUE_BYTES);
        note_failure(cache, &problem);
        return;
    }
    int64_t started_ms = now_of(cache);
    int status = cache->backend->put(cache->state, key, value, len, ttl_s, &problem);
    note_duration(cache, CACHE_PUT, status == 0, started_ms);
    if (status < 0)
        note_failure(cache, &problem);
    else
        cache->stats.writes++;
}

void cache_flush(struct cache *cache)
{
    struct error problem = ERROR_INIT;
    if (cache->backend && cache->backend->flush && cache->backend->flush(cache->state, &problem) < 0)
        note_failure(cache, &problem);
}

bool cache_can_list(const struct cache *cache)
{
    return cache->backend && cache->backend->each;
}

int cache_each(struct cache *cache, cache_visit visit, void *context, struct error *err)
{
    if (!cache->backend)
        return error_set(err, ERROR_UNSUPPORTED, "there is no cache (--cache none)");
    if (!cache->backend->each)
        return error_set(err, ERROR_UNSUPPORTED,
                         "memcached cannot list what it holds; `pawl cache inspect REPOSITORY` shows one "
                         "repository, and what is old goes by itself");
    cache_flush(cache);
    return cache->backend->each(cache->state, visit, context, err);
}

const char *cache_problem(struct cache *cache)
{
    if (cache->problem.code == ERROR_NONE)
        return NULL;
    cache->shown = cache->problem;
    error_clear(&cache->problem);
    return cache->shown.text;
}

struct cache_stats cache_stats(const struct cache *cache)
{
    return cache->stats;
}

uint64_t cache_checksum(const void *bytes, size_t len)
{
    const unsigned char *in = bytes;
    uint64_t sum = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ in[i]) * 0x100000001b3u;
    return sum;
}

void cache_short_key(const char *key, bool as_it_is, char *out, size_t size)
{
    size_t len = strlen(key);
    if (as_it_is && len < size) {
        memcpy(out, key, len + 1);
        return;
    }
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_len = 0;
    if (!EVP_Digest(key, len, digest, &digest_len, EVP_sha256(), NULL))
        abort();
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_addstr(&text, "sha256-");
    strbuf_add_hex(&text, digest, digest_len);
    memcpy(out, text.buf, text.len + 1);
}
