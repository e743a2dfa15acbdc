#include "cli/update_menu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

#define DOWN "\x1b[B"
#define UP   "\x1b[A"

static const struct result_format plain = {.verbosity = 1};

/* Two updates of one workload, one of another, and one that is skipped. */
static int setup(void **state)
{
    struct result_list *results = xcalloc(1, sizeof(*results));
    struct workload_result *result = result_add(results, "d:pod/a", RESULT_SUCCESS, NULL);
    result_add_update(result, "app", "r.test/app:1", "r.test/app:2");
    result_add_update(result, "side", "r.test/side:1", "r.test/side:3");
    result_add(results, "d:pod/b", RESULT_SKIPPED, xstrdup("locked\x1b[31m"));
    result = result_add(results, "d:deployment/c", RESULT_SUCCESS, NULL);
    result_add_update(result, "app", "r.test/app:1", "r.test/app:2");
    *state = results;
    return 0;
}

static int teardown(void **state)
{
    result_list_release(*state);
    free(*state);
    return 0;
}

/* Which of the three updates are picked after the keys. */
static void assert_picks(const struct result_list *results, const char *keys, enum menu_state state,
                         const char *picks)
{
    CLEANUP(update_menu_release) struct update_menu *menu = update_menu_new(results, &plain);
    if (update_menu_type(menu, keys, strlen(keys)) != state)
        fail_msg("the state after \"%s\"", keys);
    const char got[] = {update_menu_is_picked(menu, 0, 0) ? 'x' : '.',
                        update_menu_is_picked(menu, 0, 1) ? 'x' : '.',
                        update_menu_is_picked(menu, 2, 0) ? 'x' : '.', '\0'};
    if (strcmp(got, picks) != 0)
        fail_msg("\"%s\" picks %s instead of %s", keys, got, picks);
}

static void test_update_menu_obeys_the_keys_of_fluxctl(void **state)
{
    static const struct {
        const char *keys;
        enum menu_state state;
        const char *picks;
    } cases[] = {
        {"", MENU_OPEN, "xxx"},
        {"\r", MENU_SUBMITTED, "xxx"},
        {"\n", MENU_SUBMITTED, "xxx"},
        {" ", MENU_OPEN, ".xx"},
        {"  ", MENU_OPEN, "xxx"},
        {DOWN " \r", MENU_SUBMITTED, "x.x"},
        {"j \r", MENU_SUBMITTED, "x.x"},
        {"\t\t \r", MENU_SUBMITTED, "xx."}, /* past what cannot be picked */
        {"jjj \r", MENU_SUBMITTED, ".xx"},  /* around */
        {UP " \r", MENU_SUBMITTED, "xx."},
        {"k k \r", MENU_SUBMITTED, "x.."},
        {"\x1bOB ", MENU_OPEN, "x.x"},
        {"q \r", MENU_ABORTED, "xxx"},
        {"\x03", MENU_ABORTED, "xxx"},
        {"\x1b", MENU_ABORTED, "xxx"},
        {"\x1b[5~", MENU_OPEN, "xxx"}, /* page up */
        {"z1\x7f", MENU_OPEN, "xxx"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_picks(*state, cases[i].keys, cases[i].state, cases[i].picks);
}

static void test_update_menu_is_drawn_as_fluxctl_does(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(update_menu_release) struct update_menu *menu = update_menu_new(*state, &plain);
    assert_int_equal(update_menu_type(menu, "j ", 2), MENU_OPEN);
    assert_int_equal(update_menu_draw(menu, 200, 0, &text), 5);
    assert_string_equal(text.buf, "    WORKLOAD        STATUS   UPDATES\r\n"
                                  "  ◉ d:pod/a         success  app: r.test/app:1 -> 2\r\n"
                                  "⇒ ◯                          side: r.test/side:1 -> 3\r\n"
                                  "    d:pod/b         skipped  locked?[31m\r\n"
                                  "  ◉ d:deployment/c  success  app: r.test/app:1 -> 2\r\n");
}

static void test_update_menu_keeps_within_the_terminal(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(update_menu_release) struct update_menu *menu = update_menu_new(*state, &plain);
    assert_int_equal(update_menu_type(menu, "k", 1), MENU_OPEN);
    assert_int_equal(update_menu_draw(menu, 10, 3, &text), 3);
    assert_string_equal(text.buf, "    WORKLO\r\n    d:pod/\r\n⇒ ◉ d:depl\r\n");
}

static void test_update_menu_has_what_the_table_would_have(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(update_menu_release)
    struct update_menu *menu = update_menu_new(*state, &(struct result_format){.verbosity = 0});
    assert_int_equal(update_menu_count(menu), 3);
    update_menu_draw(menu, 200, 0, &text);
    assert_null(strstr(text.buf, "d:pod/b"));
    CLEANUP(result_list_release) struct result_list nothing = {.items = NULL};
    CLEANUP(update_menu_release) struct update_menu *empty = update_menu_new(&nothing, &plain);
    assert_int_equal(update_menu_count(empty), 0);
    assert_int_equal(update_menu_type(empty, "j", 1), MENU_ABORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_update_menu_obeys_the_keys_of_fluxctl, setup, teardown),
        cmocka_unit_test_setup_teardown(test_update_menu_is_drawn_as_fluxctl_does, setup, teardown),
        cmocka_unit_test_setup_teardown(test_update_menu_keeps_within_the_terminal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_update_menu_has_what_the_table_would_have, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
