/* Against real memcached processes on loopback. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cache/cache.h"
#include "cache/cache_memcached.h"
#include "cache/record_key.h"
#include "cache/records.h"

#define SERVERS    2
#define TIMEOUT_MS 600L

struct server {
    int port;
    pid_t pid;         /* 0: not running */
    bool takes_little; /* items of 256 KiB at most, less than a chunk of ours */
};

struct fixture {
    struct server servers[SERVERS];
    struct cache *cache;
};

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

static int free_port(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static bool answers(int port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return connected;
}

static void start_server(struct server *server)
{
    char port[16];
    snprintf(port, sizeof(port), "%d", server->port);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        execlp("memcached", "memcached", "-l", "127.0.0.1", "-p", port, "-U", "0", "-t", "1", "-u", "nobody",
               "-m", "64", server->takes_little ? "-I" : NULL, "256k", "-o", "slab_chunk_max=131072",
               (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && !answers(server->port); i++) {
        usleep(10000);
        if (waitpid(server->pid, NULL, WNOHANG) != 0)
            fail_msg("memcached does not start: is it installed?");
    }
}

static void stop_server(struct server *server)
{
    if (!server->pid)
        return;
    kill(server->pid, SIGCONT);
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

static struct cache *open_at(const char *servers)
{
    const struct cache_memcached_options options = {
        .timeout_ms = TIMEOUT_MS, .retry_after_s = 1, .clock = &system_clock};
    struct error err = ERROR_INIT;
    void *state = cache_memcached_open_with(servers, &options, &err);
    if (!state)
        fail_msg("%s", err.text);
    return cache_new(&cache_memcached_backend, state);
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    for (size_t i = 0; i < SERVERS; i++) {
        f->servers[i].port = free_port();
        start_server(&f->servers[i]);
    }
    AUTO_FREE char *text = xasprintf("127.0.0.1:%d,localhost:%d", f->servers[0].port, f->servers[1].port);
    f->cache = open_at(text);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    cache_free(f->cache);
    for (size_t i = 0; i < SERVERS; i++)
        stop_server(&f->servers[i]);
    free(f);
    return 0;
}

static void put_text(struct cache *cache, const char *key, const char *text)
{
    cache_put(cache, key, text, strlen(text), 0);
}

static void check_value(struct cache *cache, const char *key, const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    bool found = cache_get(cache, key, &out);
    assert_string_equal(out.buf, expected ? expected : "");
    assert_int_equal(found, expected != NULL);
}

static void put_many(struct cache *cache)
{
    for (int i = 0; i < 100; i++) {
        char key[32];
        snprintf(key, sizeof(key), "key-%d", i);
        put_text(cache, key, key);
    }
}

static int count_many(struct cache *cache)
{
    int found = 0;
    for (int i = 0; i < 100; i++) {
        char key[32];
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        snprintf(key, sizeof(key), "key-%d", i);
        if (!cache_get(cache, key, &out))
            continue;
        assert_string_equal(out.buf, key);
        found++;
    }
    return found;
}

static void test_cache_memcached_spreads_values_over_servers(void **state)
{
    struct fixture *f = *state;
    check_value(f->cache, "key-0", NULL);
    put_many(f->cache);
    assert_int_equal(count_many(f->cache), 100);
    for (size_t i = 0; i < SERVERS; i++) {
        AUTO_FREE char *text = xasprintf("127.0.0.1:%d", f->servers[i].port);
        struct cache *one = open_at(text);
        int found = count_many(one);
        cache_free(one);
        assert_in_range(found, 10, 90);
    }
    assert_null(cache_problem(f->cache));
}

static void test_cache_memcached_takes_any_key_and_value(void **state)
{
    struct fixture *f = *state;
    char longest[200], longer[3000];
    memset(longest, 'k', sizeof(longest));
    memset(longer, 'k', sizeof(longer));
    longest[sizeof(longest) - 1] = longer[sizeof(longer) - 1] = '\0';
    const char *const keys[] = {"", " ", "a b", "\r\nflush_all\r\n", "\x01\xff", longest, longer, "k"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        char value[] = {(char)i, '\0', '\r', '\n', 'E', 'N', 'D', '\r', '\n'};
        cache_put(f->cache, keys[i], value, sizeof(value), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        assert_true(cache_get(f->cache, keys[i], &out));
        assert_int_equal(out.len, 9);
        assert_int_equal(out.buf[0], i);
    }
    put_text(f->cache, "empty", "");
    check_value(f->cache, "empty", "");
    assert_null(cache_problem(f->cache));
}

/* Where a server is added (this one is down), most of what the others have is found where it was: not one in three, as
 * with keys dealt out by the number of servers. */
static void test_cache_memcached_keeps_most_in_place_when_a_server_comes(void **state)
{
    struct fixture *f = *state;
    put_many(f->cache);
    AUTO_FREE char *text = xasprintf("127.0.0.1:%d,localhost:%d,127.0.0.1:%d", f->servers[0].port,
                                     f->servers[1].port, free_port());
    struct cache *more = open_at(text);
    int found = count_many(more);
    cache_free(more);
    assert_in_range(found, 45, 95);
}

static char *random_bytes(size_t len)
{
    char *bytes = xmalloc(len);
    uint32_t x = 1;
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = (char)(x >> 24);
    }
    return bytes;
}

static void test_cache_memcached_splits_large_values(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {499999, 500000, 500001, 1000000, 1000001, 1 << 20, 7654321};
    AUTO_FREE char *bytes = random_bytes(8000000);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        cache_put(f->cache, "large", bytes + i, sizes[i], 0);
        assert_null(cache_problem(f->cache));
        assert_true(cache_get(f->cache, "large", &out));
        assert_int_equal(out.len, sizes[i]);
        assert_memory_equal(out.buf, bytes + i, sizes[i]);
    }
    assert_null(cache_problem(f->cache));
}

/* With what a server takes unless it is told otherwise: items of 1 MiB. */
static void test_cache_memcached_takes_a_repository_of_100000_tags(void **state)
{
    enum { COUNT = 100000 };
    struct fixture *f = *state;
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("quay.io/a/b");
    for (int i = 0; i < COUNT; i++) {
        char text[80];
        snprintf(text, sizeof(text), "main-%06d-%08x", i, (unsigned)i * 2654435761u);
        size_t index = repository_info_add(info, text);
        snprintf(text, sizeof(text), "sha256:%064x", (unsigned)i);
        repository_info_set_digest(info, index, text);
        repository_info_edit_details(info, index)->created_ms = 1700000000000 + i;
    }
    repository_info_finish(info);
    record_put_repository(f->cache, info, "linux/amd64 ");
    CLEANUP(repository_info_release)
    struct repository_info *again = record_get_repository(f->cache, "quay.io/a/b", "linux/amd64 ");
    assert_null(cache_problem(f->cache));
    assert_non_null(again);
    assert_int_equal(again->images_len, COUNT);
    for (size_t i = 0; i < COUNT; i += 777) {
        const struct image_details *was = repository_info_details(info, i);
        const struct image_details *is = repository_info_details(again, i);
        assert_string_equal(is->digest, was->digest);
        assert_true(is->created_ms == was->created_ms);
    }
}

static void test_cache_memcached_tells_the_names_of_records(void **state)
{
    struct fixture *f = *state;
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("quay.io/a/b");
    repository_info_finish(info);
    for (int i = 0; i < RECORD_NAMES_MAX + 4; i++) {
        char scope[32];
        snprintf(scope, sizeof(scope), "linux/amd64 user:%d", i);
        record_put_repository(f->cache, info, scope);
        record_put_repository(f->cache, info, scope);
    }
    CLEANUP(strvec_release) struct strvec names = STRVEC_INIT, none = STRVEC_INIT;
    record_get_names(f->cache, "quay.io/a/b", &names);
    record_get_names(f->cache, "quay.io/a/c", &none);
    assert_int_equal(names.len, RECORD_NAMES_MAX);
    assert_int_equal(none.len, 0);
    AUTO_FREE char *newest = record_key_repository("quay.io/a/b", "linux/amd64 user:19");
    assert_string_equal(names.items[names.len - 1], newest);
}

/* Talks to one server directly. */
static void send_line(const struct server *server, const char *line)
{
    struct sockaddr_in address = loopback(server->port);
    char answer[4096];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(write(fd, line, strlen(line)), (ssize_t)strlen(line));
    assert_true(read(fd, answer, sizeof(answer)) > 0);
    close(fd);
}

static void test_cache_memcached_misses_when_a_chunk_is_missing(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *bytes = random_bytes(3000000);
    cache_put(f->cache, "large", bytes, 3000000, 0);
    AUTO_FREE char *line =
        xasprintf("delete large.%016llx.3\r\n", (unsigned long long)cache_checksum(bytes, 3000000));
    for (size_t i = 0; i < SERVERS; i++)
        send_line(&f->servers[i], line);
    check_value(f->cache, "large", NULL);
    assert_null(cache_problem(f->cache));
    cache_put(f->cache, "large", bytes, 3000000, 0);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    assert_true(cache_get(f->cache, "large", &out));
}

static void test_cache_memcached_misses_what_others_wrote(void **state)
{
    struct fixture *f = *state;
    static const char *const lines[] = {
        "set foreign 0 0 3\r\nabc\r\n",
        "set foreign 0 0 0\r\n\r\n",
        "set foreign 0 0 30\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        for (size_t s = 0; s < SERVERS; s++)
            send_line(&f->servers[s], lines[i]);
        check_value(f->cache, "foreign", NULL);
    }
    assert_null(cache_problem(f->cache));
}

static void test_cache_memcached_forgets_what_is_expired(void **state)
{
    struct fixture *f = *state;
    const int64_t days_60 = (int64_t)60 * 86400;
    cache_put(f->cache, "short", "1", 1, 1);
    cache_put(f->cache, "long", "2", 1, days_60); /* would be a date in 1970, were it sent as it is */
    check_value(f->cache, "short", "1");
    sleep(3); /* memcached's own clock has a step of one second */
    check_value(f->cache, "short", NULL);
    check_value(f->cache, "long", "2");
}

static int64_t timed_count(struct cache *cache, int *found)
{
    int64_t start = clock_monotonic_ms(&system_clock);
    *found = count_many(cache);
    return clock_monotonic_ms(&system_clock) - start;
}

static void test_cache_memcached_goes_on_with_the_servers_left(void **state)
{
    struct fixture *f = *state;
    int found;
    put_many(f->cache);
    assert_int_equal(count_many(f->cache), 100);
    stop_server(&f->servers[1]);
    int64_t took_ms = timed_count(f->cache, &found);
    assert_in_range(found, 10, 90);
    assert_true(took_ms < TIMEOUT_MS * 2);
    const char *problem = cache_problem(f->cache);
    assert_non_null(problem);
    AUTO_FREE char *name = xasprintf("localhost:%d: cannot connect; is it running", f->servers[1].port);
    assert_non_null(strstr(problem, name));
    assert_true(cache_stats(f->cache).failures > 0);
    start_server(&f->servers[1]);
    sleep(3);
    put_many(f->cache);
    assert_int_equal(count_many(f->cache), 100);
}

static void test_cache_memcached_does_not_wait_for_a_server_that_hangs(void **state)
{
    struct fixture *f = *state;
    int found;
    put_many(f->cache);
    AUTO_FREE char *bytes = random_bytes(3000000);
    cache_put(f->cache, "large", bytes, 3000000, 0);
    kill(f->servers[0].pid, SIGSTOP);
    for (int i = 0; i < 3; i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        int64_t start = clock_monotonic_ms(&system_clock);
        cache_get(f->cache, "large", &out);
        assert_true(clock_monotonic_ms(&system_clock) - start < TIMEOUT_MS * 3 / 2);
        start = clock_monotonic_ms(&system_clock);
        cache_put(f->cache, "large", bytes, 3000000, 0);
        assert_true(clock_monotonic_ms(&system_clock) - start < TIMEOUT_MS * 3 / 2);
    }
    int64_t took_ms = timed_count(f->cache, &found);
    assert_in_range(found, 10, 90);
    assert_true(took_ms < TIMEOUT_MS * 3);
    kill(f->servers[0].pid, SIGCONT);
    sleep(3);
    put_many(f->cache);
    assert_int_equal(count_many(f->cache), 100); /* no late answer was taken for another one */
}

static void test_cache_memcached_without_any_server_misses_at_once(void **state UNUSED)
{
    AUTO_FREE char *text = xasprintf("127.0.0.1:%d,[::1]:%d", free_port(), free_port());
    struct cache *cache = open_at(text);
    int found;
    int64_t took_ms = timed_count(cache, &found);
    assert_int_equal(found, 0);
    assert_true(took_ms < TIMEOUT_MS * 2);
    assert_int_equal(cache_stats(cache).failures, 100);
    cache_free(cache);
}

/* A server that takes its time with every item. */
static void *store_slowly(void *listener)
{
    char bytes[65536];
    int fd = accept(*(int *)listener, NULL, NULL);
    ssize_t got;
    while (fd >= 0 && (got = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
        if (bytes[got - 1] != '\n')
            continue;
        usleep(150000);
        if (send(fd, "STORED\r\n", 8, MSG_NOSIGNAL) < 0)
            break;
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

static void test_cache_memcached_bounds_the_whole_of_a_put(void **state UNUSED)
{
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof(address);
    pthread_t thread;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(pthread_create(&thread, NULL, store_slowly, &listener), 0);
    AUTO_FREE char *text = xasprintf("127.0.0.1:%d", ntohs(address.sin_port));
    struct cache *cache = open_at(text);
    AUTO_FREE char *value = xmalloc(8000000); /* sixteen items */
    memset(value, 'x', 8000000);
    int64_t start = clock_monotonic_ms(&system_clock);
    cache_put(cache, "large", value, 8000000, 0);
    assert_in_range(clock_monotonic_ms(&system_clock) - start, TIMEOUT_MS / 2, TIMEOUT_MS * 2);
    const char *problem = cache_problem(cache);
    assert_non_null(problem);
    assert_non_null(strstr(problem, "not done after 600 ms"));
    cache_free(cache);
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
}

/* The reason is told as long as the server is left alone, and not only when it is found out. */
static void test_cache_memcached_says_what_is_wrong_with_a_server(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *refused = xasprintf("127.0.0.1:%d", free_port());
    AUTO_FREE char *hangs = xasprintf("127.0.0.1:%d", f->servers[0].port);
    const struct {
        const char *server, *words;
    } cases[] = {
        {refused, "cannot connect; is it running"},
        {"no-such-host.invalid", "the host name does not resolve"},
        {hangs, "no answer in time"},
    };
    kill(f->servers[0].pid, SIGSTOP);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cache *cache = open_at(cases[i].server);
        for (int times = 0; times < 3; times++) {
            check_value(cache, "key", NULL);
            const char *problem = cache_problem(cache);
            if (!problem || !strstr(problem, cases[i].server) || !strstr(problem, cases[i].words))
                fail_msg("%s: %s", cases[i].server, problem ? problem : "(none)");
        }
        cache_free(cache);
    }
    kill(f->servers[0].pid, SIGCONT);
}

static void test_cache_memcached_says_what_a_server_that_takes_less_needs(void **state)
{
    struct fixture *f = *state;
    stop_server(&f->servers[0]);
    f->servers[0].takes_little = true;
    start_server(&f->servers[0]);
    AUTO_FREE char *server = xasprintf("127.0.0.1:%d", f->servers[0].port);
    AUTO_FREE char *large = xcalloc(1, 450000);
    struct cache *cache = open_at(server);
    cache_put(cache, "large", large, 450000, 0);
    put_text(cache, "small", "is kept");
    const char *problem = cache_problem(cache);
    if (!problem || !strstr(problem, server) || !strstr(problem, "start it with -I 1m"))
        fail_msg("%s", problem ? problem : "(none)");
    check_value(cache, "small", "is kept");
    cache_free(cache);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_cache_memcached_spreads_values_over_servers),
        CASE(test_cache_memcached_keeps_most_in_place_when_a_server_comes),
        CASE(test_cache_memcached_takes_any_key_and_value),
        CASE(test_cache_memcached_splits_large_values),
        CASE(test_cache_memcached_takes_a_repository_of_100000_tags),
        CASE(test_cache_memcached_tells_the_names_of_records),
        CASE(test_cache_memcached_misses_when_a_chunk_is_missing),
        CASE(test_cache_memcached_misses_what_others_wrote),
        CASE(test_cache_memcached_forgets_what_is_expired),
        CASE(test_cache_memcached_goes_on_with_the_servers_left),
        CASE(test_cache_memcached_does_not_wait_for_a_server_that_hangs),
        CASE(test_cache_memcached_says_what_is_wrong_with_a_server),
        CASE(test_cache_memcached_says_what_a_server_that_takes_less_needs),
        cmocka_unit_test(test_cache_memcached_bounds_the_whole_of_a_put),
        cmocka_unit_test(test_cache_memcached_without_any_server_misses_at_once),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
