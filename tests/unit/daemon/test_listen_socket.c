#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "daemon/listen_socket.h"

static void test_listen_socket_opens_each_form(void **state UNUSED)
{
    static const struct {
        const char *text, *address;
    } cases[] = {{"127.0.0.1:0", "127.0.0.1:"}, {"localhost:0", ""}, {":0", ""}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        int fd = listen_socket_open(cases[i].text, &err);
        assert_true(fd >= 0);
        AUTO_FREE char *address = listen_socket_address(fd);
        assert_true(str_starts_with(address, cases[i].address));
        assert_false(str_ends_with(address, ":0"));
        close(fd);
    }
}

static void test_listen_socket_refuses_what_is_no_address(void **state UNUSED)
{
    static const char *const texts[] = {
        "",          "3030",     ":",    ":x",           ":65536",
        "127.0.0.1", "::1:3030", "[]:1", "127.0.0.1:-1", "no.such.host.invalid:1",
        "127.0.0.1:"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct error err = ERROR_INIT;
        assert_int_equal(listen_socket_open(texts[i], &err), -1);
        assert_int_equal(err.code, ERROR_USAGE);
        assert_non_null(strstr(err.text, "--listen"));
    }
}

static void test_listen_socket_says_that_a_port_is_taken(void **state UNUSED)
{
    struct error err = ERROR_INIT;
    int fd = listen_socket_open("127.0.0.1:0", &err);
    assert_true(fd >= 0);
    AUTO_FREE char *address = listen_socket_address(fd);
    assert_int_equal(listen_socket_open(address, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_non_null(strstr(err.text, address));
    assert_non_null(strstr(err.text, "another port"));
    close(fd);
    fd = listen_socket_open(address, &err);
    assert_true(fd >= 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listen_socket_opens_each_form),
        cmocka_unit_test(test_listen_socket_refuses_what_is_no_address),
        cmocka_unit_test(test_listen_socket_says_that_a_port_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
