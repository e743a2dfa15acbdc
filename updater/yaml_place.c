#include "updater/yaml_place.h"

#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"

/* Line breaks are those of YAML 1.1, as libyaml reads it (§5.4): CR LF, CR, LF, NEL, LS and PS. */
static const struct line_break {
    const char *bytes;
    size_t len;
} breaks[] = {{"\r\n", 2}, {"\r", 1}, {"\n", 1}, {"\xc2\x85", 2}, {"\xe2\x80\xa8", 3}, {"\xe2\x80\xa9", 3}};

/* The length of the break that begins at `at`; 0 if none does. */
static size_t break_at(const char *text, size_t len, size_t at)
{
    for (size_t i = 0; i < ARRAY_LEN(breaks); i++) {
        if (len - at >= breaks[i].len && !memcmp(text + at, breaks[i].bytes, breaks[i].len))
            return breaks[i].len;
    }
    return 0;
}

/* The length of the break that ends before `at`; 0 if none does. */
static size_t break_before(const char *text, size_t at)
{
    for (size_t i = 0; i < ARRAY_LEN(breaks); i++) {
        if (at >= breaks[i].len && !memcmp(text + at - breaks[i].len, breaks[i].bytes, breaks[i].len))
            return breaks[i].len;
    }
    return 0;
}

size_t place_line_start(const char *text, size_t at)
{
    while (at && !break_before(text, at))
        at--;
    return at;
}

size_t place_line_end(const char *text, size_t len, size_t at)
{
    while (at < len && !break_at(text, len, at))
        at++;
    return at;
}

size_t place_next_line(const char *text, size_t len, size_t end)
{
    return end + break_at(text, len, end);
}

size_t place_previous_end(const char *text, size_t start)
{
    return start - break_before(text, start);
}

const char *place_line_break(const char *text, size_t len, size_t at)
{
    size_t end = place_line_end(text, len, at);
    if (end == len)
        end = place_line_end(text, len, 0);
    if (end < len && text[end] == '\r')
        return end + 1 < len && text[end + 1] == '\n' ? "\r\n" : "\r";
    return "\n";
}

bool place_is_blank(const char *text, size_t start, size_t end)
{
    for (size_t at = utf8_skip_bom(text, start, end); at < end; at++) {
        if (text[at] != ' ')
            return false;
    }
    return true;
}

bool place_indent(const char *text, const struct yaml_node *mapping, const struct yaml_node *key,
                  size_t *indent)
{
    if (key->column != mapping->column)
        return false;
    size_t start = place_line_start(text, key->start);
    start = utf8_skip_bom(text, start, key->start);
    for (size_t at = start; at < key->start; at++) {
        bool is_dash = text[at] == '-' && text[at + 1] == ' ';
        if (text[at] != ' ' && !is_dash)
            return false;
    }
    *indent = key->start - start;
    return true;
}

const struct yaml_node *place_last(const struct yaml_node *node)
{
    while ((node->kind == YAML_MAPPING || node->kind == YAML_SEQUENCE) && !node->flow && node->len)
        node = node->items[node->len - 1];
    return node;
}

bool place_is_block_scalar(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && (node->style == YAML_LITERAL || node->style == YAML_FOLDED);
}

bool place_keeps_breaks(const char *text, const struct yaml_node *node)
{
    size_t len = place_is_block_scalar(node) ? strcspn(text + node->start, "+ #\r\n") : 0;
    return place_is_block_scalar(node) && text[node->start + len] == '+';
}

size_t place_scalar_end(const char *text, const struct yaml_node *scalar)
{
    size_t end = scalar->end;
    if (!place_is_block_scalar(scalar))
        return end;
    while (end > scalar->start && strchr(" \t\r\n", text[end - 1]))
        end--;
    return end;
}

bool place_is_nothing(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && node->style == YAML_PLAIN && node->start == node->end &&
           !node->anchor && !node->tag;
}

size_t place_to_fill(const char *text, size_t len, const struct yaml_node *node)
{
    size_t at = node->start, end = place_line_end(text, len, at);
    bool is_behind_colon = at && at < end && text[at - 1] == ':';
    return is_behind_colon && place_is_blank(text, at, end) ? at + 1 : at;
}

char place_before(const char *text, size_t at)
{
    while (at && text[at - 1] == ' ')
        at--;
    if (!at)
        return '\0';
    return text[at - 1];
}
