/*
 * The repository record, in order:
 *
 *   name        length, bytes
 *   flags       RECORD_…
 *   scanned_ms  signed
 *   shrunken    if flagged: length of the short list, when it was first seen (signed)
 *   etag        if flagged: length, bytes, when it was given (signed)
 *   list        if flagged: 32 bytes of the SHA-256 of the list's text
 *   count       of tags
 *   each tag    bytes shared with the tag before, length of the rest, the rest
 *               flags: which of the following are there
 *               digest      32 bytes of a SHA-256, or length and text
 *               created_ms  signed
 *               checked_ms  signed, relative to scanned_ms
 *               problem, platforms, labels: each length, bytes
 *               undated     nothing: the flag says it
 *               pushed_ms   signed
 *
 * Numbers and texts are those of cache/record_bytes.h. Tags are sorted, so most share their beginning with the one
 * before.
 */
#include "cache/repository_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cache/record_bytes.h"

#define RECORD_TRUNCATED   1u
#define RECORD_SHRUNKEN    2u
#define RECORD_ETAG        4u
#define RECORD_LABEL_DATED 8u
#define RECORD_LIST_DIGEST 16u
#define RECORD_UNSIZED     32u
#define RECORD_PUSH_TIMES  64u
#define RECORD_FLAGS       127u

#define TAG_DIGEST_SHA256 1u
#define TAG_DIGEST_TEXT   2u
#define TAG_CREATED       4u
#define TAG_CHECKED       8u
#define TAG_PROBLEM       16u
#define TAG_PLATFORMS     32u
#define TAG_LABELS        64u
#define TAG_UNDATED       128u
#define TAG_PUSHED        256u
#define TAG_FLAGS         511u
#define TAG_SIZE_MIN      4 /* two lengths, a byte of the tag, flags */

#define TEXT_MAX    255 /* of a name, a digest that is no SHA-256, a problem */
#define SHA256_SIZE 32
static const char sha256_prefix[] = "sha256:";

/* -- writing --------------------------------------------------------------------------------------------- */

static void add_text(struct strbuf *out, const char *text)
{
    record_add_text(out, text, TEXT_MAX);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False unless it is "sha256:" and 64 lower-case digits. */
static bool parse_sha256(const char *digest, unsigned char bytes[SHA256_SIZE])
{
    if (!str_starts_with(digest, sha256_prefix))
        return false;
    const char *hex = digest + strlen(sha256_prefix);
    for (size_t i = 0; i < SHA256_SIZE; i++, hex += 2) {
        int high = hex_value(hex[0]);
        int low = high < 0 ? -1 : hex_value(hex[1]);
        if (low < 0)
            return false;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return !*hex;
}

static void add_tag(struct strbuf *out, const char *tag, const char *before)
{
    size_t shared = 0;
    while (before[shared] && before[shared] == tag[shared])
        shared++;
    size_t rest = strlen(tag + shared);
    record_add_number(out, shared);
    record_add_number(out, rest);
    strbuf_add(out, tag + shared, rest);
}

static void add_details(struct strbuf *out, const struct image_details *image, int64_t scanned_ms)
{
    unsigned char sha256[SHA256_SIZE];
    bool is_sha256 = image->digest && parse_sha256(image->digest, sha256);
    bool is_text = image->digest && !is_sha256 && strnlen(image->digest, TEXT_MAX + 1) <= TEXT_MAX;
    unsigned flags = (is_sha256 ? TAG_DIGEST_SHA256 : 0) | (is_text ? TAG_DIGEST_TEXT : 0) |
                     (image->created_ms ? TAG_CREATED : 0) | (image->checked_ms ? TAG_CHECKED : 0) |
                     (image->problem ? TAG_PROBLEM : 0) | (image->platforms ? TAG_PLATFORMS : 0) |
                     (image->labels ? TAG_LABELS : 0) | (image->is_undated ? TAG_UNDATED : 0) |
                     (image->pushed_ms ? TAG_PUSHED : 0);
    record_add_number(out, flags);
    if (is_sha256)
        strbuf_add(out, sha256, sizeof(sha256));
    if (is_text)
        add_text(out, image->digest);
    if (image->created_ms)
        record_add_signed(out, image->created_ms);
    if (image->checked_ms)
        record_add_signed(out, (int64_t)((uint64_t)image->checked_ms - (uint64_t)scanned_ms));
    if (image->problem)
        add_text(out, image->problem);
    if (image->platforms)
        record_add_text(out, image->platforms, LIMIT_PLATFORMS_BYTES);
    if (image->labels)
        record_add_text(out, image->labels, LIMIT_LABELS_BYTES);
    if (image->pushed_ms)
        record_add_signed(out, image->pushed_ms);
}

static bool is_kept(const char *tag)
{
    size_t len = strnlen(tag, LIMIT_TAG_LENGTH + 1);
    return len > 0 && len <= LIMIT_TAG_LENGTH;
}

static bool has_etag(const struct repository_info *info)
{
    return info->etag && strnlen(info->etag, TEXT_MAX + 1) <= TEXT_MAX;
}

static void add_head(struct strbuf *out, const struct repository_info *info)
{
    unsigned char list[SHA256_SIZE];
    bool has_list = info->list_digest && parse_sha256(info->list_digest, list);
    add_text(out, info->repository);
    record_add_number(
        out, (info->is_truncated ? RECORD_TRUNCATED : 0) | (info->is_shrunken ? RECORD_SHRUNKEN : 0) |
                 (has_etag(info) ? RECORD_ETAG : 0) | (info->is_label_dated ? RECORD_LABEL_DATED : 0) |
                 (has_list ? RECORD_LIST_DIGEST : 0) | (info->has_no_page_size ? RECORD_UNSIZED : 0) |
                 (info->has_push_times ? RECORD_PUSH_TIMES : 0));
    record_add_signed(out, info->scanned_ms);
    if (info->is_shrunken) {
        record_add_number(out, info->shrunken_len);
        record_add_signed(out, info->shrunken_ms);
    }
    if (has_etag(info)) {
        add_text(out, info->etag);
        record_add_signed(out, info->etag_ms);
    }
    if (has_list)
        strbuf_add(out, list, sizeof(list));
}

void record_encode_repository(const struct repository_info *info, struct strbuf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < info->images_len; i++)
        count += is_kept(repository_info_tag(info, i));
    add_head(out, info);
    record_add_number(out, count);
    const char *before = "";
    for (size_t i = 0; i < info->images_len; i++) {
        const char *tag = repository_info_tag(info, i);
        if (!is_kept(tag))
            continue;
        add_tag(out, tag, before);
        add_details(out, repository_info_details(info, i), info->scanned_ms);
        before = tag;
    }
}

/* -- reading --------------------------------------------------------------------------------------------- */

static void take_text(struct record_reader *r, char out[TEXT_MAX + 1])
{
    uint64_t len = record_take_number(r);
    if (len > TEXT_MAX)
        r->is_bad = true;
    record_take_bytes(r, r->is_bad ? 0 : len, out);
}

/* Turns the tag before into this one, which must be greater. */
static void take_tag(struct record_reader *r, char tag[LIMIT_TAG_LENGTH + 1])
{
    char before[LIMIT_TAG_LENGTH + 1];
    memcpy(before, tag, sizeof(before));
    uint64_t shared = record_take_number(r), rest = record_take_number(r);
    if (shared > strlen(before) || rest > LIMIT_TAG_LENGTH - shared)
        r->is_bad = true;
    if (r->is_bad)
        return;
    record_take_bytes(r, rest, tag + shared);
    if (strcmp(tag, before) <= 0)
        r->is_bad = true;
}

static void format_sha256(const unsigned char bytes[SHA256_SIZE], char *out)
{
    static const char digits[] = "0123456789abcdef";
    out = stpcpy(out, sha256_prefix);
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

/* `text` if it is there. */
static const char *take_sha256(struct record_reader *r, char text[TEXT_MAX + 1])
{
    const unsigned char *bytes = record_take(r, SHA256_SIZE);
    if (bytes)
        format_sha256(bytes, text);
    return bytes ? text : NULL;
}

static void take_digest(struct record_reader *r, unsigned flags, struct repository_info *info, size_t index)
{
    char text[TEXT_MAX + 1];
    if (flags & TAG_DIGEST_TEXT) {
        take_text(r, text);
        repository_info_set_digest(info, index, text);
    }
    if (flags & TAG_DIGEST_SHA256)
        repository_info_set_digest(info, index, take_sha256(r, text));
}

/* What may be longer than TEXT_MAX. */
static void take_long_texts(struct record_reader *r, unsigned flags, struct repository_info *info,
                            size_t index)
{
    if (flags & TAG_PLATFORMS) {
        AUTO_FREE char *platforms = record_take_text(r, LIMIT_PLATFORMS_BYTES);
        repository_info_set_platforms(info, index, platforms);
    }
    if (flags & TAG_LABELS) {
        AUTO_FREE char *labels = record_take_text(r, LIMIT_LABELS_BYTES);
        repository_info_set_labels(info, index, labels);
    }
    if (flags & TAG_UNDATED)
        repository_info_edit_details(info, index)->is_undated = true;
}

static void take_image(struct record_reader *r, struct repository_info *info, char tag[LIMIT_TAG_LENGTH + 1])
{
    char problem[TEXT_MAX + 1];
    take_tag(r, tag);
    uint64_t flags = record_take_number(r);
    if (flags > TAG_FLAGS || (flags & TAG_DIGEST_TEXT && flags & TAG_DIGEST_SHA256))
        r->is_bad = true;
    if (r->is_bad)
        return;
    size_t index = repository_info_add(info, tag);
    take_digest(r, (unsigned)flags, info, index);
    if (flags & TAG_CREATED)
        repository_info_edit_details(info, index)->created_ms = record_take_signed(r);
    if (flags & TAG_CHECKED)
        repository_info_edit_details(info, index)->checked_ms =
            (int64_t)((uint64_t)record_take_signed(r) + (uint64_t)info->scanned_ms);
    if (flags & TAG_PROBLEM) {
        take_text(r, problem);
        repository_info_set_problem(info, index, problem);
    }
    take_long_texts(r, (unsigned)flags, info, index);
    if (flags & TAG_PUSHED)
        repository_info_edit_details(info, index)->pushed_ms = record_take_signed(r);
}

/* What follows the name. */
static void take_head(struct record_reader *r, struct repository_info *info)
{
    char text[TEXT_MAX + 1];
    uint64_t flags = record_take_number(r);
    info->is_truncated = flags & RECORD_TRUNCATED;
    info->is_shrunken = flags & RECORD_SHRUNKEN;
    info->is_label_dated = flags & RECORD_LABEL_DATED;
    info->has_no_page_size = flags & RECORD_UNSIZED;
    info->has_push_times = flags & RECORD_PUSH_TIMES;
    info->scanned_ms = record_take_signed(r);
    if (info->is_shrunken) {
        info->shrunken_len = record_take_number(r);
        info->shrunken_ms = record_take_signed(r);
    }
    if (flags & RECORD_ETAG) {
        take_text(r, text);
        repository_info_set_etag(info, text, record_take_signed(r));
    }
    if (flags & RECORD_LIST_DIGEST)
        info->list_digest = xstrdup(take_sha256(r, text));
    if (flags > RECORD_FLAGS)
        r->is_bad = true;
}

struct repository_info *record_decode_repository(const char *bytes, size_t len)
{
    const unsigned char *at = (const unsigned char *)bytes;
    struct record_reader r = {.at = at, .end = at + len};
    char name[TEXT_MAX + 1];
    char tag[LIMIT_TAG_LENGTH + 1] = "";
    take_text(&r, name);
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new(name);
    take_head(&r, info);
    uint64_t count = record_take_number(&r);
    if (count > (size_t)(r.end - r.at) / TAG_SIZE_MIN)
        return NULL;
    repository_info_reserve(info, count);
    for (uint64_t i = 0; i < count && !r.is_bad; i++)
        take_image(&r, info, tag);
    if (r.is_bad || r.at != r.end)
        return NULL;
    repository_info_finish(info);
    return steal(&info);
}
