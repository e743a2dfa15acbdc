#include "updater/annotation_verify.h"

#include <string.h>

/* How deep in the object a node is: each level's mapping holds the next one's key. */
enum level { OBJECT, METADATA, ANNOTATIONS, VALUE, ELSEWHERE };

struct proof {
    const struct yaml_node *object;
    const struct annotation_change *change;
    const struct byte_edit *edit;
    struct error *err;
};

static int compare_nodes(const struct proof *p, const struct yaml_node *a, const struct yaml_node *b);
static int compare_child(const struct proof *p, const struct yaml_node *a, const struct yaml_node *b,
                         enum level level);

static int differs(const struct proof *p, int line, const char *what)
{
    return error_set(
        p->err, ERROR_INTERNAL,
        "the result would not read as meant: line %d has another %s; nothing was written. This is a "
        "bug; please report it with the file",
        line, what);
}

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

/* Where a byte outside the edit is afterwards. */
static size_t moved(const struct proof *p, size_t place)
{
    return place < p->edit->end ? place : place - (p->edit->end - p->edit->start) + p->edit->len;
}

static const char *key_below(const struct proof *p, enum level level)
{
    static const char *const keys[] = {[OBJECT] = "metadata", [METADATA] = "annotations"};
    return level == ANNOTATIONS ? p->change->key : keys[level];
}

static bool is_key(const struct yaml_node *key, const char *name)
{
    key = yaml_resolve(key);
    return key->kind == YAML_SCALAR && key->value_len == strlen(name) &&
           !memcmp(key->value, name, key->value_len);
}

static bool is_string(const struct yaml_node *node, const char *text)
{
    return node->kind == YAML_SCALAR && node->value_len == strlen(text) &&
           !memcmp(node->value, text, node->value_len) &&
           (node->style != YAML_PLAIN || node->tag || !yaml_plain_is_typed(text));
}

static bool is_empty(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR ? !yaml_text(node) : node->kind == YAML_MAPPING && !node->len;
}

/* Nothing but the way to the new value. */
static bool is_fresh(const struct proof *p, const struct yaml_node *node, enum level level)
{
    if (!p->change->value)
        return false;
    if (level == VALUE)
        return is_string(node, p->change->value);
    return node->kind == YAML_MAPPING && node->len == 2 && is_key(node->items[0], key_below(p, level)) &&
           is_fresh(p, node->items[1], level + 1);
}

/* Nothing but the way to the removed value. */
static bool is_gone(const struct proof *p, const struct yaml_node *node, enum level level)
{
    if (p->change->value)
        return false;
    return level == VALUE ||
           (node->kind == YAML_MAPPING && node->len == 2 && is_key(node->items[0], key_below(p, level)) &&
            is_gone(p, node->items[1], level + 1));
}

static bool has_key(const struct yaml_node *mapping, const char *name)
{
    for (size_t i = 0; i < mapping->len; i += 2) {
        if (is_key(mapping->items[i], name))
            return true;
    }
    return false;
}

static int compare_pairs(const struct proof *p, const struct yaml_node *a, const struct yaml_node *b,
                         enum level level)
{
    const char *name = key_below(p, level);
    bool is_new = !has_key(a, name), has_new = false;
    size_t i = 0, j = 0;
    while (i < a->len || j < b->len) {
        bool old_here = i < a->len && is_key(a->items[i], name);
        bool new_here = j < b->len && is_key(b->items[j], name);
        if (new_here && is_new && !has_new) {
            if (!is_fresh(p, b->items[j + 1], level + 1))
                return differs(p, b->items[j]->line, "annotation");
            has_new = true;
            j += 2;
        } else if (old_here && !new_here) {
            if (!is_gone(p, a->items[i + 1], level + 1))
                return differs(p, a->items[i]->line, "annotation");
            i += 2;
        } else if (i >= a->len || j >= b->len) {
            return differs(p, a->line, "number of keys");
        } else {
            if (compare_nodes(p, a->items[i], b->items[j]) < 0 ||
                compare_child(p, a->items[i + 1], b->items[j + 1], old_here ? level + 1 : ELSEWHERE) < 0)
                return -1;
            i += 2;
            j += 2;
        }
    }
    return 0;
}

static int compare_child(const struct proof *p, const struct yaml_node *a, const struct yaml_node *b,
                         enum level level)
{
    if (level == ELSEWHERE)
        return compare_nodes(p, a, b);
    if (level == VALUE || is_empty(a))
        return is_fresh(p, b, level) ? 0 : differs(p, b->line, "annotation");
    if (a->kind != YAML_MAPPING || b->kind != YAML_MAPPING || a->flow != b->flow ||
        !is_same_text(a->anchor, b->anchor) || !is_same_text(a->tag, b->tag))
        return differs(p, a->line, "structure");
    return compare_pairs(p, a, b, level);
}

static int compare_nodes(const struct proof *p, const struct yaml_node *a, const struct yaml_node *b)
{
    if (a == p->object)
        return compare_child(p, a, b, OBJECT);
    if (a->kind != b->kind || a->style != b->style || a->flow != b->flow || a->len != b->len)
        return differs(p, a->line, "structure");
    if (!is_same_text(a->anchor, b->anchor) || !is_same_text(a->tag, b->tag))
        return differs(p, a->line, "anchor or tag");
    if (a->kind == YAML_ALIAS && b->target->start != moved(p, a->target->start))
        return differs(p, a->line, "alias");
    if (a->kind == YAML_SCALAR &&
        (a->value_len != b->value_len || memcmp(a->value, b->value, a->value_len) != 0))
        return differs(p, a->line, "value");
    for (size_t i = 0; i < a->len; i++) {
        if (compare_nodes(p, a->items[i], b->items[i]) < 0)
            return -1;
    }
    return 0;
}

int annotation_verify(const struct yaml_stream *old, const char *old_text, const struct yaml_node *object,
                      const struct annotation_change *change, const struct byte_edit *edit,
                      const struct strbuf *new_text, struct error *err)
{
    CLEANUP(yaml_release) struct yaml_stream *new = yaml_read(new_text->buf, new_text->len, err);
    if (!new)
        return error_wrap(err, "the result cannot be read");
    struct proof p = {.object = object, .change = change, .edit = edit, .err = err};
    if (old->len != new->len)
        return differs(&p, 1, "number of documents");
    for (size_t i = 0; i < old->len; i++) {
        const struct yaml_document *a = &old->documents[i], *b = &new->documents[i];
        if (!a->root != !b->root || a->error.code != b->error.code)
            return differs(&p, a->line, "document");
        bool is_same_size = a->end - a->start == b->end - b->start;
        if (!a->root &&
            (!is_same_size || memcmp(old_text + a->start, new_text->buf + b->start, a->end - a->start) != 0))
            return differs(&p, a->line, "broken document");
        if (a->root && compare_nodes(&p, a->root, b->root) < 0)
            return -1;
    }
    return 0;
}
