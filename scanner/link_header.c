#include "scanner/link_header.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/strbuf.h"

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t");
}

/* A relation is one word of a list: rel="prev next". */
static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list + strspn(list, " \t"); *at; at += strspn(at, " \t")) {
        size_t here = strcspn(at, " \t");
        if (here == len && !strncasecmp(at, word, len))
            return true;
        at += here;
    }
    return false;
}

/* One ";name=value"; where it ends. `is_next` becomes true for rel=next. */
static const char *take_parameter(const char *at, bool *is_next)
{
    CLEANUP(strbuf_release) struct strbuf value = STRBUF_INIT;
    const char *name = skip_space(at);
    size_t len = strcspn(name, "=;, \t");
    at = skip_space(name + len);
    if (*at != '=')
        return at;
    at = skip_space(at + 1);
    if (*at == '"' || *at == '\'') {
        const char quote = *at;
        for (at++; *at && *at != quote; at++) {
            if (*at == '\\' && at[1])
                at++;
            strbuf_addch(&value, *at);
        }
        at += *at == quote;
    } else {
        size_t value_len = strcspn(at, ";, \t");
        strbuf_add(&value, at, value_len);
        at += value_len;
    }
    if (len == 3 && !strncasecmp(name, "rel", 3) && has_word(value.buf, "next"))
        *is_next = true;
    return skip_space(at);
}

/* Where the target that `at` begins with ends, with or without "<>"; NULL if it has no end. */
static const char *end_of_target(const char *at)
{
    return *at == '<' ? strchr(at, '>') : at + strcspn(at, ";, \t>");
}

char *link_header_next(const char *field, struct error *err)
{
    const char *at = field ? field : "";
    while (*(at += strspn(at, " \t,"))) {
        const char *target = at + (*at == '<'), *end = end_of_target(at);
        bool is_next = false;
        if (!end)
            break;
        at = skip_space(end + (*end == '>'));
        while (*at == ';')
            at = take_parameter(at + 1, &is_next);
        if (is_next)
            return xmemdupz(target, (size_t)(end - target));
        if (*at && *at != ',')
            break;
    }
    if (*at)
        error_set(err, ERROR_INVALID, "the Link header cannot be read: %.200s", field);
    return NULL;
}
