#include "cache/record_key.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "cache/cache.h"

#define VERSION       "pawl3|"
#define REPOSITORY    VERSION "repository|"
#define FACTS         VERSION "facts|"
#define HASHED        "sha256-"
#define KIND_MAX      16
#define SCOPE_DIGITS  8
#define PARTS_OF_NAME 4 /* of a repository's key, behind REPOSITORY */

/* The kind of an identity; what does not look like one is not shown. */
static void add_identity_kind(struct strbuf *out, const char *identity)
{
    size_t len = strspn(identity, "abcdefghijklmnopqrstuvwxyz0123456789-_");
    if (!*identity)
        strbuf_addstr(out, "anonymous");
    else if (identity[len] != ':' || !len || len > KIND_MAX)
        strbuf_addstr(out, "credentials");
    else
        strbuf_add(out, identity, len);
}

char *record_key_repository(const char *repository, const char *scope)
{
    CLEANUP(strbuf_release) struct strbuf key = STRBUF_INIT;
    char hashed[72];
    size_t platform = strcspn(scope, " ");
    cache_short_key(scope, false, hashed, sizeof(hashed));
    strbuf_addf(&key, REPOSITORY "%s|%.*s|", repository, (int)platform, scope);
    add_identity_kind(&key, scope + platform + (scope[platform] == ' '));
    strbuf_addf(&key, "|%s", hashed);
    return strbuf_detach(&key, NULL);
}

char *record_key_facts(const char *digest, const char *platform)
{
    return xasprintf(FACTS "%s|%s", digest, platform);
}

char *record_key_names(const char *repository)
{
    return xasprintf(VERSION "names|%s", repository);
}

/* Takes the text up to the next "|" or the end; NULL if there is none. */
static char *take_part(const char **at)
{
    if (!*at)
        return NULL;
    size_t len = strcspn(*at, "|");
    char *part = xmemdupz(*at, len);
    *at = (*at)[len] ? *at + len + 1 : NULL;
    return part;
}

static void parse_repository(const char *at, struct record_key *out)
{
    char *parts[PARTS_OF_NAME];
    for (size_t i = 0; i < PARTS_OF_NAME; i++)
        parts[i] = take_part(&at);
    *out = (struct record_key){RECORD_REPOSITORY, parts[0], parts[1], parts[2], parts[3]};
    if (!out->scope || at || !str_starts_with(out->scope, HASHED)) {
        record_key_release(out);
        return;
    }
    size_t digits = strlen(out->scope + strlen(HASHED));
    memmove(out->scope, out->scope + strlen(HASHED), digits + 1);
    out->scope[digits < SCOPE_DIGITS ? digits : SCOPE_DIGITS] = '\0';
}

void record_key_parse(const char *key, struct record_key *out)
{
    *out = (struct record_key){.kind = RECORD_FOREIGN};
    if (str_starts_with(key, REPOSITORY))
        parse_repository(key + strlen(REPOSITORY), out);
    else if (str_starts_with(key, FACTS))
        out->kind = RECORD_FACTS;
    else if (str_starts_with(key, VERSION) || str_starts_with(key, HASHED))
        out->kind = RECORD_OTHER;
}

void record_key_release(struct record_key *key)
{
    free(key->repository);
    free(key->platform);
    free(key->identity);
    free(key->scope);
    *key = (struct record_key){.kind = RECORD_OTHER};
}
