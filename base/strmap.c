#include "base/strmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* uthash stays inside this file. */
#define HASH_NONFATAL_OOM   0
#define uthash_malloc(size) xmalloc(size)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include <uthash.h>

struct strmap_entry {
    void *value;
    UT_hash_handle hh;
    char key[];
};

void strmap_init(struct strmap *m, void (*free_value)(void *))
{
    m->table = NULL;
    m->free_value = free_value;
}

static struct strmap_entry *find(const struct strmap *m, const char *key)
{
    struct strmap_entry *entry = NULL;
    HASH_FIND(hh, m->table, key, strlen(key), entry);
    return entry;
}

static void drop(struct strmap *m, struct strmap_entry *entry)
{
    HASH_DEL(m->table, entry);
    if (m->free_value)
        m->free_value(entry->value);
    free(entry);
}

void strmap_release(struct strmap *m)
{
    struct strmap_entry *entry, *next;
    HASH_ITER(hh, m->table, entry, next)
    {
        drop(m, entry);
    }
    m->table = NULL;
}

void strmap_set(struct strmap *m, const char *key, void *value)
{
    struct strmap_entry *entry = find(m, key);
    if (entry) {
        if (m->free_value && entry->value != value)
            m->free_value(entry->value);
        entry->value = value;
        return;
    }
    size_t len = strlen(key);
    entry = xcalloc(1, sizeof(*entry) + len + 1);
    memcpy(entry->key, key, len + 1);
    entry->value = value;
    HASH_ADD(hh, m->table, key, len, entry);
}

void *strmap_get(const struct strmap *m, const char *key)
{
    struct strmap_entry *entry = find(m, key);
    return entry ? entry->value : NULL;
}

bool strmap_has(const struct strmap *m, const char *key)
{
    return find(m, key) != NULL;
}

bool strmap_remove(struct strmap *m, const char *key)
{
    struct strmap_entry *entry = find(m, key);
    if (!entry)
        return false;
    drop(m, entry);
    return true;
}

size_t strmap_size(const struct strmap *m)
{
    return HASH_COUNT(m->table);
}

bool strmap_next(const struct strmap *m, struct strmap_cursor *c, const char **key, void **value)
{
    const struct strmap_entry *entry = c->started ? c->next : m->table;
    c->started = true;
    if (!entry)
        return false;
    c->next = entry->hh.next;
    *key = entry->key;
    *value = entry->value;
    return true;
}
#pragma GCC diagnostic pop
