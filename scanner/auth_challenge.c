#include "scanner/auth_challenge.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/strbuf.h"

/* RFC 9110 section 5.6.2; token68's further characters are only met in values, which take_value reads. */
static size_t token_length(const char *at)
{
    return strspn(at, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t");
}

static const char *skip_commas(const char *at)
{
    return at + strspn(at, " \t,");
}

/* A quoted string or a bare run up to the next comma or space; where it ends, or NULL for an open quote. */
static const char *take_value(const char *at, struct strbuf *value)
{
    if (*at != '"') {
        size_t len = strcspn(at, ", \t");
        strbuf_add(value, at, len);
        return at + len;
    }
    for (at++; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1])
            at++;
        strbuf_addch(value, *at);
    }
    return *at ? at + 1 : NULL;
}

static void keep(struct auth_challenge *c, const char *name, size_t len, struct strbuf *value)
{
    const struct {
        const char *name;
        char **at;
    } fields[] = {{"realm", &c->realm}, {"service", &c->service}, {"scope", &c->scope}, {"error", &c->error}};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (strlen(fields[i].name) == len && !strncasecmp(fields[i].name, name, len) && !*fields[i].at)
            *fields[i].at = strbuf_detach(value, NULL);
    }
}

/* name=value parameters as long as they come; the next scheme is a token that no "=" follows. */
static const char *take_parameters(const char *at, struct auth_challenge *c)
{
    for (;;) {
        const char *name = skip_commas(at);
        size_t len = token_length(name);
        const char *equals = skip_space(name + len);
        if (!len || *equals != '=')
            return name;
        CLEANUP(strbuf_release) struct strbuf value = STRBUF_INIT;
        at = take_value(skip_space(equals + 1), &value);
        if (!at)
            return NULL;
        keep(c, name, len, &value);
    }
}

static enum auth_scheme scheme_of(const char *name, size_t len)
{
    if (len == 5 && !strncasecmp(name, "Basic", len))
        return AUTH_BASIC;
    return len == 6 && !strncasecmp(name, "Bearer", len) ? AUTH_BEARER : AUTH_NONE;
}

static bool is_better(const struct auth_challenge *one, const struct auth_challenge *than)
{
    bool is_usable = one->scheme == AUTH_BASIC || (one->scheme == AUTH_BEARER && one->realm);
    return is_usable && one->scheme > than->scheme;
}

void auth_challenge_parse(const char *field, struct auth_challenge *out)
{
    *out = (struct auth_challenge)AUTH_CHALLENGE_INIT;
    const char *at = field ? skip_commas(field) : "";
    while (*at) {
        CLEANUP(auth_challenge_release) struct auth_challenge one = AUTH_CHALLENGE_INIT;
        size_t len = token_length(at);
        if (!len)
            return;
        one.scheme = scheme_of(at, len);
        const char *next = take_parameters(at + len, &one);
        if (!next)
            return;
        if (is_better(&one, out)) {
            auth_challenge_release(out);
            *out = one;
            one = (struct auth_challenge)AUTH_CHALLENGE_INIT;
        }
        at = next;
    }
}

void auth_challenge_release(struct auth_challenge *c)
{
    free(c->realm);
    free(c->service);
    free(c->scope);
    free(c->error);
    *c = (struct auth_challenge)AUTH_CHALLENGE_INIT;
}
