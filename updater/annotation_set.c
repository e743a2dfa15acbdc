/*
 * What is to be replaced follows from where the way to the value ends: at the value itself, at the mapping that lacks its
 * key, or at an empty `annotations` or `metadata`.
 */
#include "updater/annotation_set.h"

#include <ctype.h>
#include <string.h>

#include "updater/flow_pair.h"
#include "updater/yaml_quote.h"

#define DEFAULT_STEP 2
#define NOWHERE      ((size_t)-1)

/* How much deeper the file indents a mapping in a mapping: as its metadata is in its object. */
static size_t step_of(const struct annotation_path *e)
{
    const struct yaml_node *outer = e->nodes[0], *inner = e->nodes[1];
    if (!inner || inner->kind != YAML_MAPPING || inner->flow || outer->flow || inner->column <= outer->column)
        return DEFAULT_STEP;
    return (size_t)(inner->column - outer->column);
}

/* The quotes of the annotations that there are. */
static enum yaml_style quotes_of(const struct annotation_path *e)
{
    const struct yaml_node *annotations = e->nodes[ANNOTATION_LEVELS - 1];
    return annotations && annotations->kind == YAML_MAPPING ? yaml_quotes_of(annotations)
                                                            : YAML_DOUBLE_QUOTED;
}

/* The pairs from `level` on down to the value, below each other; without the indentation of the first, and without
 * the last line break. */
static void add_block_pairs(const struct annotation_path *e, size_t level, size_t indent,
                            const char *line_break, struct strbuf *out)
{
    for (; level < ANNOTATION_LEVELS - 1; level++) {
        indent += step_of(e);
        strbuf_addf(out, "%s:%s%*s", annotation_path_key(e, level), line_break, (int)indent, "");
    }
    yaml_add_quoted(out, e->change->key, YAML_PLAIN, false);
    strbuf_addstr(out, ": ");
    yaml_add_scalar(out, e->change->value, quotes_of(e), false);
}

/* "annotations: {key: value}", its lines as `layout` has them, `depth` mappings further in; all in double quotes where the
 * keys before are, so that JSON stays JSON. */
static void add_flow_pairs(const struct annotation_path *e, size_t level, const struct flow_layout *layout,
                           size_t depth, struct strbuf *out)
{
    const struct yaml_node *near = e->nodes[level]->len ? e->nodes[level] : e->nodes[level - 1];
    enum yaml_style style = near->items[0]->style;
    size_t open = 0;
    for (; level < ANNOTATION_LEVELS - 1; level++, open++) {
        yaml_add_quoted(out, annotation_path_key(e, level), style, true);
        strbuf_addstr(out, ": {");
        flow_layout_add_line(layout, depth + open + 1, out);
    }
    yaml_add_quoted(out, e->change->key, style, true);
    strbuf_addstr(out, ": ");
    if (style == YAML_DOUBLE_QUOTED)
        yaml_add_quoted(out, e->change->value, style, true);
    else
        yaml_add_scalar(out, e->change->value, quotes_of(e), true);
    while (open--) {
        flow_layout_add_line(layout, depth + open, out);
        strbuf_addch(out, '}');
    }
}

/* "{key: value}" for a mapping that is empty, laid out as the one around it. */
static void add_flow_mapping(const struct annotation_path *e, size_t level, struct strbuf *out)
{
    const struct yaml_node *parent = e->nodes[level - 1];
    struct flow_layout layout = {.is_tall = false};
    if (parent->flow)
        layout = flow_layout_inside(e->text, e->len, parent);
    strbuf_addch(out, '{');
    flow_layout_add_line(&layout, 1, out);
    add_flow_pairs(e, level, &layout, 1, out);
    flow_layout_add_line(&layout, 0, out);
    strbuf_addch(out, '}');
}

/* The end of the line that a mapping's text ends on; NOWHERE where a line more would be part of that text: of a block scalar
 * that keeps its blank lines, has lines of blanks, or has no line break yet. */
static size_t end_of_text(const struct annotation_path *e, const struct yaml_node *last)
{
    size_t end = place_line_end(e->text, e->len, place_scalar_end(e->text, last));
    if (!place_is_block_scalar(last))
        return end;
    size_t rest = strspn(e->text + end, "\r\n");
    return end == e->len || place_keeps_breaks(e->text, last) || end + rest < last->end ? NOWHERE : end;
}

/* A pair more at the end of a block mapping that has some; behind the blank lines of a block scalar that may own them, or at
 * the start where the last line cannot be continued (a block scalar at the very end of a file without line end). */
static int append_block(const struct annotation_path *e, size_t level, struct byte_edit *edit,
                        struct strbuf *out)
{
    const struct yaml_node *mapping = e->nodes[level];
    size_t indent = 0;
    if (!place_indent(e->text, mapping, mapping->items[0], &indent))
        return annotation_path_refuse(e, mapping->line, "its indentation is not made of spaces alone");
    const char *line_break = place_line_break(e->text, e->len, mapping->start);
    const struct yaml_node *last = place_last(mapping);
    if (place_is_nothing(last) && !strchr(":-", place_before(e->text, last->start)))
        return annotation_path_refuse(e, mapping->line, "its last key has neither value nor colon");
    size_t end = end_of_text(e, last);
    if (end != NOWHERE) {
        *edit = bytes_between(end, end);
        strbuf_addf(out, "%s%*s", line_break, (int)indent, "");
        add_block_pairs(e, level, indent, line_break, out);
        return 0;
    }
    bool is_continued = last->end && (e->text[last->end - 1] == '\n' || e->text[last->end - 1] == '\r');
    size_t at = is_continued ? last->end : mapping->items[0]->start;
    *edit = bytes_between(at, at);
    if (is_continued)
        strbuf_addf(out, "%*s", (int)indent, "");
    add_block_pairs(e, level, indent, line_break, out);
    strbuf_addstr(out, line_break);
    if (!is_continued)
        strbuf_addf(out, "%*s", (int)indent, "");
    return 0;
}

static int append_flow(const struct annotation_path *e, size_t level, struct byte_edit *edit,
                       struct strbuf *out)
{
    const struct yaml_node *mapping = e->nodes[level];
    struct flow_layout layout = flow_layout_inside(e->text, e->len, mapping);
    CLEANUP(strbuf_release) struct strbuf pairs = STRBUF_INIT;
    add_flow_pairs(e, level, &layout, 0, &pairs);
    flow_pair_append(e->text, e->len, mapping, pairs.buf, edit, out);
    return 0;
}

/* What is written where there was nothing must not touch what is before it: the colon, an anchor or a tag. Nor must what
 * replaces a text that began with ":" right behind an anchor ("&a:1"). */
static void add_gap(const struct annotation_path *e, size_t start, const struct yaml_node *node,
                    struct strbuf *out)
{
    if (!start)
        return;
    char before = e->text[start - 1];
    bool is_glued = isalnum((unsigned char)before) || before == '-' || before == '_';
    if (is_glued || (node->start == node->end && !strchr(" \t\r\n", before)))
        strbuf_addch(out, ' ');
}

/* An empty value on a line of its own, below its key: the pairs take its place. False if it is not. */
static bool fill_own_line(const struct annotation_path *e, size_t level, struct byte_edit *edit,
                          struct strbuf *out)
{
    const struct yaml_node *empty = e->nodes[level];
    size_t start = place_line_start(e->text, empty->start);
    const struct yaml_node *key = e->nodes[level - 1]->items[e->pairs[level - 1]];
    if (empty->start == empty->end || start <= key->end || !place_is_blank(e->text, start, empty->start))
        return false;
    *edit = bytes_between(empty->start, empty->end);
    add_block_pairs(e, level, empty->start - start, place_line_break(e->text, e->len, key->start), out);
    return true;
}

/* An empty value of a key (null, ~, {} or nothing) becomes a mapping with the pair. */
static int fill(const struct annotation_path *e, size_t level, struct byte_edit *edit, struct strbuf *out)
{
    const struct yaml_node *parent = e->nodes[level - 1], *empty = e->nodes[level];
    const struct yaml_node *key = parent->items[e->pairs[level - 1]];
    bool is_bare = !empty->anchor && !empty->tag && empty->start >= key->end;
    if (parent->flow || !is_bare) {
        *edit = bytes_between(empty->start, empty->end);
        add_gap(e, empty->start, empty, out);
        add_flow_mapping(e, level, out);
        return 0;
    }
    if (fill_own_line(e, level, edit, out))
        return 0;
    size_t indent = 0;
    if (!place_indent(e->text, parent, key, &indent))
        return annotation_path_refuse(e, key->line, "its indentation is not made of spaces alone");
    indent += step_of(e);
    /* what is left of the line, a comment, stays on it; the value's bytes and the spaces before them go */
    size_t start = empty->start, end = place_line_end(e->text, e->len, empty->end);
    while (start > key->end && (e->text[start - 1] == ' ' || e->text[start - 1] == '\t'))
        start--;
    const char *line_break = place_line_break(e->text, e->len, key->start);
    *edit = bytes_between(start, end);
    strbuf_add(out, e->text + empty->end, end - empty->end);
    strbuf_addf(out, "%s%*s", line_break, (int)indent, "");
    add_block_pairs(e, level, indent, line_break, out);
    return 0;
}

static int replace_value(const struct annotation_path *e, struct byte_edit *edit, struct strbuf *out)
{
    const struct yaml_node *value = e->nodes[ANNOTATION_LEVELS], *mapping = e->nodes[ANNOTATION_LEVELS - 1];
    bool is_string_tag = !value->tag || !strcmp(value->tag, "tag:yaml.org,2002:str");
    if (value->kind != YAML_SCALAR && value->kind != YAML_ALIAS)
        return annotation_path_refuse(e, value->line, "the value of the annotation is no text");
    if (annotation_path_is_shared(e, value))
        return annotation_path_refuse(
            e, value->line, "the value is shared by an anchor and aliases, which would change with it");
    if (!is_string_tag)
        return annotation_path_refuse(e, value->line,
                                      "the value of the annotation has a tag that makes it no text");
    size_t start = place_is_nothing(value) ? place_to_fill(e->text, e->len, value) : value->start;
    *edit = bytes_between(start, start == value->start ? place_scalar_end(e->text, value) : start);
    add_gap(e, start, value, out);
    if (value->kind == YAML_SCALAR && value->style != YAML_PLAIN)
        yaml_add_quoted(out, e->change->value, value->style, mapping->flow);
    else if (flow_is_json(mapping))
        yaml_add_quoted(out, e->change->value, YAML_DOUBLE_QUOTED, true);
    else
        yaml_add_scalar(out, e->change->value, quotes_of(e), mapping->flow);
    return 0;
}

/* A mapping with pairs, or with a comment where they would be. */
static bool is_filled(const struct annotation_path *e, const struct yaml_node *node)
{
    return node->kind == YAML_MAPPING &&
           (node->len || memchr(e->text + node->start, '#', node->end - node->start));
}

int annotation_set(const struct annotation_path *e, struct byte_edit *edit, struct strbuf *out)
{
    size_t level = annotation_path_depth(e);
    const struct yaml_node *mapping = e->nodes[level];
    if (place_is_nothing(mapping) && place_before(e->text, mapping->start) != ':')
        return annotation_path_refuse(e, mapping->line, "its key has neither value nor colon");
    if (level == ANNOTATION_LEVELS)
        return replace_value(e, edit, out);
    if (level && !is_filled(e, mapping))
        return fill(e, level, edit, out);
    if (mapping->kind != YAML_MAPPING)
        return annotation_path_refuse(e, mapping->line, "the object is no mapping");
    return mapping->flow ? append_flow(e, level, edit, out) : append_block(e, level, edit, out);
}
