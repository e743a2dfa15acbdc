/*
 * The list of servers in "memcached://host:port,[::1]:11212,other".
 */
#ifndef CACHE_SERVER_LIST_H
#define CACHE_SERVER_LIST_H

#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"

#define MEMCACHED_PORT 11211

struct server_address {
    char *host; /* name or address, without brackets */
    int port;
};

struct server_list {
    struct server_address *items;
    size_t len, capacity;
};
#define SERVER_LIST_INIT                                                                                     \
    {                                                                                                        \
        .items = NULL, .len = 0, .capacity = 0                                                               \
    }

/* At least one. ERROR_USAGE: the text names the part that is wrong. */
int server_list_parse(const char *text, struct server_list *servers, struct error *err) MUST_CHECK;
void server_list_release(struct server_list *servers);

#endif
