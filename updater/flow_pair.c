#include "updater/flow_pair.h"

#include <string.h>

#define DEFAULT_STEP "  "

bool flow_is_json(const struct yaml_node *mapping)
{
    return mapping->flow && mapping->len && mapping->items[0]->style == YAML_DOUBLE_QUOTED;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static size_t skip_blanks(const char *text, size_t at, size_t end)
{
    while (at < end && is_blank(text[at]))
        at++;
    return at;
}

/* True if nothing but blanks is before the key on its line. */
static bool begins_line(const char *text, const struct yaml_node *key)
{
    size_t start = place_line_start(text, key->start);
    return skip_blanks(text, start, key->start) == key->start;
}

/* Behind the comma that follows a value on its line, at once or after blanks; 0 if there is none. */
static size_t behind_comma(const char *text, size_t at, size_t end)
{
    at = skip_blanks(text, at, end);
    return at < end && text[at] == ',' ? at + 1 : 0;
}

/* The comma between two pairs, which may be on a later line, behind comments. */
static size_t find_comma(const char *text, size_t at, size_t end)
{
    while (at < end && text[at] != ',')
        at = text[at] == '#' ? place_line_end(text, end, at) : at + 1;
    return at;
}

/* True if the rest of the line is blank or a comment. */
static bool is_rest_free(const char *text, size_t at, size_t end)
{
    at = skip_blanks(text, at, end);
    return at == end || text[at] == '#';
}

struct flow_layout flow_layout_of(const char *text, size_t len, const struct yaml_node *mapping)
{
    const struct yaml_node *key = mapping->len ? mapping->items[mapping->len - 2] : NULL;
    if (!key || !begins_line(text, key))
        return (struct flow_layout){.is_tall = false};
    size_t start = place_line_start(text, key->start), outer = place_line_start(text, mapping->start);
    size_t outer_len = skip_blanks(text, outer, mapping->start) - outer;
    struct flow_layout layout = {.is_tall = true,
                                 .indent = text + start,
                                 .indent_len = key->start - start,
                                 .step = DEFAULT_STEP,
                                 .step_len = strlen(DEFAULT_STEP),
                                 .line_break = place_line_break(text, len, mapping->start)};
    if (outer_len < layout.indent_len && !memcmp(text + outer, layout.indent, outer_len)) {
        layout.step = layout.indent + outer_len;
        layout.step_len = layout.indent_len - outer_len;
    }
    return layout;
}

struct flow_layout flow_layout_inside(const char *text, size_t len, const struct yaml_node *mapping)
{
    if (!mapping->len || !begins_line(text, mapping->items[0]))
        return (struct flow_layout){.is_tall = false};
    return flow_layout_of(text, len, mapping);
}

void flow_layout_add_line(const struct flow_layout *layout, size_t depth, struct strbuf *out)
{
    if (!layout->is_tall)
        return;
    strbuf_addstr(out, layout->line_break);
    strbuf_add(out, layout->indent, layout->indent_len);
    while (depth--)
        strbuf_add(out, layout->step, layout->step_len);
}

/* Below the line of the last value, which gets a comma if it has none, before the comment that may be there. */
static void append_line(const char *text, size_t end, size_t at, const struct flow_layout *layout,
                        const char *pair, struct byte_edit *edit, struct strbuf *out)
{
    bool has_comma = behind_comma(text, at, end) > 0;
    *edit = bytes_between(has_comma ? end : at, end);
    if (!has_comma) {
        strbuf_addch(out, ',');
        strbuf_add(out, text + at, end - at);
    }
    flow_layout_add_line(layout, 0, out);
    strbuf_addstr(out, pair);
    if (has_comma)
        strbuf_addch(out, ',');
}

void flow_pair_append(const char *text, size_t len, const struct yaml_node *mapping, const char *pair,
                      struct byte_edit *edit, struct strbuf *out)
{
    struct flow_layout layout = flow_layout_of(text, len, mapping);
    const struct yaml_node *last = mapping->len ? mapping->items[mapping->len - 1] : NULL;
    bool is_without_colon = last && place_is_nothing(last) && place_before(text, last->start) != ':';
    if (!last || is_without_colon) { /* nothing tells where it ends */
        *edit = bytes_between(mapping->start + 1, mapping->start + 1);
        strbuf_addf(out, "%s%s", pair, last ? ", " : "");
        return;
    }
    size_t end = place_line_end(text, len, last->end), comma = behind_comma(text, last->end, end);
    if (layout.is_tall && is_rest_free(text, comma ? comma : last->end, end)) {
        append_line(text, end, last->end, &layout, pair, edit, out);
        return;
    }
    *edit = bytes_between(last->end, last->end);
    strbuf_addch(out, ',');
    if (layout.is_tall)
        flow_layout_add_line(&layout, 0, out);
    else
        strbuf_addch(out, ' ');
    strbuf_addstr(out, pair);
}

/* Adds what is between two pairs, but for the comma. */
static void add_without_comma(const char *text, size_t start, size_t end, struct strbuf *out)
{
    size_t comma = find_comma(text, start, end), behind = comma < end ? comma + 1 : end;
    strbuf_add(out, text + start, comma - start);
    strbuf_add(out, text + behind, end - behind);
}

/* The lines of a pair that has them for itself; the last one's comma is that of the pair before it. False if it has not. */
static bool remove_lines(const char *text, size_t len, const struct yaml_node *mapping, size_t pair,
                         struct byte_edit *edit, struct strbuf *out)
{
    const struct yaml_node *key = mapping->items[pair], *value = mapping->items[pair + 1];
    bool is_last = pair + 2 == mapping->len;
    size_t end = place_line_end(text, len, value->end), comma = behind_comma(text, value->end, end);
    if (!begins_line(text, key) || value->end == value->start || (!comma && !is_last) ||
        !is_rest_free(text, comma ? comma : value->end, end))
        return false;
    size_t start = place_line_start(text, key->start), before = start;
    if (!comma && pair) {
        before = mapping->items[pair - 1]->end;
        add_without_comma(text, before, start, out);
    }
    *edit = bytes_between(before, place_next_line(text, len, end));
    return true;
}

void flow_pair_remove(const char *text, size_t len, const struct yaml_node *mapping, size_t pair,
                      struct byte_edit *edit, struct strbuf *out)
{
    const struct yaml_node *const *items = (const struct yaml_node *const *)mapping->items;
    if (remove_lines(text, len, mapping, pair, edit, out))
        return;
    if (pair + 2 < mapping->len) {
        size_t next = items[pair + 2]->start;
        size_t end = place_line_end(text, len, find_comma(text, items[pair + 1]->end, next));
        bool is_comment_below = end < next && memchr(text + end, '#', next - end);
        *edit = bytes_between(items[pair]->start, is_comment_below ? end : next);
        return;
    }
    size_t gap = items[pair - 1]->end;
    *edit = bytes_between(gap, items[pair + 1]->end);
    if (memchr(text + gap, '#', items[pair]->start - gap)) /* a comment, which may be the other pair's */
        add_without_comma(text, gap, items[pair]->start, out);
}
