#include "updater/regexp_syntax.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct reader {
    struct regexp_syntax *syntax;
    const char *start, *p;
    size_t capacity; /* of the origins */
    bool *folds;     /* per open group: (?i) holds */
    size_t depth;
};

static void put(struct reader *r, char c)
{
    struct regexp_syntax *syntax = r->syntax;
    vec_grow(syntax->origins, syntax->pattern.len, r->capacity);
    syntax->origins[syntax->pattern.len] = (size_t)(r->p - r->start);
    strbuf_addch(&syntax->pattern, c);
}

static void insert(struct reader *r, const char *text)
{
    for (; *text; text++)
        put(r, *text);
}

/* Stops at the end of the pattern. */
static void copy(struct reader *r, size_t len)
{
    for (; len > 0 && *r->p; len--) {
        put(r, *r->p);
        r->p++;
    }
}

static void replace(struct reader *r, size_t len, const char *text)
{
    insert(r, text);
    r->p += len;
}

/* The text up to and with `end`, or all that is left. */
static size_t length_through(const char *text, const char *end)
{
    const char *found = strstr(text, end);
    return found ? (size_t)(found - text) + strlen(end) : strlen(text);
}

/* -- escapes ------------------------------------------------------------------------------------------------ */

/* "\p{Lu}" and "\P{^Ll}", where upper and lower case are one; a class may hold it, too. */
static void copy_property(struct reader *r)
{
    bool has_brace = r->p[2] == '{', has_caret = has_brace && r->p[3] == '^';
    r->syntax->has_negated_property |= r->p[1] == 'P' || has_caret;
    copy(r, has_caret ? 4 : 3);
    if (!has_brace)
        return;
    bool is_case = !strncmp(r->p, "Lu}", 3) || !strncmp(r->p, "Ll}", 3);
    if (is_case && r->folds[r->depth])
        replace(r, 2, "L&");
    copy(r, length_through(r->p, "}"));
}

/* The length of "\x2d" or "\055", of which no part is to be taken for a character of its own. */
static size_t length_of_code(const char *text)
{
    bool is_hex = text[1] == 'x';
    size_t start = is_hex ? 2 : 1, most = is_hex ? 2 : 3;
    size_t digits = strspn(text + start, is_hex ? "0123456789abcdefABCDEF" : "01234567");
    return start + (digits < most ? digits : most);
}

static void copy_escape(struct reader *r)
{
    char c = r->p[1];
    if (c == 'Q')
        copy(r, length_through(r->p, "\\E"));
    else if (c == 'p' || c == 'P')
        copy_property(r);
    else if (c && strchr("xogkN", c) && r->p[2] == '{')
        copy(r, length_through(r->p, "}"));
    else if (c == 'v')
        replace(r, 2, "\\x0b"); /* one character, not all that is vertical space */
    else if (c == 'x' || (c >= '0' && c <= '7'))
        copy(r, length_of_code(r->p));
    else
        copy(r, 2);
}

/* -- classes ------------------------------------------------------------------------------------------------ */

/* The length of "[:alpha:]" or "[:^alpha:]", of a text that begins with "[:"; 0 if it is none. */
static size_t length_of_named_class(const char *text)
{
    const char *name = text + 2 + (text[2] == '^');
    const char *end = name + strspn(name, "abcdefghijklmnopqrstuvwxyz");
    return end[0] == ':' && end[1] == ']' ? (size_t)(end + 2 - text) : 0;
}

/* One character, an escape or not. */
static void copy_class_char(struct reader *r)
{
    if (*r->p == '\\') {
        copy_escape(r);
        return;
    }
    if (*r->p == '-' || *r->p == '[')
        insert(r, "\\");
    copy(r, 1);
}

static void copy_class_item(struct reader *r)
{
    if (r->p[0] == '[' && r->p[1] == ':') { /* what is nearly a named class is an error to both */
        size_t named = length_of_named_class(r->p);
        copy(r, named ? named : 1);
        return;
    }
    bool is_set = r->p[0] == '\\' && r->p[1] && strchr("dDwWsSpPQ", r->p[1]);
    copy_class_char(r);
    if (is_set || r->p[0] != '-' || r->p[1] == '\0' || r->p[1] == ']')
        return;
    copy(r, 1);
    copy_class_char(r);
}

static void copy_class(struct reader *r)
{
    bool looks_posix = r->p[1] == '.' || r->p[1] == '=';
    copy(r, 1);
    if (looks_posix)
        insert(r, "\\");
    if (*r->p == '^')
        copy(r, 1);
    do {
        copy_class_item(r); /* a "]" that comes first is a character */
    } while (*r->p && *r->p != ']');
    copy(r, 1);
}

/* -- repetitions -------------------------------------------------------------------------------------------- */

/* The length of a number as a repetition has it: no leading zero. */
static size_t length_of_count(const char *text)
{
    size_t len = strspn(text, "0123456789");
    return len > 1 && text[0] == '0' ? 0 : len;
}

/* The length of "{2}", "{2,}" or "{2,3}"; 0 if the brace is a mere character. */
static size_t length_of_repetition(const char *text)
{
    size_t len = text[0] == '{' ? length_of_count(text + 1) : 0;
    if (len == 0)
        return 0;
    const char *p = text + 1 + len;
    if (*p == ',' && p[1] != '}') {
        len = length_of_count(++p);
        p += len;
    } else {
        p += *p == ',';
    }
    return len > 0 && *p == '}' ? (size_t)(p + 1 - text) : 0;
}

static bool is_repeated(const char *text)
{
    return (*text && strchr("*+?", *text)) || length_of_repetition(text) > 0;
}

static void copy_quantifier(struct reader *r, size_t len)
{
    copy(r, len);
    r->syntax->depends_on_path |= *r->p == '+'; /* possessive */
}

static void copy_brace(struct reader *r)
{
    size_t len = length_of_repetition(r->p);
    if (len > 0) {
        copy_quantifier(r, len);
        return;
    }
    insert(r, "\\");
    copy(r, 1);
}

/* "^", "$", "\b" and the like. PCRE2 repeats no such thing but a group of it. */
static void copy_assertion(struct reader *r, size_t len)
{
    if (!is_repeated(r->p + len)) {
        copy(r, len);
        return;
    }
    insert(r, "(?:");
    copy(r, len);
    insert(r, ")");
}

/* -- groups ------------------------------------------------------------------------------------------------- */

/* What the flags of "(?i-s" leave of (?i). */
static bool folds_with(bool folds, const char *flags, size_t len)
{
    bool is_on = true;
    for (size_t i = 0; i < len; i++) {
        if (flags[i] == 'i')
            folds = is_on;
        else if (flags[i] == '-')
            is_on = false;
    }
    return folds;
}

/* "(", "(?P<name>", "(?<name>", "(?=", "(?!", "(?<=", "(?<!". */
static bool is_plain_group(const char *text)
{
    if (text[1] != '?')
        return text[1] != '*';
    return text[2] == '=' || text[2] == '!' || text[2] == '<' || (text[2] == 'P' && text[3] == '<');
}

/* "(?i)" holds up to the end of the group that it stands in, "(?i:" for its own. */
static void copy_group_start(struct reader *r)
{
    if (!strncmp(r->p, "(?#", 3)) {
        r->syntax->depends_on_path = true; /* it may stand before a "+" that makes something possessive */
        copy(r, length_through(r->p, ")"));
        return;
    }
    bool folds = r->folds[r->depth];
    const char *flags = r->p[1] == '?' ? r->p + 2 : "";
    size_t len = strspn(flags, "abcdefghijklmnopqrstuvwxyzU-");
    bool has_flags = flags[len] == ')' || flags[len] == ':', opens = flags[len] != ')';
    if (has_flags)
        folds = folds_with(folds, flags, len);
    bool is_plain = has_flags ? strspn(flags, "imsU-") == len : is_plain_group(r->p);
    r->syntax->depends_on_path |= !is_plain;
    copy(r, has_flags ? len + 3 : 1);
    r->depth += opens;
    r->folds[r->depth] = folds;
}

static void copy_group_end(struct reader *r)
{
    copy(r, 1);
    if (r->depth > 0)
        r->depth--;
}

static void copy_next(struct reader *r)
{
    switch (*r->p) {
    case '\\':
        if (r->p[1] && strchr("AzbB", r->p[1]))
            copy_assertion(r, 2);
        else
            copy_escape(r);
        return;
    case '^':
    case '$':
        copy_assertion(r, 1);
        return;
    case '[':
        copy_class(r);
        return;
    case '*':
    case '+':
    case '?':
        copy_quantifier(r, 1);
        return;
    case '{':
        copy_brace(r);
        return;
    case '(':
        copy_group_start(r);
        return;
    case ')':
        copy_group_end(r);
        return;
    default:
        copy(r, 1);
    }
}

void regexp_syntax_read(struct regexp_syntax *syntax, const char *go_pattern)
{
    AUTO_FREE bool *folds = xcalloc(strlen(go_pattern) + 1, sizeof(*folds));
    struct reader r = {.syntax = syntax, .start = go_pattern, .p = go_pattern, .folds = folds};
    while (*r.p)
        copy_next(&r);
    vec_grow(syntax->origins, syntax->pattern.len, r.capacity);
    syntax->origins[syntax->pattern.len] = (size_t)(r.p - r.start);
}

void regexp_syntax_release(struct regexp_syntax *syntax)
{
    strbuf_release(&syntax->pattern);
    free(syntax->origins);
}
