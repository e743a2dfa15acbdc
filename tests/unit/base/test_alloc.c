#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"

static void test_alloc_of_nothing_is_something(void **state UNUSED)
{
    AUTO_FREE void *a = xmalloc(0);
    AUTO_FREE void *b = xcalloc(0, 5);
    AUTO_FREE void *c = xreallocarray(NULL, 5, 0);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
}

static void test_alloc_copies_strings(void **state UNUSED)
{
    AUTO_FREE char *text = xstrdup("text");
    AUTO_FREE char *bytes = xmemdupz("a\0b", 3);
    AUTO_FREE char *empty = xmemdupz(NULL, 0);
    AUTO_FREE char *formatted = xasprintf("%s-%d", "a", 5);
    assert_string_equal(text, "text");
    assert_memory_equal(bytes, "a\0b\0", 4);
    assert_string_equal(empty, "");
    assert_string_equal(formatted, "a-5");
    assert_null(xstrdup(NULL));
}

static void test_alloc_steal_empties_the_variable(void **state UNUSED)
{
    AUTO_FREE char *from = xstrdup("x");
    AUTO_FREE char *to = steal(&from);
    assert_null(from);
    assert_string_equal(to, "x");
}

static void test_alloc_vec_grow_keeps_what_is_there(void **state UNUSED)
{
    AUTO_FREE int *items = NULL;
    size_t len = 0, capacity = 0;
    for (int i = 0; i < 1000; i++) {
        vec_grow(items, len, capacity);
        items[len++] = i;
    }
    assert_true(capacity >= 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
}

/* Ends in abort, in a child whose message and core are not wanted. */
static void check_aborts(void (*run)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        close(STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        run();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void ask_for_a_product_that_overflows(void)
{
    free(xreallocarray(NULL, SIZE_MAX / 2, 4));
}

static void test_alloc_failure_ends_the_process(void **state UNUSED)
{
    check_aborts(ask_for_a_product_that_overflows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alloc_of_nothing_is_something),
        cmocka_unit_test(test_alloc_copies_strings),
        cmocka_unit_test(test_alloc_steal_empties_the_variable),
        cmocka_unit_test(test_alloc_vec_grow_keeps_what_is_there),
        cmocka_unit_test(test_alloc_failure_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
