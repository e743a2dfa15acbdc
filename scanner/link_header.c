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
    if (*at == '"') {
        for (at++; *at && *at != '"'; at++) {
            if (*at == '\\' && at[1])
                at++;
            strbuf_addch(&value, *at);
        }
        at += *at == '"';
    } else {
        size_t value_len = strcspn(at, ";, \t");
        strbuf_add(&value, at, value_len);
        at += value_len;
    }
    if (len == 3 && !strncasecmp(name, "rel", 3) && has_word(value.buf, "next"))
        *is_next = true;
    return skip_space(at);
}

char *link_header_next(const char *field)
{
    const char *at = field ? field : "";
    for (;;) {
        at += strspn(at, " \t,");
        const char *end = *at == '<' ? strchr(at, '>') : NULL;
        if (!end)
            return NULL;
        const char *target = at + 1;
        bool is_next = false;
        at = skip_space(end + 1);
        while (*at == ';')
            at = take_parameter(at + 1, &is_next);
        if (is_next)
            return xmemdupz(target, (size_t)(end - target));
        if (*at && *at != ',')
            return NULL;
    }
}
