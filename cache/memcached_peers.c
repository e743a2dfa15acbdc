#include "cache/memcached_peers.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* What people meet, and what to do about it; the rest is told in libmemcached's words. */
static const struct explanation {
    memcached_return_t reason;
    const char *text;
} explanations[] = {
    {MEMCACHED_CONNECTION_FAILURE, "cannot connect; is it running, and is the port right?"},
    {MEMCACHED_HOST_LOOKUP_FAILURE, "the host name does not resolve; check its spelling and the DNS"},
    {MEMCACHED_TIMEOUT, "no answer in time; is it overloaded? --memcached-timeout says how long is waited"},
    {MEMCACHED_UNKNOWN_READ_FAILURE, "what answers there is no memcached, or broke off; check the port"},
    {MEMCACHED_E2BIG, "the value is larger than its items may be; start it with -I 1m (its default) or more"},
    {MEMCACHED_SERVER_MEMORY_ALLOCATION_FAILURE,
     "it has no memory left for the value; start it with a larger -m"},
};

int memcached_peers_add(struct memcached_peers *peers, struct server_list *addresses)
{
    peers->addresses = *addresses;
    *addresses = (struct server_list)SERVER_LIST_INIT;
    peers->items = xcalloc(peers->addresses.len, sizeof(*peers->items));
    for (size_t i = 0; i < peers->addresses.len; i++) {
        struct server_address *address = &peers->addresses.items[i];
        peers->items[i] = (struct memcached_peer){.address = address, .down_until_ms = INT64_MIN};
        if (memcached_failed(memcached_server_add(peers->client, address->host, (in_port_t)address->port)))
            return -1;
    }
    return 0;
}

void memcached_peers_release(struct memcached_peers *peers)
{
    server_list_release(&peers->addresses);
    free(peers->items);
}

struct memcached_peer *memcached_peers_of(const struct memcached_peers *peers, const char *name)
{
    memcached_return_t rc;
    const memcached_instance_st *instance = memcached_server_by_key(peers->client, name, strlen(name), &rc);
    for (size_t i = 0; instance && i < peers->addresses.len; i++) {
        const struct server_address *address = peers->items[i].address;
        if (address->port == (int)memcached_server_port(instance) &&
            !strcmp(address->host, memcached_server_name(instance)))
            return &peers->items[i];
    }
    return &peers->items[0];
}

/* True for an answer, even an unwelcome one: the server is there. */
static bool is_answer(memcached_return_t reason)
{
    switch ((int)reason) {
    case MEMCACHED_CLIENT_ERROR:
    case MEMCACHED_SERVER_ERROR:
    case MEMCACHED_E2BIG:
    case MEMCACHED_NOTSTORED:
    case MEMCACHED_SERVER_MEMORY_ALLOCATION_FAILURE:
        return true;
    default:
        return false;
    }
}

static const char *explain(const struct memcached_peers *peers, memcached_return_t reason)
{
    for (size_t i = 0; i < ARRAY_LEN(explanations); i++) {
        if (explanations[i].reason == reason)
            return explanations[i].text;
    }
    return memcached_strerror(peers->client, reason);
}

static int report(const struct memcached_peers *peers, const struct memcached_peer *peer,
                  memcached_return_t reason, const char *what, struct error *err)
{
    return error_set(err, ERROR_NETWORK, "cannot %s memcached at %s:%d: %s", what, peer->address->host,
                     peer->address->port, explain(peers, reason));
}

int memcached_peer_check(const struct memcached_peers *peers, const struct memcached_peer *peer,
                         const char *what, struct error *err)
{
    if (clock_monotonic_ms(peers->clock) >= peer->down_until_ms)
        return 0;
    return report(peers, peer, peer->reason, what, err);
}

static void leave_alone(const struct memcached_peers *peers, struct memcached_peer *peer,
                        memcached_return_t reason)
{
    /* libmemcached's own pause says nothing of why */
    if (reason != MEMCACHED_SERVER_TEMPORARILY_DISABLED && reason != MEMCACHED_SERVER_MARKED_DEAD)
        peer->reason = reason;
    peer->down_until_ms = clock_monotonic_ms(peers->clock) + peers->retry_after_s * 1000;
}

int memcached_peer_failed(const struct memcached_peers *peers, struct memcached_peer *peer,
                          memcached_return_t reason, const char *what, struct error *err)
{
    if (is_answer(reason))
        return report(peers, peer, reason, what, err);
    leave_alone(peers, peer, reason);
    return report(peers, peer, peer->reason, what, err);
}

void memcached_peer_is_slow(const struct memcached_peers *peers, struct memcached_peer *peer)
{
    leave_alone(peers, peer, MEMCACHED_TIMEOUT);
}
