#include "updater/alias_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/manifest_tree.h"

static void find_below(struct alias_list *list, const struct yaml_node *node)
{
    for (size_t i = 0; i < node->len; i++)
        find_below(list, node->items[i]);
    if (node->kind != YAML_ALIAS)
        return;
    vec_grow(list->items, list->len, list->capacity);
    list->items[list->len++] = node;
}

void alias_list_find(struct alias_list *list, const struct manifest_file *file)
{
    struct error err = ERROR_INIT; /* it was read before */
    if (memchr(file->text, '*', file->len))
        list->yaml = manifest_tree_read(file, &err);
    for (size_t i = 0; list->yaml && i < list->yaml->len; i++) {
        if (list->yaml->documents[i].root)
            find_below(list, list->yaml->documents[i].root);
    }
}

void alias_list_release(struct alias_list *list)
{
    free(list->items);
    yaml_close(list->yaml);
}

/* True if the alias stands for the scalar or for something around it. */
static bool hands_on(const struct yaml_node *alias, const struct yaml_node *scalar)
{
    return alias->target->start <= scalar->start && scalar->end <= alias->target->end;
}

void alias_list_describe(const struct alias_list *list, const struct container *container,
                         const struct yaml_node *scalar, struct strbuf *out)
{
    const size_t most = 2;
    const struct yaml_node *first[2];
    size_t len = 0;
    for (size_t i = 0; i < list->len; i++) {
        if (!hands_on(list->items[i], scalar))
            continue;
        if (len < most)
            first[len] = list->items[i];
        len++;
    }
    if (len <= container->is_alias) /* that one is the container's own */
        return;
    strbuf_addf(out, "; what is written as *%s changes with it: line%s %d", first[0]->target->anchor,
                len > 1 ? "s" : "", first[0]->line);
    if (len > 1)
        strbuf_addf(out, "%s%d", len == most ? " and " : ", ", first[1]->line);
    if (len > most)
        strbuf_addf(out, " and %zu more", len - most);
}
