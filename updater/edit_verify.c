#include "updater/edit_verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/yaml_embedded.h"

struct comparison {
    struct yaml_stream *old, *new;
    const char *old_text, *new_text;
    const struct splice *const *splices;
    size_t len;
    ptrdiff_t *growth; /* growth[i]: bytes added by the splices before the i-th */
    bool has_additions;
    struct error *err;
};

static int differs(const struct comparison *c, int line, const char *what)
{
    return error_set(
        c->err, ERROR_INTERNAL,
        "the result would not read as meant: line %d has another %s; nothing was written. This is a "
        "bug; please report it with the file",
        line, what);
}

/* Which splices move a place: those that end at or before the end of a node, and those that begin before its start. */
enum edge { EDGE_START, EDGE_END, EDGE_EMPTY };

/* What is added between two nodes moves the second and is no part of the first; an empty one is the first. */
static bool is_before(const struct splice *splice, enum edge edge, size_t place)
{
    bool is_added = splice->added_len > 0;
    switch (edge) {
    case EDGE_START:
        return is_added ? splice->end <= place : splice->start < place;
    case EDGE_END:
        return is_added ? splice->end < place : splice->end <= place;
    case EDGE_EMPTY:
        break;
    }
    return is_added ? splice->end < place : splice->start < place;
}

static size_t splices_before(const struct comparison *c, enum edge edge, size_t place)
{
    size_t low = 0, high = c->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_before(c->splices[middle], edge, place))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t moved(const struct comparison *c, enum edge edge, size_t place)
{
    return place + (size_t)c->growth[splices_before(c, edge, place)];
}

static enum edge start_of(const struct yaml_node *node)
{
    return node->start == node->end ? EDGE_EMPTY : EDGE_START;
}

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static const struct splice *splice_of(const struct comparison *c, const struct yaml_node *node)
{
    size_t at = splices_before(c, start_of(node), node->start);
    return at < c->len && yaml_is_same(c->splices[at]->node, node) ? c->splices[at] : NULL;
}

static int compare_nodes(const struct comparison *c, const struct yaml_node *a, const struct yaml_node *b);

/* True if something inside of a string is changed, or put at its very end: then it was read as YAML. */
static bool is_changed_inside(const struct comparison *c, const struct yaml_node *a)
{
    size_t at = splices_before(c, start_of(a), a->start);
    return a->style == YAML_LITERAL && at < c->len && c->splices[at]->start <= a->end &&
           !yaml_is_same(c->splices[at]->node, a);
}

static int compare_embedded(const struct comparison *c, const struct yaml_node *a, const struct yaml_node *b)
{
    const struct yaml_node *a_root = NULL, *b_root = NULL;
    struct error err = ERROR_INIT;
    bool is_read = yaml_embed(c->old, c->old_text, a, &a_root, &err) == 0 && a_root &&
                   yaml_embed(c->new, c->new_text, b, &b_root, &err) == 0 && b_root;
    return is_read ? compare_nodes(c, a_root, b_root) : differs(c, a->line, "embedded text");
}

static int compare_value(const struct comparison *c, const struct yaml_node *a, const struct yaml_node *b)
{
    if (is_changed_inside(c, a))
        return compare_embedded(c, a, b);
    const struct splice *splice = splice_of(c, a);
    const char *expected = splice ? splice->value : a->value;
    size_t len = splice ? strlen(splice->value) : a->value_len;
    if (b->value_len != len || memcmp(b->value, expected, len) != 0)
        return differs(c, a->line, "value");
    return 0;
}

/* A scalar that was empty is where its splice puts it, behind a blank. */
static bool is_filled_in(const struct comparison *c, const struct yaml_node *a, const struct splice *splice,
                         const struct yaml_node *b)
{
    size_t start = moved(c, start_of(a), a->start) + splice->start - a->start;
    return b->start == start + strspn(splice->text, " ") && b->end == start + strlen(splice->text);
}

static bool is_same_place(const struct comparison *c, const struct yaml_node *a, const struct yaml_node *b)
{
    bool is_empty = a->start == a->end;
    const struct splice *filled = is_empty ? splice_of(c, a) : NULL;
    if (filled)
        return is_filled_in(c, a, filled, b);
    if (b->start != moved(c, start_of(a), a->start))
        return false;
    /* A block collection ends with its last node, which is compared itself; one that something is added to with that. */
    bool is_collection = a->kind == YAML_MAPPING || a->kind == YAML_SEQUENCE;
    if (is_collection && (!a->flow || c->has_additions))
        return true;
    return b->end == moved(c, is_empty ? EDGE_EMPTY : EDGE_END, a->end);
}

/* The style that a node must have afterwards: its own, or the quotes that its splice brings. */
static enum yaml_style style_after(const struct comparison *c, const struct yaml_node *node)
{
    const struct splice *splice = splice_of(c, node);
    if (!splice || !splice->adds_quotes || node->style != YAML_PLAIN)
        return node->style;
    return splice->text[strspn(splice->text, " ")] == '"' ? YAML_DOUBLE_QUOTED : YAML_SINGLE_QUOTED;
}

/* The splice that adds pairs to the mapping, or NULL. */
static const struct splice *addition_to(const struct comparison *c, const struct yaml_node *mapping)
{
    for (size_t i = 0; c->has_additions && mapping->kind == YAML_MAPPING && i < c->len; i++) {
        if (c->splices[i]->added_len && yaml_is_same(c->splices[i]->node, mapping))
            return c->splices[i];
    }
    return NULL;
}

static bool has_text(const struct yaml_node *node, const char *text)
{
    return node->kind == YAML_SCALAR && !node->anchor && !node->tag && node->value_len == strlen(text) &&
           !strcmp(node->value, text);
}

/* The new mapping's last pairs are those added, and strings for everyone. */
static bool has_added(const struct splice *splice, const struct yaml_node *b)
{
    const struct yaml_node *const *last =
        (const struct yaml_node *const *)b->items + (b->len - 2 * splice->added_len);
    bool is_good = true;
    for (size_t i = 0; i < splice->added_len && is_good; i++) {
        const struct yaml_node *key = last[2 * i], *value = last[2 * i + 1];
        is_good = has_text(key, splice->added[i].key) && has_text(value, splice->added[i].value) &&
                  (value->style != YAML_PLAIN || !yaml_plain_is_typed(value->value));
    }
    return is_good;
}

static int compare_nodes(const struct comparison *c, const struct yaml_node *a, const struct yaml_node *b)
{
    const struct splice *addition = addition_to(c, a);
    size_t added = addition ? 2 * addition->added_len : 0;
    if (a->kind != b->kind || style_after(c, a) != b->style || a->flow != b->flow || a->len + added != b->len)
        return differs(c, a->line, "structure");
    if (!is_same_text(a->anchor, b->anchor) || !is_same_text(a->tag, b->tag))
        return differs(c, a->line, "anchor or tag");
    if (!is_same_place(c, a, b))
        return differs(c, a->line, "place");
    if (a->kind == YAML_ALIAS && !is_same_place(c, a->target, b->target))
        return differs(c, a->line, "alias");
    if (a->kind == YAML_SCALAR)
        return compare_value(c, a, b);
    if (addition && !has_added(addition, b))
        return differs(c, a->line, "added pair");
    for (size_t i = 0; i < a->len; i++) {
        if (compare_nodes(c, a->items[i], b->items[i]) < 0)
            return -1;
    }
    return 0;
}

static int compare_streams(const struct comparison *c, const struct yaml_stream *old, const char *old_text,
                           const struct yaml_stream *new, const char *new_text)
{
    if (old->len != new->len)
        return differs(c, 1, "number of documents");
    for (size_t i = 0; i < old->len; i++) {
        const struct yaml_document *a = &old->documents[i], *b = &new->documents[i];
        if (!a->root != !b->root || a->error.code != b->error.code)
            return differs(c, a->line, "document");
        if (!a->root && (a->end - a->start != b->end - b->start ||
                         memcmp(old_text + a->start, new_text + b->start, a->end - a->start) != 0))
            return differs(c, a->line, "broken document");
        if (a->root && compare_nodes(c, a->root, b->root) < 0)
            return -1;
    }
    return 0;
}

int edit_verify(struct yaml_stream *old, const char *old_text, const struct strbuf *new_text,
                const struct splice *const *splices, size_t len, struct error *err)
{
    CLEANUP(yaml_release) struct yaml_stream *new = yaml_read(new_text->buf, new_text->len, err);
    if (!new)
        return error_wrap(err, "the result cannot be read");
    AUTO_FREE ptrdiff_t *growth = xcalloc(len + 1, sizeof(*growth));
    for (size_t i = 0; i < len; i++) {
        size_t gone = splices[i]->end - splices[i]->start;
        growth[i + 1] = growth[i] + (ptrdiff_t)strlen(splices[i]->text) - (ptrdiff_t)gone;
    }
    struct comparison c = {.old = old,
                           .new = new,
                           .old_text = old_text,
                           .new_text = new_text->buf,
                           .splices = splices,
                           .len = len,
                           .growth = growth,
                           .err = err};
    for (size_t i = 0; i < len; i++)
        c.has_additions = c.has_additions || splices[i]->added_len;
    return compare_streams(&c, old, old_text, new, new_text->buf);
}
