/* Real sockets, and a clock that the test moves: what peers may do to one another. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "daemon/listener.h"

#define LARGE_BYTES (64u << 20) /* more than sockets' buffers hold */
#define GET         "GET /small HTTP/1.1\r\nHost: a\r\n\r\n"

struct fixture {
    struct listener *listener;
    struct clock clock;
    atomic_llong now_ms;
};

static int64_t now_ms(void *context)
{
    return ((struct fixture *)context)->now_ms;
}

static bool admit(const struct listener_call *call UNUSED, size_t *max_body,
                  struct listener_reply *reply UNUSED, void *context UNUSED)
{
    *max_body = 100;
    return true;
}

static void answer(const struct listener_call *call, struct listener_reply *reply, void *context UNUSED)
{
    if (strcmp(call->path, "/large") != 0) {
        strbuf_addstr(&reply->body, "fine");
        return;
    }
    AUTO_FREE char *bytes = xcalloc(1, LARGE_BYTES);
    strbuf_add(&reply->body, bytes, LARGE_BYTES);
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    struct error err = ERROR_INIT;
    f->clock = (struct clock){.monotonic_ms = now_ms, .context = f};
    const struct listener_options options = {
        .address = "127.0.0.1:0", .clock = &f->clock, .admit = admit, .answer = answer};
    f->listener = listener_open(&options, &err);
    assert_non_null(f->listener);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    listener_close(f->listener);
    free(f);
    return 0;
}

/* A connection on which these bytes were sent. */
static int call(const struct fixture *f, const char *bytes)
{
    const char *port = strrchr(listener_address(f->listener), ':') + 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
    return fd;
}

/* The bytes that came, at most `size` of them; 0 at the end of the connection; -1 if nothing came within the time. */
static ssize_t receive(int fd, char *buffer, size_t size, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    if (poll(&poll_fd, 1, timeout_ms) != 1)
        return -1;
    ssize_t len = recv(fd, buffer, size, 0);
    return len > 0 ? len : 0;
}

static void expect_fine(int fd)
{
    char buffer[4096] = "";
    ssize_t len = receive(fd, buffer, sizeof(buffer) - 1, 10000);
    assert_true(len > 0);
    assert_true(str_starts_with(buffer, "HTTP/1.1 200 "));
}

/* Goes on sending a byte now and then: true if the connection is ended. */
static bool is_ended_while_sending(int fd)
{
    char buffer[4096];
    for (int i = 0; i < 50; i++) {
        send(fd, "a", 1, MSG_NOSIGNAL);
        if (receive(fd, buffer, sizeof(buffer), 100) >= 0)
            return true;
    }
    return false;
}

static void test_listener_ends_a_request_that_never_ends(void **state)
{
    static const char *const beginnings[] = {"G", "GET /a", "GET / HTTP/1.1\r\nHost: a\r\nX-A: ",
                                             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n"};
    struct fixture *f = *state;
    int slow[ARRAY_LEN(beginnings)];
    for (size_t i = 0; i < ARRAY_LEN(slow); i++)
        slow[i] = call(f, beginnings[i]);
    int other = call(f, GET);
    expect_fine(other); /* so the slow ones were accepted too */
    f->now_ms += LIMIT_LISTEN_REQUEST_MS - 1;
    int young = call(f, GET);
    expect_fine(young);
    char byte;
    usleep(1500000); /* a sweep */
    for (size_t i = 0; i < ARRAY_LEN(slow); i++)
        assert_int_equal(receive(slow[i], &byte, 1, 0), -1);
    f->now_ms += 1;
    for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
        assert_true(is_ended_while_sending(slow[i]));
        close(slow[i]);
    }
    assert_int_equal(send(young, GET, strlen(GET), MSG_NOSIGNAL), strlen(GET));
    expect_fine(young);
    close(young);
    close(other);
}

static void test_listener_gives_each_request_its_time(void **state)
{
    struct fixture *f = *state;
    int fd = call(f, GET);
    for (int i = 0; i < 4; i++) {
        expect_fine(fd);
        f->now_ms += LIMIT_LISTEN_REQUEST_MS * 2 / 3;
        assert_int_equal(send(fd, GET, strlen(GET), MSG_NOSIGNAL), strlen(GET));
    }
    expect_fine(fd);
    close(fd);
}

static void test_listener_ends_who_does_not_take_the_answer(void **state)
{
    struct fixture *f = *state;
    int fd = call(f, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    char first;
    assert_int_equal(receive(fd, &first, 1, 10000), 1);
    f->now_ms += LIMIT_LISTEN_REQUEST_MS;
    usleep(1500000); /* a sweep */
    size_t total = 1;
    AUTO_FREE char *buffer = xmalloc(1 << 20);
    ssize_t len;
    while ((len = receive(fd, buffer, 1 << 20, 10000)) > 0)
        total += (size_t)len;
    assert_int_equal(len, 0);
    assert_true(total < LARGE_BYTES);
    close(fd);
}

/* More slow ones than there are places: when they are ended, the others are served. */
static void test_listener_serves_again_when_all_places_were_taken(void **state)
{
    struct fixture *f = *state;
    int slow[LIMIT_LISTEN_CONNECTIONS];
    for (size_t i = 0; i < ARRAY_LEN(slow); i++)
        slow[i] = call(f, "GET / HTTP/1.1\r\n");
    int late = call(f, GET);
    char byte;
    assert_int_equal(receive(late, &byte, 1, 300), -1);
    f->now_ms += LIMIT_LISTEN_REQUEST_MS;
    expect_fine(late);
    close(late);
    for (size_t i = 0; i < ARRAY_LEN(slow); i++)
        close(slow[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_listener_ends_a_request_that_never_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_listener_gives_each_request_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_listener_ends_who_does_not_take_the_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_listener_serves_again_when_all_places_were_taken, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
