#include "scanner/oci_platforms.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/strbuf.h"

static bool is_word(const char *text)
{
    return text && *text && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-")];
}

char *oci_platform_name(const json_t *platform)
{
    const char *os = json_string_at(platform, "os"), *arch = json_string_at(platform, "architecture");
    const char *variant = json_string_at(platform, "variant");
    bool has_variant = variant && *variant;
    if (!is_word(os) || !is_word(arch) || !strcmp(os, "unknown") || (has_variant && !is_word(variant)))
        return NULL;
    AUTO_FREE char *name =
        xasprintf("%s/%s%s%s", os, arch, has_variant ? "/" : "", has_variant ? variant : "");
    return strlen(name) <= LIMIT_PLATFORM_LENGTH ? steal(&name) : NULL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char *oci_platforms_of_index(const json_t *entries)
{
    CLEANUP(strvec_release) struct strvec names = STRVEC_INIT;
    struct strbuf text = STRBUF_INIT;
    size_t i;
    const json_t *entry;
    json_array_foreach(entries, i, entry)
    {
        AUTO_FREE char *name = oci_platform_name(json_object_get(entry, "platform"));
        if (name && names.len < LIMIT_PLATFORMS && !strvec_contains(&names, name))
            strvec_push_owned(&names, steal(&name));
    }
    if (names.len)
        qsort(names.items, names.len, sizeof(*names.items), compare_names);
    for (size_t k = 0; k < names.len; k++)
        strbuf_addf(&text, "%s%s", k ? " " : "", names.items[k]);
    return strbuf_detach(&text, NULL);
}
