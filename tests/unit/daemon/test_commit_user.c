#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/commit_user.h"

static void test_commit_user_parse_takes_what_git_and_people_write(void **state UNUSED)
{
    static const struct {
        const char *text, *name, *email; /* name NULL: nobody */
    } cases[] = {
        {"Jane Doe <jane@example.org>", "Jane Doe", "jane@example.org"},
        {"  Jane  <  jane@example.org > (on call)", "Jane", "jane@example.org"},
        {"jane@example.org", "jane@example.org", "jane@example.org"},
        {"Jane Doe", "Jane Doe", "pawl@localhost"},
        {"Jane <>", "Jane", "pawl@localhost"},
        {"<jane@example.org>", "jane@example.org", "jane@example.org"},
        {"Jane <jane", "Jane <jane", "pawl@localhost"},
        {"", NULL, NULL},
        {" \t\n", NULL, NULL},
        {"<>", NULL, NULL},
        {NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct commit_user user = COMMIT_USER_INIT;
        assert_int_equal(commit_user_parse(cases[i].text, "pawl@localhost", &user), cases[i].name != NULL);
        if (cases[i].name) {
            assert_string_equal(user.name, cases[i].name);
            assert_string_equal(user.email, cases[i].email);
        }
        commit_user_release(&user);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commit_user_parse_takes_what_git_and_people_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
