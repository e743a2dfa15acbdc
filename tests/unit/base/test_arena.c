#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static void test_arena_gives_zeroed_aligned_memory_apart(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 100);
    unsigned char *blocks[2000];
    for (size_t i = 0; i < 2000; i++) {
        size_t size = i % 97;
        assert_int_equal(strlen(arena_memdupz(&arena, "odd", i % 4)), i % 4);
        blocks[i] = arena_alloc(&arena, size);
        assert_int_equal((uintptr_t)blocks[i] % alignof(void *), 0);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(blocks[i][k], 0);
        memset(blocks[i], (int)(i & 0xff), size);
    }
    for (size_t i = 0; i < 2000; i++) {
        for (size_t k = 0; k < i % 97; k++)
            assert_int_equal(blocks[i][k], i & 0xff);
    }
    arena_release(&arena);
}

static void test_arena_holds_what_is_larger_than_a_block(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    char *large = arena_alloc(&arena, 5000000);
    large[4999999] = 'x';
    assert_string_equal(arena_strdup(&arena, "after"), "after");
    assert_null(arena_strdup(&arena, NULL));
    arena_release(&arena);
    assert_string_equal(arena_strdup(&arena, "again"), "again");
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena_gives_zeroed_aligned_memory_apart),
        cmocka_unit_test(test_arena_holds_what_is_larger_than_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
