#include "daemon/tag_wants.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct list {
    struct tag_want *items;
    size_t len, capacity;
};

static void free_list(void *pointer)
{
    struct list *list = pointer;
    for (size_t i = 0; i < list->len; i++)
        free(list->items[i].tag);
    free(list->items);
    free(list);
}

void tag_wants_init(struct tag_wants *wants)
{
    strmap_init(&wants->lists, free_list);
}

void tag_wants_release(struct tag_wants *wants)
{
    strmap_release(&wants->lists);
    tag_wants_init(wants);
}

static struct list *list_of(struct tag_wants *wants, const struct repository_demand *item)
{
    AUTO_FREE char *key = repository_demand_key(item);
    struct list *list = strmap_get(&wants->lists, key);
    if (!list) {
        list = xcalloc(1, sizeof(*list));
        strmap_set(&wants->lists, key, list);
    }
    return list;
}

bool tag_wants_add(struct tag_wants *wants, const struct repository_demand *item, const char *tag,
                   unsigned flags)
{
    struct list *list = list_of(wants, item);
    for (size_t i = 0; i < list->len; i++) {
        if (strcmp(list->items[i].tag, tag) != 0)
            continue;
        bool is_new = flags & ~list->items[i].wants;
        list->items[i].wants |= flags;
        return is_new;
    }
    vec_grow(list->items, list->len, list->capacity);
    list->items[list->len++] = (struct tag_want){xstrdup(tag), flags};
    return true;
}

bool tag_wants_add_needs(struct tag_wants *wants, const struct demand_set *demands,
                         const struct decision *decision)
{
    bool is_new = false;
    for (size_t i = 0; i < decision->needs_len; i++) {
        const struct repository_demand *item = &demands->items[demand_set_find(demands, decision->container)];
        const struct detail_need *need = &decision->needs[i];
        is_new = tag_wants_add(wants, item, need->tag, need->wants) || is_new;
    }
    return is_new;
}

void tag_wants_put(const struct tag_wants *wants, struct demand_set *set)
{
    for (size_t i = 0; i < set->len && strmap_size(&wants->lists); i++) {
        AUTO_FREE char *key = repository_demand_key(&set->items[i]);
        const struct list *list = strmap_get(&wants->lists, key);
        for (size_t k = 0; list && k < list->len; k++)
            demand_add_tag(&set->items[i], list->items[k].tag, list->items[k].wants);
    }
}
