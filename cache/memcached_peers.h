/*
 * The memcached servers of a cache: which of them an item is on, and which are left alone for having failed.
 *
 * Keys of a dead server do not move to the others: what they left there would be found, stale, the next time.
 * libmemcached leaves a server alone that it cannot connect to, but asks one again and again that takes
 * connections and never answers; so which servers are down is kept here.
 */
#ifndef CACHE_MEMCACHED_PEERS_H
#define CACHE_MEMCACHED_PEERS_H

#include <libmemcached/memcached.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "cache/server_list.h"

struct memcached_peer {
    struct server_address *address;
    int64_t down_until_ms;     /* monotonic; what is on it is a miss until then */
    memcached_return_t reason; /* why it is down */
};

struct memcached_peers {
    memcached_st *client; /* borrowed, as the clock */
    const struct clock *clock;
    int64_t retry_after_s;
    struct server_list addresses;
    struct memcached_peer *items; /* one for each address */
};

/* Takes over the addresses and adds them to the client. -1 if that does not take them. */
int memcached_peers_add(struct memcached_peers *peers, struct server_list *addresses) MUST_CHECK;
void memcached_peers_release(struct memcached_peers *peers);

/* The server that an item is on. */
struct memcached_peer *memcached_peers_of(const struct memcached_peers *peers, const char *name);

/* 0 if the server may be asked. -1 with ERROR_NETWORK and the reason of its failure if it is to be left alone. `what` is
 * what was to be done: "read from", "write to". */
int memcached_peer_check(const struct memcached_peers *peers, const struct memcached_peer *peer,
                         const char *what, struct error *err) MUST_CHECK;
/* Always -1, with the failure in words. The server is left alone for a while, unless that was an answer, even an
 * unwelcome one. */
int memcached_peer_failed(const struct memcached_peers *peers, struct memcached_peer *peer,
                          memcached_return_t reason, const char *what, struct error *err);
/* It let us wait, without a failure that libmemcached told of. */
void memcached_peer_is_slow(const struct memcached_peers *peers, struct memcached_peer *peer);

#endif
