/*
 * libyaml's marks count characters. Its events come almost in the order of the text, so a cursor that walks
 * from the last place asked for to the next finds bytes in linear time. Collections are gathered on one stack
 * of nodes and copied into the arena when they end.
 */
#include "base/yaml_reader.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strmap.h"
#include "base/utf8.h"
#include "base/yaml_keys.h"
#include "base/yaml_property.h"

/* What an alias can name. */
struct anchored {
    struct yaml_node *node;
    size_t size;     /* nodes, aliases followed; 0 while the node is open */
    unsigned height; /* of a collection: levels below and with it; of a scalar: 0 */
};

/* A collection whose end has not come. */
struct frame {
    struct yaml_node *node;
    struct anchored *anchored; /* NULL: it has no anchor */
    size_t first;              /* of its items, in `pending` */
    size_t size_before;
    unsigned height;
};

struct cursor {
    size_t character, byte;
};

struct reader {
    struct yaml_source *source;
    struct yaml_document *document;
    yaml_parser_t parser;
    size_t first; /* byte where the parser's text begins */
    struct cursor cursor;
    struct frame frames[LIMIT_YAML_DEPTH];
    unsigned depth;
    struct yaml_node **pending;
    size_t pending_len, pending_capacity;
    size_t size; /* nodes so far, aliases followed */
    struct strmap anchors;
};

static int fail(struct reader *r, enum error_code code, int line, int column, const char *text)
{
    r->document->error_line = line;
    r->document->error_column = column;
    r->document->error = (struct yaml_error){.code = code, .text = arena_strdup(r->source->arena, text)};
    return -1;
}

static int fail_at(struct reader *r, const struct yaml_node *node, const char *text)
{
    return fail(r, ERROR_INVALID, node->line, node->column, text);
}

static int over_limit(struct reader *r, const struct yaml_node *node, const char *what, unsigned limit)
{
    char text[128];
    snprintf(text, sizeof(text), "%s: the limit is %u, aliases followed", what, limit);
    return fail(r, ERROR_TOO_LARGE, node->line, node->column, text);
}

static size_t byte_of(struct reader *r, size_t character)
{
    if (r->source->is_ascii)
        return r->first + character;
    const char *text = r->source->text;
    struct cursor *c = &r->cursor;
    while (c->character < character && c->byte < r->document->end) {
        do
            c->byte++;
        while (c->byte < r->document->end && utf8_is_continuation(text[c->byte]));
        c->character++;
    }
    while (c->character > character) {
        do
            c->byte--;
        while (utf8_is_continuation(text[c->byte]));
        c->character--;
    }
    return c->byte;
}

static int line_of(const struct reader *r, const yaml_mark_t *mark)
{
    return r->document->line + (int)mark->line;
}

static struct yaml_node *new_node(struct reader *r, enum yaml_kind kind, const yaml_event_t *event)
{
    struct yaml_node *node = arena_alloc(r->source->arena, sizeof(*node));
    node->kind = kind;
    node->number = ++r->source->nodes;
    node->start = (uint32_t)byte_of(r, event->start_mark.index);
    node->end = (uint32_t)byte_of(r, event->end_mark.index);
    node->line = line_of(r, &event->start_mark);
    node->column = (int)event->start_mark.column + 1;
    return node;
}

/* Adds `size` nodes (more than one: an alias) at the current place. */
static int add_node(struct reader *r, struct yaml_node *node, size_t size, unsigned height)
{
    if (size > LIMIT_YAML_NODES - r->size)
        return over_limit(r, node, "too many nodes in this document", LIMIT_YAML_NODES);
    r->size += size;
    if (r->depth) {
        struct frame *parent = &r->frames[r->depth - 1];
        if (height + 1 > parent->height)
            parent->height = height + 1;
    }
    vec_grow(r->pending, r->pending_len, r->pending_capacity);
    r->pending[r->pending_len++] = node;
    return 0;
}

/* An anchor may be given again; aliases mean the latest. */
static struct anchored *add_anchor(struct reader *r, struct yaml_node *node, const yaml_char_t *name)
{
    if (!name)
        return NULL;
    node->anchor = arena_strdup(r->source->arena, (const char *)name);
    struct anchored *anchored = arena_alloc(r->source->arena, sizeof(*anchored));
    anchored->node = node;
    strmap_set(&r->anchors, node->anchor, anchored);
    return anchored;
}

static enum yaml_style style_of(yaml_scalar_style_t style)
{
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
        return YAML_SINGLE_QUOTED;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        return YAML_DOUBLE_QUOTED;
    case YAML_LITERAL_SCALAR_STYLE:
        return YAML_LITERAL;
    case YAML_FOLDED_SCALAR_STYLE:
        return YAML_FOLDED;
    case YAML_ANY_SCALAR_STYLE:
    case YAML_PLAIN_SCALAR_STYLE:
        break;
    }
    return YAML_PLAIN;
}

static int take_scalar(struct reader *r, const yaml_event_t *event)
{
    struct yaml_node *node = new_node(r, YAML_SCALAR, event);
    yaml_skip_properties(r->source->text, node,
                         2); /* libyaml does not report the tag "!", so look at the text */
    node->style = style_of(event->data.scalar.style);
    node->value_len = (uint32_t)event->data.scalar.length;
    node->value = arena_memdupz(r->source->arena, event->data.scalar.value, node->value_len);
    node->tag = arena_strdup(r->source->arena, (const char *)event->data.scalar.tag);
    struct anchored *anchored = add_anchor(r, node, event->data.scalar.anchor);
    if (anchored)
        anchored->size = 1;
    return add_node(r, node, 1, 0);
}

static int take_alias(struct reader *r, const yaml_event_t *event)
{
    struct yaml_node *node = new_node(r, YAML_ALIAS, event);
    struct anchored *anchored = strmap_get(&r->anchors, (const char *)event->data.alias.anchor);
    if (!anchored)
        return fail_at(r, node, "an alias of an anchor that has not been defined");
    if (!anchored->size)
        return fail_at(r, node, "an alias inside the node that it stands for");
    node->target = anchored->node;
    if (r->depth + anchored->height > LIMIT_YAML_DEPTH)
        return over_limit(r, node, "nested too deep", LIMIT_YAML_DEPTH);
    if (anchored->size > LIMIT_YAML_NODES - r->source->alias_nodes)
        return over_limit(r, node, "too many nodes by way of aliases in this file", LIMIT_YAML_NODES);
    r->source->alias_nodes += anchored->size;
    return add_node(r, node, anchored->size, anchored->height);
}

static int open_collection(struct reader *r, struct yaml_node *node, const yaml_char_t *anchor,
                           const yaml_char_t *tag)
{
    if (r->depth == LIMIT_YAML_DEPTH)
        return over_limit(r, node, "nested too deep", LIMIT_YAML_DEPTH);
    yaml_skip_properties(r->source->text, node, !!anchor + !!tag);
    node->tag = arena_strdup(r->source->arena, (const char *)tag);
    size_t size_before = r->size;
    if (add_node(r, node, 1, 0) < 0)
        return -1;
    struct frame *frame = &r->frames[r->depth++];
    *frame = (struct frame){.node = node, .first = r->pending_len, .size_before = size_before, .height = 1};
    frame->anchored = add_anchor(r, node, anchor);
    return 0;
}

static int take_sequence(struct reader *r, const yaml_event_t *event)
{
    struct yaml_node *node = new_node(r, YAML_SEQUENCE, event);
    node->flow = event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    return open_collection(r, node, event->data.sequence_start.anchor, event->data.sequence_start.tag);
}

static int take_mapping(struct reader *r, const yaml_event_t *event)
{
    struct yaml_node *node = new_node(r, YAML_MAPPING, event);
    node->flow = event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
    return open_collection(r, node, event->data.mapping_start.anchor, event->data.mapping_start.tag);
}

static int check_keys(struct reader *r, const struct yaml_node *mapping)
{
    const struct yaml_node *first, *second;
    if (!yaml_find_duplicate_key(mapping, &first, &second))
        return 0;
    char text[256];
    snprintf(text, sizeof(text), "the key \"%.100s\" is there twice, in line %d and in line %d",
             yaml_resolve(first)->value, first->line, second->line);
    return fail_at(r, second, text);
}

static int close_collection(struct reader *r, const yaml_event_t *event)
{
    struct frame *frame = &r->frames[--r->depth];
    struct yaml_node *node = frame->node;
    node->len = (uint32_t)(r->pending_len - frame->first);
    node->items = arena_alloc(r->source->arena, node->len * sizeof(struct yaml_node *));
    if (node->len)
        memcpy(node->items, r->pending + frame->first, node->len * sizeof(struct yaml_node *));
    r->pending_len = frame->first;
    if (node->flow)
        node->end = (uint32_t)byte_of(r, event->end_mark.index);
    else
        node->end = node->len ? node->items[node->len - 1]->end : node->start;
    if (frame->anchored) {
        frame->anchored->size = r->size - frame->size_before;
        frame->anchored->height = frame->height;
    }
    if (r->depth && frame->height + 1 > r->frames[r->depth - 1].height)
        r->frames[r->depth - 1].height = frame->height + 1;
    return node->kind == YAML_MAPPING ? check_keys(r, node) : 0;
}

static int take_event(struct reader *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return take_scalar(r, event);
    case YAML_ALIAS_EVENT:
        return take_alias(r, event);
    case YAML_SEQUENCE_START_EVENT:
        return take_sequence(r, event);
    case YAML_MAPPING_START_EVENT:
        return take_mapping(r, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_collection(r, event);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return 0;
}

/* A character that YAML does not allow: libyaml gives its byte and no line. */
static int fail_character(struct reader *r)
{
    const char *text = r->source->text;
    size_t bad = r->first + r->parser.problem_offset, line_start = r->first;
    int line = r->document->line;
    for (size_t at = r->first; at < bad && at < r->document->end;) {
        size_t broken = yaml_break_length(text, at, r->document->end);
        at += broken ? broken : 1;
        if (broken) {
            line++;
            line_start = at;
        }
    }
    return fail(r, ERROR_INVALID, line, 1 + (int)utf8_count(text + line_start, bad - line_start),
                r->parser.problem);
}

static int fail_parser(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_READER_ERROR)
        return fail_character(r);
    if (p->error == YAML_MEMORY_ERROR)
        return fail(r, ERROR_INTERNAL, r->document->line, 1, "libyaml ran out of memory");
    char text[256];
    if (p->context)
        snprintf(text, sizeof(text), "%s, %s from line %d", p->problem, p->context,
                 line_of(r, &p->context_mark));
    else
        snprintf(text, sizeof(text), "%s", p->problem);
    return fail(r, ERROR_INVALID, line_of(r, &p->problem_mark), (int)p->problem_mark.column + 1, text);
}

static int read_events(struct reader *r)
{
    for (bool is_over = false; !is_over;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r->parser, &event))
            return fail_parser(r);
        is_over = event.type == YAML_STREAM_END_EVENT;
        int result = take_event(r, &event);
        yaml_event_delete(&event);
        if (result < 0)
            return -1;
    }
    return 0;
}

/* "---" and nothing: libyaml makes it an empty scalar. */
static bool is_nothing(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && node->style == YAML_PLAIN && !node->value_len && !node->anchor &&
           !node->tag;
}

void yaml_read_document(struct yaml_source *source, struct yaml_document *document)
{
    struct reader r = {.source = source, .document = document, .anchors = STRMAP_INIT};
    r.first = utf8_skip_bom(source->text, document->start, document->end);
    r.cursor.byte = r.first;
    if (!yaml_parser_initialize(&r.parser)) {
        fail(&r, ERROR_INTERNAL, document->line, 1, "libyaml ran out of memory");
        return;
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)source->text + r.first,
                                 document->end - r.first);
    if (read_events(&r) == 0 && r.pending_len == 1 && !is_nothing(r.pending[0]))
        document->root = r.pending[0];
    yaml_parser_delete(&r.parser);
    strmap_release(&r.anchors);
    free(r.pending);
}
