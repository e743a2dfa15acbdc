/*
 * memcached through libmemcached, in the text protocol: the binary one is deprecated by memcached itself and
 * unknown to proxies. Keys that it cannot carry (long, with spaces or control characters) are hashed.
 *
 * Every item begins with a head. A value over CHUNK_SIZE is split, because servers take items of up to 1 MiB
 * unless they are told otherwise: the item under the key then holds only the head, and the chunks are under
 * keys made of the key and the checksum of the whole, so that chunks of two writers never mix. They are
 * written before the head and read with one multi-get; one that is missing makes the value a miss.
 */
#include "cache/cache_memcached.h"

#include <inttypes.h>
#include <libmemcached/memcached.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cache/cache.h"
#include "cache/memcached_peers.h"
#include "cache/server_list.h"

#define KEY_SIZE       200 /* memcached's keys have at most 250 bytes, of which a chunk's ending takes some */
#define CHUNK_KEY_SIZE (KEY_SIZE + 32)
#define CHUNK_SIZE     ((size_t)500000)
#define ITEM_MAGIC     0x316c7770u /* "pwl1" */

/* To memcached, times above this are dates. */
#define RELATIVE_TTL_MAX_S ((int64_t)30 * 86400)

struct cache_memcached {
    memcached_st *client;
    struct memcached_peers peers;
    int64_t wait_ms; /* for one step of an operation */
    struct cache_memcached_options options;
    int64_t deadline_ms; /* monotonic, of the operation under way */
};

struct item_head {
    uint32_t magic;
    uint32_t chunks; /* 0: the value follows */
    uint64_t length; /* of the whole value */
    uint64_t checksum;
};

/* -- opening --------------------------------------------------------------------------------------------- */

static int set_behaviors(struct cache_memcached *m)
{
    uint64_t wait_ms = (uint64_t)m->wait_ms;
    const struct {
        memcached_behavior_t name;
        uint64_t value;
    } behaviors[] = {
        {MEMCACHED_BEHAVIOR_DISTRIBUTION, MEMCACHED_DISTRIBUTION_CONSISTENT_KETAMA},
        {MEMCACHED_BEHAVIOR_NO_BLOCK, 1}, /* without it the connect timeout has no effect */
        {MEMCACHED_BEHAVIOR_TCP_NODELAY, 1},
        {MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, wait_ms},
        {MEMCACHED_BEHAVIOR_POLL_TIMEOUT, wait_ms},
        {MEMCACHED_BEHAVIOR_SND_TIMEOUT, wait_ms * 1000}, /* these two are in microseconds */
        {MEMCACHED_BEHAVIOR_RCV_TIMEOUT, wait_ms * 1000},
        {MEMCACHED_BEHAVIOR_RETRY_TIMEOUT, 1}, /* seconds, the least; we wait longer */
    };
    for (size_t i = 0; i < ARRAY_LEN(behaviors); i++) {
        if (memcached_failed(memcached_behavior_set(m->client, behaviors[i].name, behaviors[i].value)))
            return -1;
    }
    return 0;
}

static void cache_memcached_free(void *state)
{
    struct cache_memcached *m = state;
    if (m->client)
        memcached_free(m->client);
    memcached_peers_release(&m->peers);
    free(m);
}

void *cache_memcached_open_with(const char *servers, const struct cache_memcached_options *options,
                                struct error *err)
{
    struct server_list list = SERVER_LIST_INIT;
    if (server_list_parse(servers, &list, err) < 0)
        return NULL;
    struct cache_memcached *m = xcalloc(1, sizeof(*m));
    m->options = *options;
    m->wait_ms = options->timeout_ms / 3 + 1;
    m->client = memcached_create(NULL);
    m->peers = (struct memcached_peers){
        .client = m->client, .clock = options->clock, .retry_after_s = options->retry_after_s};
    if (m->client && set_behaviors(m) == 0 && memcached_peers_add(&m->peers, &list) == 0)
        return m;
    server_list_release(&list);
    error_set(err, ERROR_INTERNAL, "libmemcached does not take the servers %s", servers);
    cache_memcached_free(m);
    return NULL;
}

void *cache_memcached_open(const char *servers, int64_t timeout_ms, struct error *err)
{
    const struct cache_memcached_options options = {
        .timeout_ms = timeout_ms, .retry_after_s = CACHE_MEMCACHED_RETRY_AFTER_S, .clock = &system_clock};
    return cache_memcached_open_with(servers, &options, err);
}

/* -- keys ------------------------------------------------------------------------------------------------ */

static void item_key(const char *key, char out[KEY_SIZE])
{
    bool is_plain = *key != '\0';
    for (const char *c = key; *c && is_plain; c++)
        is_plain = *c > ' ' && *c < 0x7f;
    cache_short_key(key, is_plain, out, KEY_SIZE);
}

static void chunk_key(const char *name, const struct item_head *head, uint32_t index,
                      char out[CHUNK_KEY_SIZE])
{
    snprintf(out, CHUNK_KEY_SIZE, "%s.%016" PRIx64 ".%" PRIu32, name, head->checksum, index);
}

static size_t chunk_length(const struct item_head *head, uint32_t index)
{
    size_t left = head->length - index * CHUNK_SIZE;
    return left < CHUNK_SIZE ? left : CHUNK_SIZE;
}

/* -- time ------------------------------------------------------------------------------------------------ */

static int64_t now_ms(const struct cache_memcached *m)
{
    return clock_monotonic_ms(m->options.clock);
}

static void begin(struct cache_memcached *m)
{
    m->deadline_ms = now_ms(m) + m->options.timeout_ms;
}

static bool is_late(const struct cache_memcached *m)
{
    return now_ms(m) > m->deadline_ms;
}

static int report_late(const struct cache_memcached *m, const char *what, struct error *err)
{
    return error_set(err, ERROR_TIMEOUT, "cannot %s memcached: not done after %" PRId64 " ms", what,
                     m->options.timeout_ms);
}

/* -- get ------------------------------------------------------------------------------------------------- */

static bool read_head(const char *item, size_t len, struct item_head *head)
{
    if (len < sizeof(*head))
        return false;
    memcpy(head, item, sizeof(*head));
    if (head->magic != ITEM_MAGIC || head->length > LIMIT_CACHE_VALUE_BYTES)
        return false;
    uint64_t chunks = (head->length + CHUNK_SIZE - 1) / CHUNK_SIZE;
    return head->chunks ? head->chunks == chunks : head->length == len - sizeof(*head);
}

/* A value of several chunks, on its way in. */
struct assembly {
    const char *name;
    const struct item_head *head;
    char (*keys)[CHUNK_KEY_SIZE];
    bool *arrived;
    char *bytes;
};

static void assembly_init(struct assembly *a, const char *name, const struct item_head *head)
{
    a->name = name;
    a->head = head;
    a->keys = xcalloc(head->chunks, sizeof(*a->keys));
    a->arrived = xcalloc(head->chunks, sizeof(*a->arrived));
    a->bytes = xmalloc(head->length);
    for (uint32_t i = 0; i < head->chunks; i++)
        chunk_key(name, head, i, a->keys[i]);
}

static void assembly_release(struct assembly *a)
{
    free(a->keys);
    free(a->arrived);
    free(a->bytes);
}

/* Puts a chunk where its key says; what does not fit is passed over, so the value stays incomplete. */
static void place_chunk(struct assembly *a, memcached_result_st *result)
{
    const char *key = memcached_result_key_value(result);
    size_t key_len = memcached_result_key_length(result);
    for (uint32_t i = 0; i < a->head->chunks; i++) {
        size_t len = chunk_length(a->head, i);
        if (strlen(a->keys[i]) != key_len || memcmp(a->keys[i], key, key_len) != 0)
            continue;
        if (memcached_result_length(result) == len) {
            memcpy(a->bytes + i * CHUNK_SIZE, memcached_result_value(result), len);
            a->arrived[i] = true;
        }
        return;
    }
}

static void ask_for_chunks(struct cache_memcached *m, const struct assembly *a)
{
    AUTO_FREE const char **keys = xcalloc(a->head->chunks, sizeof(*keys));
    AUTO_FREE size_t *lengths = xcalloc(a->head->chunks, sizeof(*lengths));
    for (uint32_t i = 0; i < a->head->chunks; i++) {
        keys[i] = a->keys[i];
        lengths[i] = strlen(keys[i]);
    }
    memcached_mget(m->client, keys, lengths, a->head->chunks); /* what fails does not arrive */
}

/* Takes what comes until nothing more will. */
static void take_chunks(struct cache_memcached *m, struct assembly *a)
{
    memcached_result_st result;
    memcached_return_t rc = MEMCACHED_SUCCESS;
    if (!memcached_result_create(m->client, &result))
        return;
    while (memcached_fetch_result(m->client, &result, &rc)) {
        place_chunk(a, &result);
        if (is_late(m)) {
            memcached_quit(m->client); /* the rest must not be taken for the next answer */
            break;
        }
    }
    memcached_result_free(&result);
}

static int check_chunk_servers(const struct cache_memcached *m, const struct assembly *a, struct error *err)
{
    for (uint32_t i = 0; i < a->head->chunks; i++) {
        if (memcached_peer_check(&m->peers, memcached_peers_of(&m->peers, a->keys[i]), "read from", err) < 0)
            return -1;
    }
    return 0;
}

/* A chunk that is missing at once was evicted; one that was waited for is on a server that is down. */
static int explain_missing(const struct cache_memcached *m, const struct assembly *a, int64_t took_ms,
                           struct error *err)
{
    if (took_ms < m->wait_ms)
        return 0;
    for (uint32_t i = 0; i < a->head->chunks; i++) {
        if (!a->arrived[i])
            memcached_peer_is_slow(&m->peers, memcached_peers_of(&m->peers, a->keys[i]));
    }
    return report_late(m, "read from", err);
}

static int get_chunks(struct cache_memcached *m, const char *name, const struct item_head *head,
                      struct strbuf *out, struct error *err)
{
    CLEANUP(assembly_release) struct assembly a;
    assembly_init(&a, name, head);
    if (check_chunk_servers(m, &a, err) < 0)
        return -1;
    int64_t start_ms = now_ms(m);
    ask_for_chunks(m, &a);
    take_chunks(m, &a);
    if (memchr(a.arrived, false, head->chunks))
        return explain_missing(m, &a, now_ms(m) - start_ms, err);
    if (cache_checksum(a.bytes, head->length) != head->checksum)
        return 0;
    strbuf_add(out, a.bytes, head->length);
    return 1;
}

static int cache_memcached_get(void *state, const char *key, struct strbuf *out, struct error *err)
{
    struct cache_memcached *m = state;
    char name[KEY_SIZE];
    size_t len = 0;
    uint32_t flags;
    memcached_return_t rc = MEMCACHED_SUCCESS;
    struct item_head head;
    begin(m);
    item_key(key, name);
    struct memcached_peer *peer = memcached_peers_of(&m->peers, name);
    if (memcached_peer_check(&m->peers, peer, "read from", err) < 0)
        return -1;
    AUTO_FREE char *item = memcached_get(m->client, name, strlen(name), &len, &flags, &rc);
    if (rc == MEMCACHED_NOTFOUND)
        return 0;
    if (memcached_failed(rc))
        return memcached_peer_failed(&m->peers, peer, rc, "read from", err);
    if (!item || !read_head(item, len, &head))
        return 0;
    if (head.chunks)
        return get_chunks(m, name, &head, out, err);
    if (cache_checksum(item + sizeof(head), head.length) != head.checksum)
        return 0;
    strbuf_add(out, item + sizeof(head), head.length);
    return 1;
}

/* -- put ------------------------------------------------------------------------------------------------- */

static time_t expiration(const struct cache_memcached *m, int64_t ttl_s)
{
    return (time_t)(ttl_s > RELATIVE_TTL_MAX_S ? clock_wall_ms(m->options.clock) / 1000 + ttl_s : ttl_s);
}

static int put_item(struct cache_memcached *m, const char *name, const char *item, size_t len, int64_t ttl_s,
                    struct error *err)
{
    struct memcached_peer *peer = memcached_peers_of(&m->peers, name);
    if (is_late(m))
        return report_late(m, "write to", err);
    if (memcached_peer_check(&m->peers, peer, "write to", err) < 0)
        return -1;
    memcached_return_t rc = memcached_set(m->client, name, strlen(name), item, len, expiration(m, ttl_s), 0);
    return memcached_failed(rc) ? memcached_peer_failed(&m->peers, peer, rc, "write to", err) : 0;
}

static int put_chunks(struct cache_memcached *m, const char *name, const struct item_head *head,
                      const char *bytes, int64_t ttl_s, struct error *err)
{
    for (uint32_t i = 0; i < head->chunks; i++) {
        char chunk[CHUNK_KEY_SIZE];
        chunk_key(name, head, i, chunk);
        if (put_item(m, chunk, bytes + i * CHUNK_SIZE, chunk_length(head, i), ttl_s, err) < 0)
            return -1;
    }
    return 0;
}

static int cache_memcached_put(void *state, const char *key, const void *bytes, size_t len, int64_t ttl_s,
                               struct error *err)
{
    struct cache_memcached *m = state;
    char name[KEY_SIZE];
    struct item_head head = {.magic = ITEM_MAGIC, .length = len, .checksum = cache_checksum(bytes, len)};
    if (len > CHUNK_SIZE)
        head.chunks = (uint32_t)((len + CHUNK_SIZE - 1) / CHUNK_SIZE);
    begin(m);
    item_key(key, name);
    if (put_chunks(m, name, &head, bytes, ttl_s, err) < 0)
        return -1;
    CLEANUP(strbuf_release) struct strbuf item = STRBUF_INIT;
    strbuf_add(&item, &head, sizeof(head));
    if (!head.chunks)
        strbuf_add(&item, bytes, len);
    return put_item(m, name, item.buf, item.len, ttl_s, err);
}

/* There is no `each`: memcached has no way to list keys that its authors stand by. */
const struct cache_backend cache_memcached_backend = {.get = cache_memcached_get,
                                                      .put = cache_memcached_put,
                                                      .flush = NULL,
                                                      .each = NULL,
                                                      .free = cache_memcached_free};
