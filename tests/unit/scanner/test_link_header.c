#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "scanner/link_header.h"

#define BROKEN "(broken)"

static void test_link_header_next_target(void **state)
{
    static const struct {
        const char *field, *target;
    } cases[] = {
        {"</v2/a/tags/list?last=x&n=1>; rel=\"next\"", "/v2/a/tags/list?last=x&n=1"},
        {"<https://h/v2/a/tags/list?last=b>;rel=next", "https://h/v2/a/tags/list?last=b"},
        {"<p>; rel=\"prev\", <n>; rel=\"next\"", "n"},
        {"<p>; rel=\"prev\" , <a,b;c>; title=\"x, <y>\"; REL=\"start NEXT\"", "a,b;c"},
        {"<n>; title=\"\\\"\"; rel=next; x", "n"},
        {"<n> ; x ; rel = next", "n"},
        {"<>; rel=next", ""},
        {"/v2/a/tags/list?n=1000&last=x; rel=\"next\"", "/v2/a/tags/list?n=1000&last=x"},
        {"p;rel=prev, n ;rel=next", "n"},
        {"<n>; rel='next'", "n"},
        {"<p>; rel=prev", NULL},
        {"<n>; rel=nextish", NULL},
        {"<n>", NULL},
        {"n, p; rel=prev", NULL},
        {"<n; rel=next", BROKEN},
        {"n o; rel=next", BROKEN},
        {"<p>; rel=prev <n>; rel=next", BROKEN},
        {"<n>; title=\"rel=next", NULL},
        {"", NULL},
        {NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        AUTO_FREE char *got = link_header_next(cases[i].field, &err);
        const char *said = err.code == ERROR_INVALID ? BROKEN : got ? got : "(null)";
        assert_string_equal(said, cases[i].target ? cases[i].target : "(null)");
        assert_true(err.code == ERROR_NONE || !got);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_link_header_next_target)};
    return cmocka_run_group_tests_name("link_header", tests, NULL, NULL);
}
