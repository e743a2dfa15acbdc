/*
 * Trees of texts, mappings and lists: what a YAML reader must find in a document, whatever it looks like.
 */
#ifndef TESTS_YAML_TREE_H
#define TESTS_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum tree_kind { TREE_TEXT, TREE_MAP, TREE_LIST };

struct tree {
    enum tree_kind kind;
    bool is_typed;      /* a text that is to be plain: 1, true, null */
    bool is_plain_text; /* written without escapes and in one piece, as images are */
    char *text;
    struct tree **items; /* of a map: key, value, key, value, … */
    size_t len, capacity;
    struct tree *merged; /* of a map: another that it gets by "<<" */
    const struct tree
        *source; /* what the bytes are of, once written: itself, or for an alias the anchored one */
    char anchor[12];
};

static struct tree *tree_text(const char *text)
{
    struct tree *tree = xcalloc(1, sizeof(*tree));
    tree->text = xstrdup(text);
    return tree;
}

static struct tree *tree_typed(const char *text)
{
    struct tree *tree = tree_text(text);
    tree->is_typed = true;
    return tree;
}

static struct tree *tree_new(enum tree_kind kind)
{
    struct tree *tree = xcalloc(1, sizeof(*tree));
    tree->kind = kind;
    return tree;
}

static struct tree *tree_add(struct tree *list, struct tree *item)
{
    vec_grow(list->items, list->len, list->capacity);
    return list->items[list->len++] = item;
}

static struct tree *tree_set(struct tree *map, const char *key, struct tree *value)
{
    tree_add(map, tree_text(key));
    return tree_add(map, value);
}

static void tree_free(struct tree *tree)
{
    for (size_t i = 0; i < tree->len; i++)
        tree_free(tree->items[i]);
    free(tree->items);
    free(tree->text);
    free(tree);
}

static struct tree *tree_get(const struct tree *map, const char *key)
{
    for (size_t i = 0; i < map->len; i += 2) {
        if (!strcmp(map->items[i]->text, key))
            return map->items[i + 1];
    }
    return map->merged ? tree_get(map->merged, key) : NULL;
}

static bool tree_equals(const struct tree *a, const struct tree *b)
{
    if (a->kind != b->kind || a->len != b->len || a->is_typed != b->is_typed || a->merged || b->merged)
        return false;
    if (a->kind == TREE_TEXT)
        return !strcmp(a->text, b->text);
    for (size_t i = 0; i < a->len; i++) {
        if (!tree_equals(a->items[i], b->items[i]))
            return false;
    }
    return true;
}

#endif
