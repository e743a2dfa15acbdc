#include "updater/yaml_place.h"

#include <string.h>

#define BOM     "\xef\xbb\xbf"
#define BOM_LEN 3

static bool is_break(char c)
{
    return c == '\n' || c == '\r';
}

size_t place_line_start(const char *text, size_t at)
{
    while (at && !is_break(text[at - 1]))
        at--;
    return at;
}

size_t place_line_end(const char *text, size_t len, size_t at)
{
    while (at < len && !is_break(text[at]))
        at++;
    return at;
}

size_t place_next_line(const char *text, size_t len, size_t end)
{
    if (end < len && text[end] == '\r' && end + 1 < len && text[end + 1] == '\n')
        return end + 2;
    return end < len ? end + 1 : len;
}

size_t place_previous_end(const char *text, size_t start)
{
    if (start >= 2 && text[start - 1] == '\n' && text[start - 2] == '\r')
        return start - 2;
    return start ? start - 1 : 0;
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

static size_t skip_bom(const char *text, size_t start, size_t end)
{
    return end - start >= BOM_LEN && !memcmp(text + start, BOM, BOM_LEN) ? start + BOM_LEN : start;
}

bool place_is_blank(const char *text, size_t start, size_t end)
{
    for (size_t at = skip_bom(text, start, end); at < end; at++) {
        if (text[at] != ' ')
            return false;
    }
    return true;
}

bool place_indent(const char *text, const struct yaml_node *key, size_t *indent)
{
    size_t start = place_line_start(text, key->start);
    start = skip_bom(text, start, key->start);
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

char place_before(const char *text, size_t at)
{
    while (at && text[at - 1] == ' ')
        at--;
    return at ? text[at - 1] : '\0';
}
