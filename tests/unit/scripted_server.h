/*
 * A server on a loopback port that answers what a test tells it to, faults included: for tests of what speaks
 * HTTP. One thread accepts, one per connection reads requests and lets the test's `answer` write whatever
 * bytes it likes to the socket. Header-only, as each test program is one file.
 */
#ifndef TESTS_SCRIPTED_SERVER_H
#define TESTS_SCRIPTED_SERVER_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/strbuf.h"

#define SCRIPTED_CONNECTIONS 4096

struct scripted_server;

struct scripted_request {
    char method[16], target[2048];
    char *head; /* request line and headers */
    char *body;
    struct scripted_server *server;
};

/* Writes the answer to `fd`. False: the connection is closed afterwards. Runs on the connection's thread. */
typedef bool (*scripted_answer)(const struct scripted_request *request, int fd, void *context);

struct scripted_server {
    int fd, port;
    scripted_answer answer;
    void *context;
    pthread_t thread;
    pthread_mutex_t lock;
    struct strbuf log; /* "GET /path\n" for each request, under the lock */
    int fds[SCRIPTED_CONNECTIONS];
    pthread_t threads[SCRIPTED_CONNECTIONS];
    int connections;
};

struct scripted_connection {
    struct scripted_server *server;
    int fd;
};

static void scripted_send(int fd, const void *bytes, size_t len)
{
    for (const char *at = bytes; len;) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        at += sent;
        len -= (size_t)sent;
    }
}

/* A whole answer; `headers` are lines that each end in \r\n. True, to keep the connection. */
static bool UNUSED scripted_reply(int fd, const char *status, const char *headers, const char *body)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    strbuf_addf(&b, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n%s", status, strlen(body), headers, body);
    scripted_send(fd, b.buf, b.len);
    return true;
}

/* The value of a header of the request, or NULL; free() it. */
static UNUSED char *scripted_header(const struct scripted_request *request, const char *name)
{
    for (const char *line = strchr(request->head, '\n'); line; line = strchr(line, '\n')) {
        line++;
        if (!strncasecmp(line, name, strlen(name)) && line[strlen(name)] == ':') {
            const char *value = line + strlen(name) + 1;
            value += strspn(value, " ");
            return xmemdupz(value, strcspn(value, "\r\n"));
        }
    }
    return NULL;
}

/* One request off the wire, what follows it left in `pending`; false at the end of the connection. */
static bool scripted_read(int fd, struct strbuf *pending, struct scripted_request *request)
{
    char *end;
    size_t body_len = 0;
    while (!(end = strstr(pending->buf, "\r\n\r\n")) ||
           pending->len < (size_t)(end + 4 - pending->buf) + body_len) {
        char bytes[4096];
        ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
        if (got <= 0)
            return false;
        strbuf_add(pending, bytes, (size_t)got);
        if (pending->buf[0] == 0x16) /* a TLS handshake, which is not spoken here */
            return false;
        const char *length = strcasestr(pending->buf, "\r\nContent-Length:");
        end = strstr(pending->buf, "\r\n\r\n");
        if (end && length && length < end)
            body_len = strtoul(length + 17, NULL, 10);
    }
    size_t head_len = (size_t)(end + 4 - pending->buf);
    request->head = xmemdupz(pending->buf, head_len);
    request->body = xmemdupz(pending->buf + head_len, body_len);
    sscanf(request->head, "%15s %2047s", request->method, request->target);
    struct strbuf rest = STRBUF_INIT;
    strbuf_add(&rest, pending->buf + head_len + body_len, pending->len - head_len - body_len);
    strbuf_release(pending);
    *pending = rest;
    return true;
}

static void *scripted_converse(void *context)
{
    struct scripted_connection *connection = context;
    struct scripted_server *server = connection->server;
    CLEANUP(strbuf_release) struct strbuf pending = STRBUF_INIT;
    bool go_on = true;
    struct scripted_request request = {.server = server};
    while (go_on && scripted_read(connection->fd, &pending, &request)) {
        pthread_mutex_lock(&server->lock);
        strbuf_addf(&server->log, "%s %s\n", request.method, request.target);
        pthread_mutex_unlock(&server->lock);
        go_on = server->answer(&request, connection->fd, server->context);
        free(request.head);
        free(request.body);
    }
    shutdown(connection->fd, SHUT_RDWR);
    free(connection);
    return NULL;
}

static void *scripted_accept(void *context)
{
    struct scripted_server *server = context;
    int fd;
    while ((fd = accept(server->fd, NULL, NULL)) >= 0 && server->connections < SCRIPTED_CONNECTIONS) {
        struct scripted_connection *connection = xcalloc(1, sizeof(*connection));
        *connection = (struct scripted_connection){server, fd};
        server->fds[server->connections] = fd;
        if (pthread_create(&server->threads[server->connections], NULL, scripted_converse, connection) != 0)
            abort();
        server->connections++;
    }
    return NULL;
}

static UNUSED struct scripted_server *scripted_start(scripted_answer answer, void *context)
{
    struct scripted_server *server = xcalloc(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    server->answer = answer;
    server->context = context;
    strbuf_init(&server->log, 0);
    pthread_mutex_init(&server->lock, NULL);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->fd < 0 || bind(server->fd, (struct sockaddr *)&address, len) < 0 ||
        listen(server->fd, 64) < 0 || getsockname(server->fd, (struct sockaddr *)&address, &len) < 0)
        abort();
    server->port = ntohs(address.sin_port);
    if (pthread_create(&server->thread, NULL, scripted_accept, server) != 0)
        abort();
    return server;
}

/* The number of requests so far whose "METHOD target" begins with `prefix`. */
static int UNUSED scripted_count(struct scripted_server *server, const char *prefix)
{
    int count = 0;
    pthread_mutex_lock(&server->lock);
    for (const char *line = server->log.buf; *line; line = strchr(line, '\n') + 1)
        count += !strncmp(line, prefix, strlen(prefix));
    pthread_mutex_unlock(&server->lock);
    return count;
}

static void UNUSED scripted_stop(struct scripted_server *server)
{
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    for (int i = 0; i < server->connections; i++)
        shutdown(server->fds[i], SHUT_RDWR);
    for (int i = 0; i < server->connections; i++) {
        pthread_join(server->threads[i], NULL);
        close(server->fds[i]);
    }
    close(server->fd);
    strbuf_release(&server->log);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

#endif
