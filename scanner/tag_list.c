#include "scanner/tag_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strmap.h"
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

#define TIME_DIGITS 15 /* of milliseconds: the year 33658 */

/* Decimal text or a number; 0: it is no time. */
static int64_t time_of(const json_t *value)
{
    CLEANUP(strbuf_release) struct strbuf digits = STRBUF_INIT;
    const char *text = json_string_value(value);
    if (json_is_integer(value))
        strbuf_addf(&digits, "%lld", (long long)json_integer_value(value));
    else if (text && strlen(text) == json_string_length(value))
        strbuf_addstr(&digits, text);
    bool is_time = digits.len && digits.len <= TIME_DIGITS && strspn(digits.buf, "0123456789") == digits.len;
    return is_time ? strtoll(digits.buf, NULL, 10) : 0;
}

static void note_push(struct strmap *times, const char *tag, int64_t pushed_ms)
{
    int64_t *known = strmap_get(times, tag);
    if (!known) {
        known = xcalloc(1, sizeof(*known));
        strmap_set(times, tag, known);
    }
    if (*known < pushed_ms)
        *known = pushed_ms;
}

/* When the tags of the page were pushed, as far as it says. */
static void read_push_times(const json_t *page, struct strmap *times)
{
    json_t *manifests = json_object_get(page, "manifest"), *manifest;
    const char *digest;
    json_object_foreach(manifests, digest, manifest)
    {
        int64_t pushed_ms = time_of(json_object_get(manifest, "timeUploadedMs"));
        const json_t *tags = json_object_get(manifest, "tag"), *value;
        size_t i;
        json_array_foreach(tags, i, value)
        {
            const char *tag = pushed_ms ? tag_of(value) : NULL;
            if (tag)
                note_push(times, tag, pushed_ms);
        }
    }
}

static void add_tag(struct repository_info *info, const char *tag, const struct strmap *times)
{
    size_t index = repository_info_add(info, tag);
    const int64_t *pushed_ms = strmap_size(times) ? strmap_get(times, tag) : NULL;
    if (pushed_ms)
        repository_info_edit_details(info, index)->pushed_ms = *pushed_ms;
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
    CLEANUP(strmap_release) struct strmap times = {.free_value = free};
    if (info->has_push_times)
        read_push_times(page, &times);
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
        add_tag(info, tag, &times);
    }
    return 0;
}
