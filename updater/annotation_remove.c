#include "updater/annotation_remove.h"

#include <string.h>

#include "updater/flow_pair.h"

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
        *edit = bytes_between(key->start, mapping->items[pair + 2]->start);
        return 0;
    }
    size_t end = place_line_end(e->text, e->len, place_scalar_end(e->text, place_last(value)));
    const struct yaml_node *before = pair ? place_last(mapping->items[pair - 1]) : NULL;
    bool keeps_last_break = !before || place_is_block_scalar(before);
    if (end == e->len && !keeps_last_break) /* a text without line break at its end stays one */
        start = place_previous_end(e->text, start);
    size_t next = place_next_line(e->text, e->len, end);
    *edit = bytes_between(start,
                          before && place_keeps_breaks(e->text, before) ? skip_blank_lines(e, next) : next);
    return 0;
}

/* Where the mapping would be left empty its own pair goes instead. */
int annotation_remove(const struct annotation_path *e, struct byte_edit *edit, struct strbuf *out)
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
    flow_pair_remove(e->text, e->len, mapping, e->pairs[level], edit, out);
    return 0;
}
