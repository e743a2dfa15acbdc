#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/command.h"

static void test_command_table_rows_either_run_or_refuse(void **state UNUSED)
{
    for (const struct command *const *each = commands; *each; each++) {
        const struct command *c = *each;
        assert_true((c->run != NULL) != (c->refusal != NULL));
        assert_ptr_equal(command_find(c->name), c);
        assert_false(c->summary && c->refusal);
    }
    assert_null(command_find("onse"));
    assert_ptr_equal(command_find("list-controllers"), command_find("list-workloads"));
}

static void test_command_nearest_names_only_what_works(void **state UNUSED)
{
    assert_string_equal(command_nearest("onse"), "once");
    assert_string_equal(command_nearest("set-imag"), "set-image");
    assert_string_equal(command_nearest("lokc"), "lock");
    assert_null(command_nearest("identiti")); /* refused */
    assert_null(command_nearest("frobnicate"));
}

static void test_help_shows_every_option_that_works(void **state UNUSED)
{
    for (const struct command *const *each = commands; *each; each++) {
        const struct command *c = *each;
        if (!c->summary)
            continue;
        CLEANUP(strbuf_release) struct strbuf help = STRBUF_INIT;
        command_add_help(c, &help);
        for (const struct option_row *const *table = c->tables; table && *table; table++) {
            for (const struct option_row *row = *table; row->name; row++) {
                CLEANUP(strbuf_release) struct strbuf flag = STRBUF_INIT;
                strbuf_addf(&flag, "--%s", row->name);
                bool shown = strstr(help.buf, flag.buf) != NULL;
                if (row->help && !shown)
                    fail_msg("pawl %s --help does not show %s", c->name, flag.buf);
                assert_false(row->help && row->refusal);
            }
        }
    }
}

static void test_overview_and_manual_list_every_command(void **state UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf overview = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf manual = STRBUF_INIT;
    command_add_overview(&overview);
    command_add_manual(&manual);
    for (const struct command *const *each = commands; *each; each++) {
        const struct command *c = *each;
        CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
        strbuf_addf(&line, "\n  %s ", c->name);
        assert_int_equal(strstr(overview.buf, line.buf) != NULL, c->summary != NULL);
    }
    assert_non_null(strstr(manual.buf, ".SS pawl set\\-image WORKLOAD"));
    assert_non_null(strstr(manual.buf, "git\\-url"));
    assert_null(strstr(manual.buf, "connect"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command_table_rows_either_run_or_refuse),
        cmocka_unit_test(test_command_nearest_names_only_what_works),
        cmocka_unit_test(test_help_shows_every_option_that_works),
        cmocka_unit_test(test_overview_and_manual_list_every_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
