#include "scanner/tag_list.h"

#include <string.h>

#include "base/json.h"
#include "base/strbuf.h"
#include "model/image_ref.h"

bool tag_is_referrer(const char *tag)
{
    static const struct {
        const char *prefix;
        size_t digits;
    } algorithms[] = {{"sha256-", 64}, {"sha512-", 128}};
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        size_t prefix = strlen(algorithms[i].prefix);
        if (!str_starts_with(tag, algorithms[i].prefix))
            continue;
        size_t digits = strspn(tag + prefix, "0123456789abcdef");
        char after = tag[prefix + digits];
        /* a tag of 128 characters has no room for a whole sha512: what is there counts */
        return digits >= algorithms[i].digits ? after == '\0' || after == '.' : digits == 121 && !after;
    }
    return false;
}

/* NULL if it is no tag. */
static const char *tag_of(const json_t *value)
{
    const char *tag = json_string_value(value);
    return tag && strlen(tag) == json_string_length(value) && image_tag_is_valid(tag) ? tag : NULL;
}

int tag_list_read(const char *text, size_t len, size_t limit, struct repository_info *info, size_t *bad,
                  struct error *err)
{
    AUTO_JSON json_t *page = json_read_with_nul(text, len, err);
    if (!page)
        return error_wrap(err, "the tag list");
    const json_t *tags = json_object_get(page, "tags");
    if (!json_is_array(tags) && !json_is_null(tags))
        return error_set(err, ERROR_INVALID, "the tag list has no \"tags\": is this a registry?");
    size_t i;
    const json_t *value;
    json_array_foreach(tags, i, value)
    {
        const char *tag = tag_of(value);
        *bad += !tag;
        if (!tag || tag_is_referrer(tag))
            continue;
        if (info->images_len >= limit) {
            info->is_truncated = true;
            break;
        }
        repository_info_add(info, tag);
    }
    return 0;
}
