#include "base/yaml_property.h"

#include <string.h>

#include "base/utf8.h"
#include "base/yaml_reader.h"

#define NOWHERE ((size_t)-1)

/* libyaml's anchors have no other characters, whatever stands next to them. */
static bool is_anchor_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

/* The end of the anchor or tag that begins at `at`. */
static size_t property_end(const char *text, size_t at, size_t end)
{
    bool is_anchor = text[at] == '&', is_verbatim = !is_anchor && at + 1 < end && text[at + 1] == '<';
    for (at++; at < end; at++) {
        if (is_anchor && !is_anchor_char(text[at]))
            return at;
        if (is_verbatim && text[at] == '>')
            return at + 1;
        bool is_over = text[at] == ' ' || text[at] == '\t' || yaml_break_length(text, at, end);
        if (is_over || (!is_verbatim && strchr(",[]{}", text[at])))
            return at;
    }
    return end;
}

/* Blanks, line breaks and comments (and byte order marks, which libyaml passes over at the start of any line);
 * counts lines. */
static size_t skip_space(const char *text, size_t at, size_t end, int *line, size_t *line_start)
{
    while (at < end) {
        size_t broken = yaml_break_length(text, at, end);
        if (broken) {
            *line_start = at + broken;
            ++*line;
            at = utf8_skip_bom(text, *line_start, end);
        } else if (text[at] == '#') {
            while (at < end && !yaml_break_length(text, at, end))
                at++;
        } else if (text[at] == ' ' || text[at] == '\t') {
            at++;
        } else {
            break;
        }
    }
    return at;
}

void yaml_skip_properties(const char *text, struct yaml_node *node, int count)
{
    size_t at = node->start, line_start = NOWHERE;
    for (int i = 0; i < count && at < node->end && strchr("&!", text[at]); i++) {
        at = property_end(text, at, node->end);
        at = skip_space(text, at, node->end, &node->line, &line_start);
    }
    if (line_start == NOWHERE)
        node->column += (int)utf8_count(text + node->start, at - node->start);
    else
        node->column = 1 + (int)utf8_count(text + line_start, at - line_start);
    node->start = (uint32_t)at;
}
