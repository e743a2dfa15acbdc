#include "scanner/chart_index.h"

#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "base/yaml.h"
#include "model/chart_ref.h"
#include "scanner/oci_config.h"

/* -- cutting ------------------------------------------------------------------------------------------------- */

struct lines {
    const char *text;
    size_t len;
};

static size_t end_of_line(const struct lines *lines, size_t at)
{
    const char *found = memchr(lines->text + at, '\n', lines->len - at);
    return found ? (size_t)(found - lines->text) + 1 : lines->len;
}

static size_t indent_of(const struct lines *lines, size_t at)
{
    size_t end = at;
    while (end < lines->len && lines->text[end] == ' ')
        end++;
    return end - at;
}

/* Nothing on it that counts. */
static bool is_blank(const struct lines *lines, size_t at)
{
    size_t first = at + indent_of(lines, at);
    return first >= lines->len || strchr("\r\n#", lines->text[first]);
}

static bool begins(const struct lines *lines, size_t at, const char *text)
{
    size_t len = strlen(text);
    return lines->len - at >= len && !memcmp(lines->text + at, text, len);
}

/* Behind a key's ":" nothing on the line. */
static bool is_bare(const struct lines *lines, size_t at)
{
    while (at < lines->len && lines->text[at] == ' ')
        at++;
    return at >= lines->len || strchr("\r\n#", lines->text[at]);
}

/* The first line below "entries:", or `len`. */
static size_t find_entries(const struct lines *lines)
{
    static const char key[] = "entries:";
    for (size_t at = 0; at < lines->len; at = end_of_line(lines, at)) {
        if (!begins(lines, at, key))
            continue;
        if (!is_bare(lines, at + strlen(key)))
            return lines->len;
        at = end_of_line(lines, at);
        while (at < lines->len && is_blank(lines, at))
            at = end_of_line(lines, at);
        return at;
    }
    return lines->len;
}

/* The line with the chart's key, which is as far to the right as that at `from`; `len` if there is none. */
static size_t find_chart(const struct lines *lines, size_t from, const char *chart)
{
    static const char *const quotes[] = {"", "\"", "'"};
    size_t indent = indent_of(lines, from);
    AUTO_FREE char *blanks = xcalloc(indent + 1, 1);
    memset(blanks, ' ', indent);
    for (size_t i = 0; i < ARRAY_LEN(quotes); i++) {
        AUTO_FREE char *key = xasprintf("\n%s%s%s%s:", blanks, quotes[i], chart, quotes[i]);
        const char *found = memmem(lines->text + from - 1, lines->len - from + 1, key, strlen(key));
        size_t behind = found ? (size_t)(found - lines->text) + strlen(key) : lines->len;
        if (behind < lines->len && strchr(" \r\n", lines->text[behind]))
            return (size_t)(found - lines->text) + 1;
    }
    return lines->len;
}

/* Where the lines end that belong to the key at `at`. */
static size_t end_of_chart(const struct lines *lines, size_t at)
{
    size_t indent = indent_of(lines, at);
    for (at = end_of_line(lines, at); at < lines->len; at = end_of_line(lines, at)) {
        size_t here = indent_of(lines, at);
        bool is_item = here == indent && lines->text[at + here] == '-';
        if (!is_blank(lines, at) && here <= indent && !is_item)
            break;
    }
    return at;
}

int chart_index_cut(const char *text, size_t len, const char *chart, struct chart_slice *out,
                    struct error *err)
{
    const struct lines lines = {text, len};
    size_t first = find_entries(&lines);
    *out = (struct chart_slice){text, len, true};
    if (first == len || !indent_of(&lines, first))
        return 0;
    size_t start = find_chart(&lines, first, chart);
    if (start == len)
        return error_set(err, ERROR_NOT_FOUND, "the index has no chart %.200s", chart);
    *out = (struct chart_slice){text + start, end_of_chart(&lines, start) - start, false};
    return 0;
}

/* -- reading ------------------------------------------------------------------------------------------------- */

/* As in the index, 64 digits; or as in registries. */
static void set_digest(struct repository_info *info, size_t index, const char *text)
{
    if (!text)
        return;
    AUTO_FREE char *digest = strchr(text, ':') ? xstrdup(text) : xasprintf("sha256:%s", text);
    if (image_digest_is_valid(digest))
        repository_info_set_digest(info, index, digest);
}

static void add_version(const struct yaml_node *entry, int64_t now_ms, struct repository_info *info,
                        size_t *bad)
{
    const char *version = yaml_text(yaml_get(entry, "version"));
    const char *removed = yaml_text(yaml_get(entry, "removed"));
    AUTO_FREE char *tag = version ? chart_tag_of_version(version) : NULL;
    if (removed && !strcmp(removed, "true"))
        return;
    if (!tag || !image_tag_is_valid(tag)) {
        (*bad)++;
        return;
    }
    size_t index = repository_info_add(info, tag);
    set_digest(info, index, yaml_text(yaml_get(entry, "digest")));
    struct image_details *details = repository_info_edit_details(info, index);
    details->created_ms = oci_time(yaml_text(yaml_get(entry, "created")));
    details->is_undated = !details->created_ms;
    details->checked_ms = now_ms;
}

static const struct yaml_node *versions_of(const struct chart_slice *slice, const struct yaml_stream *stream,
                                           const char *chart, struct error *err)
{
    const struct yaml_document *document = stream->len ? &stream->documents[0] : NULL;
    if (document && document->error.code != ERROR_NONE) {
        error_set(err, ERROR_INVALID, "line %d of it: %s", document->error_line, document->error.text);
        return NULL;
    }
    const struct yaml_node *root = document ? document->root : NULL;
    const struct yaml_node *entries = slice->is_whole ? yaml_get(root, "entries") : root;
    const struct yaml_node *versions = yaml_resolve(yaml_get(entries, chart));
    if (versions && versions->kind == YAML_SEQUENCE)
        return versions;
    if (!entries || yaml_resolve(entries)->kind != YAML_MAPPING)
        error_set(err, ERROR_INVALID, "it has no \"entries\": is this a Helm repository?");
    else if (!versions)
        error_set(err, ERROR_NOT_FOUND, "it has no chart %.200s", chart);
    else
        error_set(err, ERROR_INVALID, "the chart %.200s has no list of versions", chart);
    return NULL;
}

int chart_index_read(const struct chart_slice *slice, const char *chart, size_t limit, int64_t now_ms,
                     struct repository_info *info, size_t *bad, struct error *err)
{
    CLEANUP(yaml_release) struct yaml_stream *stream = yaml_read(slice->text, slice->len, err);
    const struct yaml_node *versions = stream ? versions_of(slice, stream, chart, err) : NULL;
    if (!versions)
        return error_wrap(err, "the index");
    for (size_t i = 0; i < versions->len; i++) {
        if (info->images_len >= limit) {
            info->is_truncated = true;
            break;
        }
        add_version(yaml_resolve(versions->items[i]), now_ms, info, bad);
    }
    return 0;
}
