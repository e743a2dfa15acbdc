/*
 * A registry that answers faster than anything can ask: what is measured against it is the client.
 *
 *     load_server --repositories N --tags M [--port P] [--page SIZE]
 *
 * It has the repositories bench/app-0 … bench/app-<N-1>, each with M tags 1.0.X that are sorted as text and as
 * versions, a minute of creation time between one and the next. Every image is another one: its config names
 * repository and tag, and its digests are the SHA-256 of what is sent. Anonymous, plain http, loopback only.
 *
 * One thread and epoll. Tags have all the same length, so any page of any list is a slice of one text that is
 * made at the start; the digests of the configs are computed at the start too, as a blob is asked for by them.
 * The first line of stdout says where it listens. GET /stats gives the counts of requests by kind as JSON, GET
 * /reset sets them to zero; on SIGTERM they are printed to stdout. GET /urls gives the paths of everything that
 * a cold scan by date asks for, one a line, so that others can be sent for the very same.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/strbuf.h"

#define REQUEST_MAX   8192u
#define EVENTS_AT_ONE 256
#define FIRST_CREATED 1704067200 /* 2024-01-01T00:00:00Z */
#define SHA256_SIZE   32
#define DIGEST_SIZE   (sizeof("sha256:") + (size_t)2 * SHA256_SIZE)

enum kind { PING, TAGS, MANIFEST_GET, MANIFEST_HEAD, BLOB, OTHER, KINDS };
static const char *const kind_names[KINDS] = {"ping", "tags", "manifest", "manifest_head", "blob", "other"};

struct server {
    size_t repositories, tags, page;
    size_t first_number;    /* of the first tag: 1.0.<first_number> */
    size_t tag_len;         /* of each tag */
    struct strbuf tag_text; /* "1.0.100","1.0.101",…: each tag_len + 3 bytes */
    uint32_t *by_digest;    /* open addressing over the config digests; image + 1, or 0 */
    size_t slots;           /* a power of two */
    uint64_t counts[KINDS];
    uint64_t connections;
    int epoll;
};

struct connection {
    int fd;
    char in[REQUEST_MAX + 1];
    size_t in_len;
    struct strbuf out;
    size_t sent;
    bool waits_for_room;
};

/* -- what the registry has ------------------------------------------------------------------------------- */

static void digest_of(const char *bytes, size_t len, char out[DIGEST_SIZE])
{
    unsigned char hash[SHA256_SIZE];
    if (!EVP_Digest(bytes, len, hash, NULL, EVP_sha256(), NULL))
        abort();
    static const char digits[] = "0123456789abcdef";
    out = stpcpy(out, "sha256:");
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        *out++ = digits[hash[i] >> 4];
        *out++ = digits[hash[i] & 15];
    }
    *out = '\0';
}

/* An image is repository * tags + tag. */
static void write_config(const struct server *server, size_t image, struct strbuf *out)
{
    size_t repository = image / server->tags, tag = image % server->tags;
    time_t created = FIRST_CREATED + (time_t)tag * 60;
    struct tm utc;
    char date[32];
    gmtime_r(&created, &utc);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &utc);
    strbuf_addf(out,
                "{\"architecture\":\"amd64\",\"os\":\"linux\",\"created\":\"%s\",\"config\":{\"Labels\":"
                "{\"org.opencontainers.image.title\":\"app-%zu\",\"org.opencontainers.image.version\":"
                "\"1.0.%zu\"}},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
                date, repository, server->first_number + tag);
}

static void write_manifest(const struct server *server, size_t image, struct strbuf *out)
{
    CLEANUP(strbuf_release) struct strbuf config = STRBUF_INIT;
    char digest[DIGEST_SIZE];
    write_config(server, image, &config);
    digest_of(config.buf, config.len, digest);
    strbuf_addf(out,
                "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
                "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"size\":%zu,"
                "\"digest\":\"%s\"},\"layers\":[]}",
                config.len, digest);
}

static uint64_t hash_of(const char *digest)
{
    char start[17] = {0};
    memcpy(start, digest + strlen("sha256:"), 16);
    return strtoull(start, NULL, 16);
}

static void index_configs(struct server *server)
{
    size_t images = server->repositories * server->tags;
    CLEANUP(strbuf_release) struct strbuf config = STRBUF_INIT;
    char digest[DIGEST_SIZE];
    for (server->slots = 16; server->slots < images * 2;)
        server->slots *= 2;
    server->by_digest = xcalloc(server->slots, sizeof(*server->by_digest));
    for (size_t image = 0; image < images; image++) {
        strbuf_reset(&config);
        write_config(server, image, &config);
        digest_of(config.buf, config.len, digest);
        size_t slot = hash_of(digest) & (server->slots - 1);
        while (server->by_digest[slot])
            slot = (slot + 1) & (server->slots - 1);
        server->by_digest[slot] = (uint32_t)image + 1;
    }
}

static void fill(struct server *server)
{
    for (server->first_number = 100; server->first_number < server->tags;)
        server->first_number *= 10;
    for (size_t i = 0; i < server->tags; i++)
        strbuf_addf(&server->tag_text, "%s\"1.0.%zu\"", i ? "," : "", server->first_number + i);
    server->tag_len = (server->tag_text.len - (server->tags - 1)) / server->tags - 2;
    index_configs(server);
}

/* -- answers --------------------------------------------------------------------------------------------- */

static void reply(struct connection *c, const char *status, const char *headers, const char *body, size_t len)
{
    strbuf_addf(&c->out, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status, len, headers);
    if (body)
        strbuf_add(&c->out, body, len);
}

static void reply_not_found(struct connection *c)
{
    static const char body[] = "{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}";
    reply(c, "404 Not Found", "", body, sizeof(body) - 1);
}

/* The tag that `text` names, or the number of tags if it is none of ours. */
static size_t tag_of(const struct server *server, const char *text)
{
    if (!str_starts_with(text, "1.0."))
        return server->tags;
    size_t number = strtoull(text + strlen("1.0."), NULL, 10);
    return number < server->first_number || number - server->first_number >= server->tags
               ? server->tags
               : number - server->first_number;
}

/* `query` is what follows "tags/list": "", or "?n=…&last=…" in any order. */
static void reply_tags(const struct server *server, struct connection *c, size_t repository,
                       const char *query)
{
    const char *n = strstr(query, "n="), *last = strstr(query, "last=");
    size_t wanted = n ? strtoull(n + 2, NULL, 10) : server->page;
    size_t page = wanted && wanted < server->page ? wanted : server->page;
    size_t from = last ? tag_of(server, last + strlen("last=")) + 1 : 0;
    if (from > server->tags)
        from = server->tags;
    size_t count = server->tags - from < page ? server->tags - from : page;
    size_t step = server->tag_len + 3;
    char head[64], link[256] = "";
    int head_len = snprintf(head, sizeof(head), "{\"name\":\"bench/app-%zu\",\"tags\":[", repository);
    if (from + count < server->tags)
        snprintf(link, sizeof(link),
                 "Link: </v2/bench/app-%zu/tags/list?last=1.0.%zu&n=%zu>; rel=\"next\"\r\n", repository,
                 server->first_number + from + count - 1, page);
    size_t text_len = count ? count * step - 1 : 0;
    strbuf_addf(&c->out,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n%s",
                (size_t)head_len + text_len + 3, link, head);
    strbuf_add(&c->out, server->tag_text.buf + from * step, text_len);
    strbuf_addstr(&c->out, "]}\n");
}

static void reply_manifest(const struct server *server, struct connection *c, size_t repository,
                           const char *tag, bool is_head)
{
    size_t number = tag_of(server, tag);
    if (number == server->tags) {
        reply_not_found(c);
        return;
    }
    CLEANUP(strbuf_release) struct strbuf manifest = STRBUF_INIT;
    char digest[DIGEST_SIZE], headers[256];
    write_manifest(server, repository * server->tags + number, &manifest);
    digest_of(manifest.buf, manifest.len, digest);
    snprintf(headers, sizeof(headers),
             "Content-Type: application/vnd.oci.image.manifest.v1+json\r\nDocker-Content-Digest: %s\r\n",
             digest);
    reply(c, "200 OK", headers, is_head ? NULL : manifest.buf, manifest.len);
}

static void reply_blob(const struct server *server, struct connection *c, const char *digest)
{
    CLEANUP(strbuf_release) struct strbuf config = STRBUF_INIT;
    char found[DIGEST_SIZE];
    if (strlen(digest) != DIGEST_SIZE - 1) {
        reply_not_found(c);
        return;
    }
    for (size_t slot = hash_of(digest) & (server->slots - 1); server->by_digest[slot];
         slot = (slot + 1) & (server->slots - 1)) {
        strbuf_reset(&config);
        write_config(server, server->by_digest[slot] - 1, &config);
        digest_of(config.buf, config.len, found);
        if (!strcmp(digest, found)) {
            reply(c, "200 OK", "Content-Type: application/octet-stream\r\n", config.buf, config.len);
            return;
        }
    }
    reply_not_found(c);
}

static void write_stats(const struct server *server, struct strbuf *out)
{
    for (size_t i = 0; i < KINDS; i++)
        strbuf_addf(out, "%s\"%s\":%llu", i ? "," : "{", kind_names[i],
                    (unsigned long long)server->counts[i]);
    strbuf_addf(out, ",\"connections\":%llu}\n", (unsigned long long)server->connections);
}

static void reply_stats(struct server *server, struct connection *c, bool reset)
{
    CLEANUP(strbuf_release) struct strbuf stats = STRBUF_INIT;
    write_stats(server, &stats);
    reply(c, "200 OK", "Content-Type: application/json\r\n", stats.buf, stats.len);
    if (!reset)
        return;
    memset(server->counts, 0, sizeof(server->counts));
    server->connections = 0;
}

static void reply_urls(const struct server *server, struct connection *c)
{
    CLEANUP(strbuf_release) struct strbuf urls = STRBUF_INIT, config = STRBUF_INIT;
    char digest[DIGEST_SIZE];
    for (size_t repository = 0; repository < server->repositories; repository++) {
        strbuf_addf(&urls, "/v2/bench/app-%zu/tags/list?n=1000\n", repository);
        for (size_t tag = 0; tag < server->tags; tag++) {
            strbuf_reset(&config);
            write_config(server, repository * server->tags + tag, &config);
            digest_of(config.buf, config.len, digest);
            strbuf_addf(&urls, "/v2/bench/app-%zu/manifests/1.0.%zu\n/v2/bench/app-%zu/blobs/%s\n",
                        repository, server->first_number + tag, repository, digest);
        }
    }
    reply(c, "200 OK", "Content-Type: text/plain\r\n", urls.buf, urls.len);
}

/* Answers a request for something of a repository; `path` is what follows "/v2/bench/app-". */
static enum kind answer_repository(const struct server *server, struct connection *c, bool is_head,
                                   const char *path)
{
    char *rest;
    size_t repository = strtoull(path, &rest, 10);
    if (rest == path || repository >= server->repositories) {
        reply_not_found(c);
        return OTHER;
    }
    if (str_starts_with(rest, "/tags/list")) {
        reply_tags(server, c, repository, rest + strlen("/tags/list"));
        return TAGS;
    }
    if (str_starts_with(rest, "/manifests/")) {
        reply_manifest(server, c, repository, rest + strlen("/manifests/"), is_head);
        return is_head ? MANIFEST_HEAD : MANIFEST_GET;
    }
    if (str_starts_with(rest, "/blobs/")) {
        reply_blob(server, c, rest + strlen("/blobs/"));
        return BLOB;
    }
    reply_not_found(c);
    return OTHER;
}

/* `request` begins with the request line and is changed. */
static void answer(struct server *server, struct connection *c, char *request)
{
    bool is_head = str_starts_with(request, "HEAD ");
    char *target = strchr(request, ' ');
    enum kind kind = OTHER;
    if (!target) {
        reply_not_found(c);
        server->counts[OTHER]++;
        return;
    }
    target++;
    target[strcspn(target, " \r")] = '\0';
    bool is_reset = !strcmp(target, "/reset");
    if (is_reset || !strcmp(target, "/stats")) {
        reply_stats(server, c, is_reset);
        return;
    }
    if (!strcmp(target, "/urls")) {
        reply_urls(server, c);
        return;
    }
    if (str_starts_with(target, "/v2/bench/app-")) {
        kind = answer_repository(server, c, is_head, target + strlen("/v2/bench/app-"));
    } else if (!strcmp(target, "/v2/")) {
        reply(c, "200 OK", "", "{}", 2);
        kind = PING;
    } else {
        reply_not_found(c);
    }
    server->counts[kind]++;
}

/* -- connections ----------------------------------------------------------------------------------------- */

static void close_connection(struct connection *c)
{
    close(c->fd);
    strbuf_release(&c->out);
    free(c);
}

static void watch(const struct server *server, struct connection *c, int operation, bool for_room)
{
    c->waits_for_room = for_room;
    struct epoll_event event = {.events = for_room ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = c};
    if (epoll_ctl(server->epoll, operation, c->fd, &event) < 0)
        abort();
}

static void accept_all(struct server *server, int listener)
{
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct connection *c = xcalloc(1, sizeof(*c));
        int yes = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
        c->fd = fd;
        strbuf_init(&c->out, 0);
        server->connections++;
        watch(server, c, EPOLL_CTL_ADD, false);
    }
}

/* Answers every whole request that has come. None of them has a body. */
static void answer_all(struct server *server, struct connection *c)
{
    char *at = c->in, *end;
    c->in[c->in_len] = '\0';
    while ((end = strstr(at, "\r\n\r\n"))) {
        *end = '\0';
        answer(server, c, at);
        at = end + 4;
    }
    c->in_len -= (size_t)(at - c->in);
    memmove(c->in, at, c->in_len);
}

/* False if the peer is gone. */
static bool send_all(const struct server *server, struct connection *c)
{
    while (c->sent < c->out.len) {
        ssize_t sent = send(c->fd, c->out.buf + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            if (!c->waits_for_room)
                watch(server, c, EPOLL_CTL_MOD, true);
            return true;
        }
        if (sent <= 0)
            return false;
        c->sent += (size_t)sent;
    }
    if (c->waits_for_room)
        watch(server, c, EPOLL_CTL_MOD, false);
    strbuf_reset(&c->out);
    c->sent = 0;
    return true;
}

static void serve(struct server *server, struct connection *c, unsigned events)
{
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        ssize_t got = recv(c->fd, c->in + c->in_len, REQUEST_MAX - c->in_len, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            close_connection(c);
            return;
        }
        c->in_len += got > 0 ? (size_t)got : 0;
        answer_all(server, c);
    }
    bool is_http =
        !c->in_len || (c->in[0] >= 'A' && c->in[0] <= 'Z'); /* else a client that begins with TLS */
    if (c->in_len == REQUEST_MAX || !is_http || !send_all(server, c))
        close_connection(c);
}

static int listen_at(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
        bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, SOMAXCONN) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
        perror("load_server: listen");
        exit(EXIT_FAILURE);
    }
    printf("127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static int watch_for_end(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* Until a signal says to end. The listener and the signals are told from connections by their addresses. */
static void run(struct server *server, int *listener, int *signals)
{
    struct epoll_event events[EVENTS_AT_ONE];
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(server->epoll, EPOLL_CTL_ADD, *listener,
              &(struct epoll_event){.events = EPOLLIN, .data.ptr = listener});
    epoll_ctl(server->epoll, EPOLL_CTL_ADD, *signals,
              &(struct epoll_event){.events = EPOLLIN, .data.ptr = signals});
    for (;;) {
        int count = epoll_wait(server->epoll, events, EVENTS_AT_ONE, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == signals)
                return;
            if (events[i].data.ptr == listener)
                accept_all(server, *listener);
            else
                serve(server, events[i].data.ptr, events[i].events);
        }
    }
}

static size_t number_of(const char *text)
{
    char *end;
    size_t number = strtoull(text, &end, 10);
    if (!*text || *end) {
        fprintf(stderr, "load_server: not a number: %s\n", text);
        exit(2);
    }
    return number;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"repositories", required_argument, NULL, 'r'},
                                            {"tags", required_argument, NULL, 't'},
                                            {"port", required_argument, NULL, 'p'},
                                            {"page", required_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    struct server server = {.repositories = 1, .tags = 1, .page = 1000, .tag_text = STRBUF_INIT};
    size_t port = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == '?')
            return 2;
        size_t *const place[] = {
            ['r'] = &server.repositories, ['t'] = &server.tags, ['p'] = &port, ['s'] = &server.page};
        *place[option] = number_of(optarg);
    }
    if (!server.repositories || !server.tags || !server.page || port > UINT16_MAX ||
        server.repositories > UINT32_MAX / server.tags) {
        fprintf(stderr, "load_server: a number is too small or too large\n");
        return 2;
    }
    int signals = watch_for_end();
    fill(&server);
    int listener = listen_at((uint16_t)port);
    run(&server, &listener, &signals);
    CLEANUP(strbuf_release) struct strbuf stats = STRBUF_INIT;
    write_stats(&server, &stats);
    fputs(stats.buf, stdout);
    strbuf_release(&server.tag_text);
    free(server.by_digest);
    return 0;
}
