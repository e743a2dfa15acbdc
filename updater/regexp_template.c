#include "updater/regexp_template.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Literal text, or a group. */
struct piece {
    const char *text; /* NULL: a group */
    size_t len;
    uint32_t group;
};

struct regexp_template {
    char *text; /* the pieces point into it */
    struct piece *pieces;
    size_t len, capacity;
    uint32_t groups;
};

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static void add_text(struct regexp_template *template, const char *text, size_t len)
{
    vec_grow(template->pieces, template->len, template->capacity);
    template->pieces[template->len++] = (struct piece){.text = text, .len = len};
}

static void add_group(struct regexp_template *template, uint32_t group)
{
    vec_grow(template->pieces, template->len, template->capacity);
    template->pieces[template->len++] = (struct piece){.group = group};
    if (group >= template->groups)
        template->groups = group + 1;
}

/* The number that the text is; -1 if it is none, or has more digits than groups there can be. */
static int number_of(const char *name)
{
    size_t len = strlen(name);
    if (len > 5 || strspn(name, "0123456789") != len || (len > 1 && name[0] == '0'))
        return -1;
    return (int)strtol(name, NULL, 10);
}

/* -1 if the pattern has no such group. */
static int find_group(const pcre2_code *code, const char *name)
{
    int number = number_of(name);
    if (number < 0) {
        number = pcre2_substring_number_from_name(code, (PCRE2_SPTR)name);
        return number > 0 ? number : -1;
    }
    uint32_t last = 0;
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &last);
    return (uint32_t)number <= last ? number : -1;
}

static int refuse_group(const char *template, const char *name, struct error *err)
{
    size_t digits = strspn(name, "0123456789");
    if (digits > 0 && name[digits] != '\0')
        return error_set(err, ERROR_INVALID,
                         "%s: the pattern has no group \"%s\"; group %.*s before other text is ${%.*s}",
                         template, name, (int)digits, name, (int)digits, name);
    return error_set(err, ERROR_INVALID, "%s: the pattern has no group \"%s\"", template, name);
}

/* What follows a "$"; moves *cursor past it. */
static int read_group(struct regexp_template *template, const char **cursor, const pcre2_code *code,
                      struct error *err)
{
    bool has_brace = **cursor == '{';
    const char *start = *cursor + has_brace, *end = start;
    while (is_word(*end))
        end++;
    if (end == start || (has_brace && *end != '}'))
        return error_set(err, ERROR_INVALID,
                         "%s: a \"$\" is followed by a group, as in $1 or ${name}, or by another \"$\"",
                         template->text);
    AUTO_FREE char *name = xmemdupz(start, (size_t)(end - start));
    int group = find_group(code, name);
    if (group < 0)
        return refuse_group(template->text, name, err);
    add_group(template, (uint32_t)group);
    *cursor = end + has_brace;
    return 0;
}

static int compile(struct regexp_template *template, const pcre2_code *code, struct error *err)
{
    const char *p = template->text;
    while (*p) {
        size_t len = strcspn(p, "$");
        if (len > 0)
            add_text(template, p, len);
        p += len;
        if (p[0] == '$' && p[1] == '$') {
            add_text(template, p, 1);
            p += 2;
        } else if (*p == '$') {
            p++;
            if (read_group(template, &p, code, err) < 0)
                return -1;
        }
    }
    if (template->groups == 0)
        return error_set(err, ERROR_INVALID,
                         "\"%s\" takes nothing of the tag; $1 is the first group of the pattern",
                         template->text);
    return 0;
}

struct regexp_template *regexp_template_new(const char *text, const pcre2_code *code, struct error *err)
{
    struct regexp_template *template = xcalloc(1, sizeof(*template));
    template->text = xstrdup(text);
    if (compile(template, code, err) == 0)
        return template;
    regexp_template_free(template);
    return NULL;
}

void regexp_template_free(struct regexp_template *template)
{
    if (!template)
        return;
    free(template->pieces);
    free(template->text);
    free(template);
}

uint32_t regexp_template_groups(const struct regexp_template *template)
{
    return template->groups;
}

void regexp_template_expand(const struct regexp_template *template, const char *subject,
                            pcre2_match_data *match, struct strbuf *out)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(match);
    for (size_t i = 0; i < template->len; i++) {
        const struct piece *piece = &template->pieces[i];
        if (piece->text) {
            strbuf_add(out, piece->text, piece->len);
            continue;
        }
        PCRE2_SIZE from = ends[2 * (size_t)piece->group], to = ends[2 * (size_t)piece->group + 1];
        if (from != PCRE2_UNSET && from < to)
            strbuf_add(out, subject + from, to - from);
    }
}
