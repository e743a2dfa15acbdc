#include "updater/yaml_quote.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* 2024-01-31, and with a time of day: a date to readers of YAML 1.1. */
static bool is_date(const char *text)
{
    size_t year = strspn(text, "0123456789");
    return year == 4 && text[4] == '-' && isdigit((unsigned char)text[5]);
}

static bool is_large_number(const char *text)
{
    char *end;
    return isdigit((unsigned char)text[0]) && isinf(strtod(text, &end)) && !*end;
}

bool yaml_needs_quotes(const char *text)
{
    return yaml_plain_is_typed(text) || is_date(text) || is_large_number(text);
}

/* Narrower than YAML allows: a quote too many is no harm. */
static bool is_plain_char(char c, bool in_flow)
{
    return isalnum((unsigned char)c) || (c && strchr("_./-*~^<>=+@$()|", c)) || (!in_flow && c == ':');
}

static bool is_plain(const char *text, bool in_flow)
{
    size_t len = strlen(text);
    if (!len || !isalpha((unsigned char)text[0]) || text[len - 1] == ':' || yaml_plain_is_typed(text))
        return false;
    for (size_t i = 0; i < len; i++) {
        bool is_inner_space = text[i] == ' ' && i + 1 < len && text[i - 1] != ':';
        if (!is_inner_space && !is_plain_char(text[i], in_flow))
            return false;
    }
    return true;
}

/* One line of characters that show. */
static bool is_single_quotable(const char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~')
            return false;
    }
    return true;
}

static void add_single_quoted(struct strbuf *out, const char *text)
{
    strbuf_addch(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            strbuf_addch(out, '\'');
        strbuf_addch(out, *text);
    }
    strbuf_addch(out, '\'');
}

/* U+0085, U+2028 and U+2029 are line breaks, U+FEFF is a mark: their lengths, else 0. */
static size_t hidden_length(const char *text, unsigned *code)
{
    static const struct {
        const char *bytes;
        unsigned code;
    } hidden[] = {{"\xc2\x85", 0x85},       {"\xe2\x80\xa8", 0x2028}, {"\xe2\x80\xa9", 0x2029},
                  {"\xef\xbb\xbf", 0xfeff}, {"\xef\xbf\xbe", 0xfffe}, {"\xef\xbf\xbf", 0xffff}};
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        size_t len = strlen(hidden[i].bytes);
        if (!strncmp(text, hidden[i].bytes, len)) {
            *code = hidden[i].code;
            return len;
        }
    }
    /* other C1 control characters */
    if ((unsigned char)text[0] == 0xc2 && (unsigned char)text[1] < 0xa0) {
        *code = (unsigned char)text[1];
        return 2;
    }
    return 0;
}

static void add_double_quoted(struct strbuf *out, const char *text)
{
    strbuf_addch(out, '"');
    while (*text) {
        unsigned code = 0;
        size_t hidden = hidden_length(text, &code);
        if (hidden)
            strbuf_addf(out, "\\u%04x", code);
        else if (*text == '"' || *text == '\\')
            strbuf_addf(out, "\\%c", *text);
        else if (*text == '\n')
            strbuf_addstr(out, "\\n");
        else if (*text == '\t')
            strbuf_addstr(out, "\\t");
        else if ((unsigned char)*text < ' ' || *text == 0x7f)
            strbuf_addf(out, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            strbuf_addch(out, *text);
        text += hidden ? hidden : 1;
    }
    strbuf_addch(out, '"');
}

void yaml_add_quoted(struct strbuf *out, const char *text, enum yaml_style style, bool in_flow)
{
    if (style == YAML_PLAIN && is_plain(text, in_flow))
        strbuf_addstr(out, text);
    else if (style == YAML_SINGLE_QUOTED && is_single_quotable(text))
        add_single_quoted(out, text);
    else
        add_double_quoted(out, text);
}

void yaml_add_scalar(struct strbuf *out, const char *text, enum yaml_style quotes, bool in_flow)
{
    yaml_add_quoted(out, text, is_plain(text, in_flow) ? YAML_PLAIN : quotes, in_flow);
}

enum yaml_style yaml_quotes_of(const struct yaml_node *mapping)
{
    for (size_t i = mapping->len; i; i -= 2) {
        enum yaml_style style = mapping->items[i - 1]->style;
        if (style == YAML_SINGLE_QUOTED || style == YAML_DOUBLE_QUOTED)
            return style;
    }
    return YAML_DOUBLE_QUOTED;
}
