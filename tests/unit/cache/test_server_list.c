#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "cache/server_list.h"

static void test_server_list_reads_names_addresses_and_ports(void **state UNUSED)
{
    static const struct {
        const char *text, *servers; /* NULL: refused */
    } cases[] = {
        {"localhost", "localhost 11211;"},
        {"localhost:1", "localhost 1;"},
        {"a-b.c_d:65535,10.0.0.1", "a-b.c_d 65535;10.0.0.1 11211;"},
        {"[::1]", "::1 11211;"},
        {"[fe80::1%eth0]:11212,b", "fe80::1%eth0 11212;b 11211;"},
        {"", NULL},
        {",", NULL},
        {"a,", NULL},
        {"a,,b", NULL},
        {"a:", NULL},
        {"a:0", NULL},
        {"a:65536", NULL},
        {"a:123456", NULL},
        {"a:-1", NULL},
        {"a:1x", NULL},
        {":1", NULL},
        {"::1", NULL},
        {"[::1", NULL},
        {"[::1]x", NULL},
        {"[]:1", NULL},
        {"/run/memcached.sock", NULL},
        {"user@host", NULL},
        {"a b", NULL},
        {"a/", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(server_list_release) struct server_list list = SERVER_LIST_INIT;
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        struct error err = ERROR_INIT;
        int result = server_list_parse(cases[i].text, &list, &err);
        for (size_t s = 0; s < list.len; s++)
            strbuf_addf(&text, "%s %d;", list.items[s].host, list.items[s].port);
        assert_int_equal(result, cases[i].servers ? 0 : -1);
        assert_string_equal(text.buf, cases[i].servers ? cases[i].servers : "");
        assert_int_equal(err.code, cases[i].servers ? ERROR_NONE : ERROR_USAGE);
    }
}

static void test_server_list_names_the_part_that_is_wrong(void **state UNUSED)
{
    CLEANUP(server_list_release) struct server_list list = SERVER_LIST_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(server_list_parse("a:1,b:x,c", &list, &err), -1);
    assert_non_null(strstr(err.text, "\"b:x\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server_list_reads_names_addresses_and_ports),
        cmocka_unit_test(test_server_list_names_the_part_that_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
