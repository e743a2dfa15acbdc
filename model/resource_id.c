#include "model/resource_id.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define WORD_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
#define NAME_CHARS WORD_CHARS ".:"

#define DNS_NAME_LENGTH 253

static bool is_made_of(const char *text, const char *characters)
{
    return *text && !text[strspn(text, characters)];
}

void resource_id_init(struct resource_id *id, const char *space, const char *kind, const char *name)
{
    *id = (struct resource_id){.space = xstrdup(space), .kind = xstrdup(kind), .name = xstrdup(name)};
    for (char *c = id->kind; *c; c++)
        *c = (char)tolower((unsigned char)*c);
}

void resource_id_release(struct resource_id *id)
{
    free(id->space);
    free(id->kind);
    free(id->name);
    *id = (struct resource_id)RESOURCE_ID_INIT;
}

bool resource_id_is_valid(const char *space, const char *kind, const char *name)
{
    bool space_fits = !strcmp(space, RESOURCE_CLUSTER_SCOPE) || is_made_of(space, WORD_CHARS);
    return space_fits && is_made_of(kind, WORD_CHARS) && is_made_of(name, NAME_CHARS);
}

int resource_id_parse(const char *text, const char *default_space, struct resource_id *out, struct error *err)
{
    AUTO_FREE char *copy = xstrdup(text);
    char *name = strchr(copy, '/');
    if (name)
        *name++ = '\0';
    char *kind = strchr(copy, ':');
    if (kind)
        *kind++ = '\0';
    const char *space = kind ? copy : default_space;
    if (!kind)
        kind = copy;
    if (!name || !resource_id_is_valid(space, kind, name))
        return error_set(err, ERROR_INVALID,
                         "\"%.300s\" does not name a resource; write namespace:kind/name or kind/name, as in "
                         "default:deployment/web",
                         text);
    resource_id_init(out, space, kind, name);
    return 0;
}

char *resource_id_text(const struct resource_id *id)
{
    return xasprintf("%s:%s/%s", id->space, id->kind, id->name);
}

bool resource_id_equal(const struct resource_id *a, const struct resource_id *b)
{
    return !strcmp(a->space, b->space) && !strcmp(a->kind, b->kind) && !strcmp(a->name, b->name);
}

/* Each label begins and ends with a letter or a digit. */
bool dns_name_is_valid(const char *name)
{
    static const char ends[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    size_t len = strlen(name);
    if (!len || len > DNS_NAME_LENGTH)
        return false;
    for (const char *label = name;; label++) {
        size_t label_len = strcspn(label, ".");
        if (!label_len || !strchr(ends, label[0]) || !strchr(ends, label[label_len - 1]) ||
            strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != label_len)
            return false;
        label += label_len;
        if (!*label)
            return true;
    }
}
