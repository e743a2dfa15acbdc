#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define SMALLEST_BLOCK ((size_t)1 << 10)
#define LARGEST_BLOCK  ((size_t)1 << 20) /* but for a single allocation that is larger */

struct arena_block {
    struct arena_block *next;
    alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *arena, size_t first_size)
{
    *arena = (struct arena){.next_size = first_size};
}

void arena_release(struct arena *arena)
{
    for (struct arena_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    arena_init(arena, 0);
}

static void add_block(struct arena *arena, size_t needed)
{
    size_t size = arena->next_size;
    if (size < SMALLEST_BLOCK)
        size = SMALLEST_BLOCK;
    if (size > LARGEST_BLOCK)
        size = LARGEST_BLOCK;
    arena->total += size;
    arena->next_size = arena->total / 2;
    if (size < needed)
        size = needed;
    struct arena_block *block = xcalloc(1, sizeof(*block) + size);
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used = 0;
    arena->size = size;
}

static void *take(struct arena *arena, size_t size, size_t alignment)
{
    size_t at = (arena->used + alignment - 1) & ~(alignment - 1);
    if (!arena->blocks || at > arena->size || size > arena->size - at) {
        add_block(arena, size);
        at = 0;
    }
    arena->used = at + size;
    return arena->blocks->bytes + at;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return take(arena, size, alignof(void *));
}

char *arena_memdupz(struct arena *arena, const void *bytes, size_t len)
{
    char *copy = take(arena, len + 1, 1);
    if (len)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return text ? arena_memdupz(arena, text, strlen(text)) : NULL;
}
