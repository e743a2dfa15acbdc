#include "updater/annotation_path.h"

#include <string.h>

#include "base/alloc.h"

int annotation_path_refuse(const struct annotation_path *e, int line, const char *why)
{
    return error_set(e->err, ERROR_UNSUPPORTED, "line %d: %s", line, why);
}

const char *annotation_path_key(const struct annotation_path *e, size_t level)
{
    static const char *const keys[] = {"metadata", "annotations"};
    return level < 2 ? keys[level] : e->change->key;
}

/* The object's own pair, whatever merge keys bring. */
static bool find_pair(const struct yaml_node *mapping, const char *name, size_t *index)
{
    for (size_t i = 0; i < mapping->len; i += 2) {
        const struct yaml_node *key = yaml_resolve(mapping->items[i]);
        if (key->kind == YAML_SCALAR && key->value_len == strlen(name) && !strcmp(key->value, name)) {
            *index = i;
            return true;
        }
    }
    return false;
}

static bool is_alias_to(const struct yaml_node *node, const struct yaml_node *target)
{
    if (node->kind == YAML_ALIAS)
        return node->target == target;
    for (size_t i = 0; i < node->len; i++) {
        if (is_alias_to(node->items[i], target))
            return true;
    }
    return false;
}

bool annotation_path_is_shared(const struct annotation_path *e, const struct yaml_node *node)
{
    return node->anchor && is_alias_to(e->document->root, node);
}

static bool is_empty(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && !yaml_text(node) && node->style == YAML_PLAIN;
}

/* A mapping on the way must be the object's own. */
static int check_mapping(const struct annotation_path *e, const struct yaml_node *node, const char *name)
{
    AUTO_FREE char *why = NULL;
    if (node->kind == YAML_ALIAS || annotation_path_is_shared(e, node))
        why = xasprintf(
            "%s is shared by an anchor and aliases: other objects would change with it; write it out "
            "for this object",
            name);
    else if (node->kind != YAML_MAPPING && !is_empty(node))
        why = xasprintf("%s is no mapping", name);
    return why ? annotation_path_refuse(e, node->line, why) : 0;
}

/* -1 where a merge key brings what the object itself has not. */
static int check_merged(const struct annotation_path *e, size_t level)
{
    const struct yaml_node *mapping = e->nodes[level];
    bool is_hidden =
        level == ANNOTATION_LEVELS - 1 && e->change->value; /* an own key counts before a merged one */
    if (is_hidden || !yaml_get(mapping, annotation_path_key(e, level)))
        return 0;
    AUTO_FREE char *why =
        xasprintf("%s comes from a merge key (<<) and is shared; write it out for this object",
                  annotation_path_key(e, level));
    return annotation_path_refuse(e, mapping->line, why);
}

int annotation_path_find(struct annotation_path *e, const struct yaml_node *object)
{
    static const char *const names[] = {"the object", "metadata", "annotations"};
    e->nodes[0] = object;
    for (size_t level = 0; level < ANNOTATION_LEVELS; level++) {
        const struct yaml_node *node = e->nodes[level];
        if (check_mapping(e, node, names[level]) < 0)
            return -1;
        if (node->kind != YAML_MAPPING)
            return 0;
        if (!find_pair(node, annotation_path_key(e, level), &e->pairs[level]))
            return check_merged(e, level);
        e->nodes[level + 1] = node->items[e->pairs[level] + 1];
    }
    return 0;
}

size_t annotation_path_depth(const struct annotation_path *e)
{
    size_t level = 0;
    while (level < ANNOTATION_LEVELS && e->nodes[level + 1])
        level++;
    return level;
}
