/*
 * One change at a time, each on the text that the last one left, so that every step is one replacement of bytes with a
 * proof of its own. What is to be replaced follows from where the way to the value ends: at the value itself, at the
 * mapping that lacks its key, or at an empty `annotations` or `metadata`.
 */
#include "updater/annotation_edit.h"

#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "model/manifest_tree.h"
#include "updater/annotation_path.h"
#include "updater/annotation_verify.h"
#include "updater/yaml_place.h"
#include "updater/yaml_quote.h"

#define DEFAULT_STEP 2

/* Where an object is in a stream; holds for every text that an edit makes of the file. */
struct place {
    size_t document;
    size_t item; /* 1 + the index among the items of a List; 0: the document itself */
};

/* -- setting ------------------------------------------------------------------------------------------------------ */

/* How much deeper the file indents a mapping in a mapping: as its metadata is in its object. */
static size_t step_of(const struct annotation_path *e)
{
    const struct yaml_node *outer = e->nodes[0], *inner = e->nodes[1];
    if (!inner || inner->kind != YAML_MAPPING || inner->flow || outer->flow || inner->column <= outer->column)
        return DEFAULT_STEP;
    return (size_t)(inner->column - outer->column);
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
    yaml_add_quoted(out, e->change->value, YAML_PLAIN, false);
}

/* "annotations: {key: value}"; all in double quotes where the object's keys are, so that JSON stays JSON. */
static void add_flow_pairs(const struct annotation_path *e, size_t level, struct strbuf *out)
{
    enum yaml_style style = e->nodes[0]->len ? e->nodes[0]->items[0]->style : YAML_PLAIN;
    size_t open = 0;
    for (; level < ANNOTATION_LEVELS - 1; level++, open++) {
        yaml_add_quoted(out, annotation_path_key(e, level), style, true);
        strbuf_addstr(out, ": {");
    }
    yaml_add_quoted(out, e->change->key, style, true);
    strbuf_addstr(out, ": ");
    yaml_add_quoted(out, e->change->value, style, true);
    while (open--)
        strbuf_addch(out, '}');
}

static void place_edit(struct byte_edit *edit, size_t start, size_t end)
{
    *edit = (struct byte_edit){.start = start, .end = end};
}

/* A pair more at the end of a block mapping that has some; at its start where its last line cannot be continued (a
 * block scalar at the very end of a file without line end). */
static int append_block(const struct annotation_path *e, size_t level, struct byte_edit *edit,
                        struct strbuf *out)
{
    const struct yaml_node *mapping = e->nodes[level];
    size_t indent = 0;
    if (!place_indent(e->text, mapping, mapping->items[0], &indent))
        return annotation_path_refuse(e, mapping->line, "its indentation is not made of spaces alone");
    const char *line_break = place_line_break(e->text, e->len, mapping->start);
    const struct yaml_node *last = place_last(mapping);
    bool is_block_scalar = last->style == YAML_LITERAL || last->style == YAML_FOLDED;
    if (place_is_nothing(last) && !strchr(":-", place_before(e->text, last->start)))
        return annotation_path_refuse(e, mapping->line, "its last key has neither value nor colon");
    if (!is_block_scalar) {
        size_t end = place_line_end(e->text, e->len, last->end);
        place_edit(edit, end, end);
        strbuf_addf(out, "%s%*s", line_break, (int)indent, "");
        add_block_pairs(e, level, indent, line_break, out);
        return 0;
    }
    bool is_continued = last->end && (e->text[last->end - 1] == '\n' || e->text[last->end - 1] == '\r');
    size_t at = is_continued ? last->end : mapping->items[0]->start;
    place_edit(edit, at, at);
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
    const struct yaml_node *last = mapping->len ? mapping->items[mapping->len - 1] : NULL;
    bool is_after = last && last->end > last->start;
    size_t at = is_after ? last->end : mapping->start + 1;
    place_edit(edit, at, at);
    if (is_after)
        strbuf_addstr(out, ", ");
    add_flow_pairs(e, level, out);
    if (last && !is_after)
        strbuf_addstr(out, ", ");
    return 0;
}

/* What is written where there was nothing must not touch what is before it: the colon, an anchor or a tag. Nor must what
 * replaces a text that began with ":" right behind an anchor ("&a:1"). */
static void add_gap(const struct annotation_path *e, const struct yaml_node *node, struct strbuf *out)
{
    if (!node->start)
        return;
    char before = e->text[node->start - 1];
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
    place_edit(edit, empty->start, empty->end);
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
        place_edit(edit, empty->start, empty->end);
        add_gap(e, empty, out);
        strbuf_addch(out, '{');
        add_flow_pairs(e, level, out);
        strbuf_addch(out, '}');
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
    place_edit(edit, start, end);
    strbuf_add(out, e->text + empty->end, end - empty->end);
    strbuf_addf(out, "%s%*s", line_break, (int)indent, "");
    add_block_pairs(e, level, indent, line_break, out);
    return 0;
}

/* Behind the line of a block scalar's header come its lines; all but the last line break is replaced. */
static size_t end_of_scalar(const struct annotation_path *e, const struct yaml_node *value)
{
    size_t end = value->end;
    if (value->style != YAML_LITERAL && value->style != YAML_FOLDED)
        return end;
    while (end > value->start && strchr(" \t\r\n", e->text[end - 1]))
        end--;
    return end;
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
    place_edit(edit, value->start, end_of_scalar(e, value));
    add_gap(e, value, out);
    yaml_add_quoted(out, e->change->value, value->kind == YAML_SCALAR ? value->style : YAML_PLAIN,
                    mapping->flow);
    return 0;
}

static int set(const struct annotation_path *e, struct byte_edit *edit, struct strbuf *out)
{
    size_t level = annotation_path_depth(e);
    const struct yaml_node *mapping = e->nodes[level];
    if (place_is_nothing(mapping) && place_before(e->text, mapping->start) != ':')
        return annotation_path_refuse(e, mapping->line, "its key has neither value nor colon");
    if (level == ANNOTATION_LEVELS)
        return replace_value(e, edit, out);
    bool is_filled = mapping->kind == YAML_MAPPING && mapping->len;
    if (level && (!is_filled && (mapping->kind != YAML_MAPPING || !e->nodes[level - 1]->flow)))
        return fill(e, level, edit, out);
    if (mapping->kind != YAML_MAPPING)
        return annotation_path_refuse(e, mapping->line, "the object is no mapping");
    return mapping->flow ? append_flow(e, level, edit, out) : append_block(e, level, edit, out);
}

/* -- removing ------------------------------------------------------------------------------------------------------- */

/* A pair of {…}, with the comma that it needs no more. */
static void remove_flow_pair(const struct yaml_node *mapping, size_t pair, struct byte_edit *edit)
{
    if (pair + 2 < mapping->len)
        place_edit(edit, mapping->items[pair]->start, mapping->items[pair + 2]->start);
    else
        place_edit(edit, mapping->items[pair - 1]->end, mapping->items[pair + 1]->end);
}

/* "|+": blank lines that come to stand behind it would be part of it. */
static bool keeps_blank_lines(const struct annotation_path *e, const struct yaml_node *node)
{
    bool is_block_scalar = node->style == YAML_LITERAL || node->style == YAML_FOLDED;
    size_t len = is_block_scalar ? strcspn(e->text + node->start, "+ #\r\n") : 0;
    return is_block_scalar && e->text[node->start + len] == '+';
}

static size_t skip_blank_lines(const struct annotation_path *e, size_t start)
{
    size_t end = place_line_end(e->text, e->len, start);
    while (end < e->len && place_is_blank(e->text, start, end)) {
        start = place_next_line(e->text, e->len, end);
        end = place_line_end(e->text, e->len, start);
    }
    return start;
}

/* Whole lines, from the key's to its value's last; where the key shares its line with a "-", up to the next key. */
static int remove_block_pair(const struct annotation_path *e, const struct yaml_node *mapping, size_t pair,
                             struct byte_edit *edit)
{
    const struct yaml_node *key = mapping->items[pair], *value = mapping->items[pair + 1];
    size_t start = place_line_start(e->text, key->start);
    if (!place_is_blank(e->text, start, key->start)) {
        size_t indent;
        if (pair + 2 >= mapping->len || !place_indent(e->text, mapping, key, &indent)) /* "? key" */
            return annotation_path_refuse(e, key->line, "the annotation shares its line with something else");
        place_edit(edit, key->start, mapping->items[pair + 2]->start);
        return 0;
    }
    const struct yaml_node *last = place_last(value);
    size_t end =
        place_line_end(e->text, e->len, last == value ? end_of_scalar(e, value) : end_of_scalar(e, last));
    const struct yaml_node *before = pair ? place_last(mapping->items[pair - 1]) : NULL;
    bool keeps_last_break = !before || before->style == YAML_LITERAL || before->style == YAML_FOLDED;
    if (end == e->len && !keeps_last_break) /* a text without line break at its end stays one */
        start = place_previous_end(e->text, start);
    size_t next = place_next_line(e->text, e->len, end);
    place_edit(edit, start, before && keeps_blank_lines(e, before) ? skip_blank_lines(e, next) : next);
    return 0;
}

/* Where the mapping would be left empty its own pair goes instead. */
static int remove_pair(const struct annotation_path *e, struct byte_edit *edit)
{
    size_t level = ANNOTATION_LEVELS - 1;
    while (level && e->nodes[level]->len == 2)
        level--;
    const struct yaml_node *mapping = e->nodes[level];
    for (size_t i = level + 1; i <= ANNOTATION_LEVELS; i++) {
        if (annotation_path_is_shared(e, e->nodes[i]))
            return annotation_path_refuse(e, e->nodes[i]->line,
                                          "it has an anchor whose aliases are elsewhere");
    }
    if (mapping->len == 2)
        return annotation_path_refuse(e, mapping->line, "the object would be left empty");
    if (!mapping->flow)
        return remove_block_pair(e, mapping, e->pairs[level], edit);
    remove_flow_pair(mapping, e->pairs[level], edit);
    return 0;
}

/* -- all of it ------------------------------------------------------------------------------------------------------ */

static bool is_as_wanted(const struct annotation_path *e)
{
    const struct yaml_node *value = e->nodes[ANNOTATION_LEVELS];
    if (!value)
        return !e->change->value;
    const char *text = yaml_text(value);
    return e->change->value && text && !strcmp(text, e->change->value);
}

/* What an alias expands to is never followed: places are of the tree as it is written. */
static const struct yaml_node *object_at(const struct yaml_stream *yaml, const struct place *place)
{
    const struct yaml_node *root = yaml->documents[place->document].root;
    if (!place->item)
        return root;
    return yaml_resolve(yaml_get(root, "items"))->items[place->item - 1];
}

static int find_place(const struct resource *resource, struct place *place, struct error *err)
{
    CLEANUP(manifest_tree_release) struct manifest_tree tree = {.file = NULL};
    const struct yaml_node *object = manifest_tree_object(&tree, resource);
    const struct yaml_node *root = object ? tree.yaml->documents[resource->document].root : NULL;
    *place = (struct place){.document = resource->document};
    if (!resource->is_applied && !strcmp(resource->kind, "File"))
        return error_set(
            err, ERROR_UNSUPPORTED,
            "line %d: this is a file whose comments say what its policies are; it has no annotations",
            resource->line);
    if (root && root == object)
        return 0;
    const struct yaml_node *items = root ? yaml_resolve(yaml_get(root, "items")) : NULL;
    for (size_t i = 0; items && items->kind == YAML_SEQUENCE && i < items->len; i++) {
        if (yaml_resolve(items->items[i]) != object)
            continue;
        place->item = i + 1;
        return 0;
    }
    return error_set(err, ERROR_UNSUPPORTED, "line %d: this is no object that can have annotations",
                     resource->line);
}

/* What is taken away must not be there still, from a merge key that the removed one overrode. */
static int check_removal(const struct strbuf *text, const struct place *place,
                         const struct annotation_change *change, struct error *err)
{
    CLEANUP(yaml_release) struct yaml_stream *yaml = yaml_read(text->buf, text->len, err);
    if (!yaml)
        return -1;
    struct annotation_path e = {.text = text->buf,
                                .len = text->len,
                                .document = &yaml->documents[place->document],
                                .change = change,
                                .err = err};
    return annotation_path_find(&e, object_at(yaml, place));
}

/* The text after one change; the same if there is nothing to do. */
static int change_one(struct strbuf *text, const struct place *place, const struct annotation_change *change,
                      struct error *err)
{
    CLEANUP(yaml_release) struct yaml_stream *yaml = yaml_read(text->buf, text->len, err);
    if (!yaml)
        return -1;
    struct annotation_path e = {.text = text->buf,
                                .len = text->len,
                                .document = &yaml->documents[place->document],
                                .change = change,
                                .err = err};
    const struct yaml_node *object = object_at(yaml, place);
    CLEANUP(strbuf_release) struct strbuf new_bytes = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf result = STRBUF_INIT;
    struct byte_edit edit = {.start = 0};
    if (annotation_path_find(&e, object) < 0)
        return -1;
    if (is_as_wanted(&e))
        return 0;
    if ((change->value ? set(&e, &edit, &new_bytes) : remove_pair(&e, &edit)) < 0)
        return -1;
    edit.len = new_bytes.len;
    strbuf_add(&result, text->buf, edit.start);
    strbuf_add(&result, new_bytes.buf, new_bytes.len);
    strbuf_add(&result, text->buf + edit.end, text->len - edit.end);
    if (annotation_verify(yaml, text->buf, object, change, &edit, &result, err) < 0 ||
        (!change->value && check_removal(&result, place, change, err) < 0))
        return -1;
    strbuf_reset(text);
    strbuf_add(text, result.buf, result.len);
    return 0;
}

int annotation_edit(const struct resource *resource, const struct annotation_change *changes, size_t len,
                    struct strbuf *out, struct error *err)
{
    struct place place;
    if (find_place(resource, &place, err) < 0)
        return -1;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_add(&text, resource->file->text, resource->file->len);
    for (size_t i = 0; i < len; i++) {
        const char *value = changes[i].value;
        if (value && utf8_valid_length(value, strlen(value)) != strlen(value))
            return error_set(err, ERROR_INVALID, "the value of %s is no UTF-8", changes[i].key);
        if (change_one(&text, &place, &changes[i], err) < 0)
            return error_wrap(err, "%s", changes[i].key);
    }
    strbuf_add(out, text.buf, text.len);
    return 0;
}
