#include "cache/server_list.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void server_list_release(struct server_list *servers)
{
    for (size_t i = 0; i < servers->len; i++)
        free(servers->items[i].host);
    free(servers->items);
    *servers = (struct server_list)SERVER_LIST_INIT;
}

/* What may stand in a host; the rest (a slash, "@") would mean something that we do not do. */
static bool is_host(const char *text, size_t len, const char *also)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_word && (!c || !strchr(also, c)))
            return false;
    }
    return len > 0 && len < 256;
}

/* -1 if it is no port. */
static int parse_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (!digits || digits > 5 || text[digits])
        return -1;
    long port = strtol(text, NULL, 10);
    return port >= 1 && port <= 65535 ? (int)port : -1;
}

/* Splits "host:port", "host", "[address]:port" or "[address]"; false if it is none of them. */
static bool parse_server(const char *text, struct server_address *server)
{
    bool is_address = *text == '[';
    const char *host = text + is_address;
    size_t len = strcspn(host, is_address ? "]" : ":");
    const char *rest = host + len;
    if (is_address && *rest++ != ']')
        return false;
    if (!is_host(host, len, is_address ? ":.%" : "-._") || (*rest && *rest != ':'))
        return false;
    server->port = *rest ? parse_port(rest + 1) : MEMCACHED_PORT;
    if (server->port < 0)
        return false;
    server->host = xmemdupz(host, len);
    return true;
}

int server_list_parse(const char *text, struct server_list *servers, struct error *err)
{
    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ",");
        AUTO_FREE char *part = xmemdupz(at, len);
        struct server_address server;
        if (!parse_server(part, &server)) {
            server_list_release(servers);
            return error_set(err, ERROR_USAGE,
                             "\"%s\" is no memcached server: write HOST:PORT, or [ADDRESS]:PORT for IPv6",
                             part);
        }
        vec_grow(servers->items, servers->len, servers->capacity);
        servers->items[servers->len++] = server;
        at += len;
        if (!*at)
            return 0;
    }
}
