/*
 * A map from strings to pointers. Keys are copied; values belong to the caller unless a `free_value` was given.
 * Iteration is in insertion order, so output that depends on it is the same on every run.
 *
 *     struct strmap_cursor c = STRMAP_CURSOR_INIT;
 *     while (strmap_next(&m, &c, &key, &value)) ...
 *
 * Not for sharing between threads without a lock.
 */
#ifndef BASE_STRMAP_H
#define BASE_STRMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct strmap_entry;
struct strmap {
    struct strmap_entry *table;
    void (*free_value)(void *); /* NULL: values are the caller's */
};
#define STRMAP_INIT                                                                                          \
    {                                                                                                        \
        .table = NULL, .free_value = NULL                                                                    \
    }

void strmap_init(struct strmap *m, void (*free_value)(void *));
void strmap_release(struct strmap *m);

/* Replaces (and frees, if the map owns values) what was there. */
void strmap_set(struct strmap *m, const char *key, void *value);
/* NULL if there is none. */
void *strmap_get(const struct strmap *m, const char *key);
bool strmap_has(const struct strmap *m, const char *key);
/* True if there was one; an owned value is freed. */
bool strmap_remove(struct strmap *m, const char *key);
size_t strmap_size(const struct strmap *m);

struct strmap_cursor {
    const struct strmap_entry *next;
    bool started;
};
#define STRMAP_CURSOR_INIT                                                                                   \
    {                                                                                                        \
        .next = NULL, .started = false                                                                       \
    }
/* False at the end. The map must not change meanwhile, but for removing the entry just returned. */
bool strmap_next(const struct strmap *m, struct strmap_cursor *c, const char **key, void **value);

#endif
