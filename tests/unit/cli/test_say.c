#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "cli/say.h"

static void test_say_disarms_what_a_terminal_would_obey(void **state UNUSED)
{
    AUTO_FREE char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    say(to, "%s\t%s\n", "a\033[2Jb\rc\177", "https://me:secret@host/x caf\xc3\xa9");
    fclose(to);
    assert_string_equal(text, "a?[2Jb?c?\thttps://me:xxxxx@host/x caf\xc3\xa9\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_say_disarms_what_a_terminal_would_obey),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
