#include "daemon/listen_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"

/* Connections that wait to be accepted; what a burst of a registry's notifications needs, with room. */
#define BACKLOG 64

struct address {
    char *host; /* NULL: every address */
    char *port;
};

static void release(struct address *address)
{
    free(address->host);
    free(address->port);
}

static void free_list(struct addrinfo **list)
{
    if (*list)
        freeaddrinfo(*list);
}

static bool is_port(const char *text)
{
    size_t len = strspn(text, "0123456789");
    return len && len <= 5 && !text[len] && strtol(text, NULL, 10) <= 65535;
}

/* Takes "[v6]:port", "host:port" and ":port" apart. */
static int split(const char *text, struct address *out, struct error *err)
{
    const char *colon = strrchr(text, ':');
    size_t host = colon ? (size_t)(colon - text) : 0;
    bool bracketed = host >= 2 && text[0] == '[' && text[host - 1] == ']';
    if (!colon || !is_port(colon + 1) || (!bracketed && memchr(text, ':', host)))
        return error_set(err, ERROR_USAGE,
                         "--listen \"%.100s\": expected :PORT, HOST:PORT or [IPV6]:PORT, or none", text);
    out->port = xstrdup(colon + 1);
    if (bracketed)
        out->host = xmemdupz(text + 1, host - 2);
    else if (host)
        out->host = xmemdupz(text, host);
    return 0;
}

/* The descriptor, or -1 with errno. */
static int listen_on(const struct addrinfo *at)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    const int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (at->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int problem = errno;
    close(fd);
    errno = problem;
    return -1;
}

static int refuse(const char *text, int problem, struct error *err)
{
    const char *cure = problem == EADDRINUSE
                           ? "; is another pawl running? Stop it, or give --listen another port"
                       : problem == EACCES ? "; ports below 1024 need a privilege, give --listen another"
                                           : "; give --listen an address of this machine";
    return error_set(err, ERROR_IO, "cannot listen on %.100s: %s%s", text, strerror(problem), cure);
}

/* IPv6 first: it takes IPv4 too. Where the kernel has none, the next of the list is taken. */
static int open_any(const char *text, const struct addrinfo *list, bool every_address, struct error *err)
{
    static const int families[] = {AF_INET6, AF_INET};
    int problem = EAFNOSUPPORT;
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        for (const struct addrinfo *at = list; at; at = at->ai_next) {
            if (every_address && at->ai_family != families[i])
                continue;
            int fd = listen_on(at);
            if (fd >= 0)
                return fd;
            problem = errno;
            if (problem == EADDRINUSE)
                return refuse(text, problem, err);
        }
    }
    return refuse(text, problem, err);
}

int listen_socket_open(const char *text, struct error *err)
{
    CLEANUP(release) struct address address = {0};
    CLEANUP(free_list) struct addrinfo *list = NULL;
    if (split(text, &address, err) < 0)
        return -1;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    int status = getaddrinfo(address.host, address.port, &hints, &list);
    if (status != 0)
        return error_set(err, ERROR_USAGE, "--listen \"%.100s\": %s", text, gai_strerror(status));
    return open_any(text, list, !address.host, err);
}

char *listen_socket_address(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0 ||
        getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return xstrdup("?");
    return xasprintf(strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}
