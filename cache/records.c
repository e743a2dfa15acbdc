/*
 * The repository record, in order:
 *
 *   name        length, bytes
 *   flags       RECORD_…
 *   scanned_ms  signed
 *   shrunken    if flagged: length of the short list, when it was first seen (signed)
 *   etag        if flagged: length, bytes, when it was given (signed)
 *   count       of tags
 *   each tag    bytes shared with the tag before, length of the rest, the rest
 *               flags: which of the following are there
 *               digest      32 bytes of a SHA-256, or length and text
 *               created_ms  signed
 *               checked_ms  signed, relative to scanned_ms
 *               problem     length, bytes
 *
 * Numbers are base-128 varints, lowest bits first, in their shortest form; signed ones are zigzagged. Tags
 * are sorted, so most share their beginning with the one before.
 */
#include "cache/records.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cache/record_key.h"

#define RECORD_TRUNCATED 1u
#define RECORD_SHRUNKEN  2u
#define RECORD_ETAG      4u
#define RECORD_FLAGS     7u

#define TAG_DIGEST_SHA256 1u
#define TAG_DIGEST_TEXT   2u
#define TAG_CREATED       4u
#define TAG_CHECKED       8u
#define TAG_PROBLEM       16u
#define TAG_FLAGS         31u
#define TAG_SIZE_MIN      4 /* two lengths, a byte of the tag, flags */

#define TEXT_MAX    255 /* of a name, a digest that is no SHA-256, a problem */
#define SHA256_SIZE 32
static const char sha256_prefix[] = "sha256:";

/* -- writing --------------------------------------------------------------------------------------------- */

static void add_number(struct strbuf *out, uint64_t number)
{
    char bytes[10];
    size_t len = 0;
    for (; number >= 128; number >>= 7)
        bytes[len++] = (char)(number | 128);
    bytes[len++] = (char)number;
    strbuf_add(out, bytes, len);
}

static void add_signed(struct strbuf *out, int64_t number)
{
    uint64_t bits = (uint64_t)number << 1;
    add_number(out, number < 0 ? ~bits : bits);
}

static void add_text(struct strbuf *out, const char *text)
{
    size_t len = strnlen(text, TEXT_MAX);
    add_number(out, len);
    strbuf_add(out, text, len);
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
    add_number(out, shared);
    add_number(out, rest);
    strbuf_add(out, tag + shared, rest);
}

static void add_details(struct strbuf *out, const struct image_details *image, int64_t scanned_ms)
{
    unsigned char sha256[SHA256_SIZE];
    bool is_sha256 = image->digest && parse_sha256(image->digest, sha256);
    bool is_text = image->digest && !is_sha256 && strnlen(image->digest, TEXT_MAX + 1) <= TEXT_MAX;
    unsigned flags = (is_sha256 ? TAG_DIGEST_SHA256 : 0) | (is_text ? TAG_DIGEST_TEXT : 0) |
                     (image->created_ms ? TAG_CREATED : 0) | (image->checked_ms ? TAG_CHECKED : 0) |
                     (image->problem ? TAG_PROBLEM : 0);
    strbuf_addch(out, (char)flags);
    if (is_sha256)
        strbuf_add(out, sha256, sizeof(sha256));
    if (is_text)
        add_text(out, image->digest);
    if (image->created_ms)
        add_signed(out, image->created_ms);
    if (image->checked_ms)
        add_signed(out, (int64_t)((uint64_t)image->checked_ms - (uint64_t)scanned_ms));
    if (image->problem)
        add_text(out, image->problem);
}

static bool is_kept(const char *tag)
{
    size_t len = strnlen(tag, LIMIT_TAG_LENGTH + 1);
    return len > 0 && len <= LIMIT_TAG_LENGTH;
}

static void add_head(struct strbuf *out, const struct repository_info *info)
{
    bool has_etag = info->etag && strnlen(info->etag, TEXT_MAX + 1) <= TEXT_MAX;
    add_text(out, info->repository);
    add_number(out, (info->is_truncated ? RECORD_TRUNCATED : 0) | (info->is_shrunken ? RECORD_SHRUNKEN : 0) |
                        (has_etag ? RECORD_ETAG : 0));
    add_signed(out, info->scanned_ms);
    if (info->is_shrunken) {
        add_number(out, info->shrunken_len);
        add_signed(out, info->shrunken_ms);
    }
    if (has_etag) {
        add_text(out, info->etag);
        add_signed(out, info->etag_ms);
    }
}

void record_encode_repository(const struct repository_info *info, struct strbuf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < info->images_len; i++)
        count += is_kept(repository_info_tag(info, i));
    add_head(out, info);
    add_number(out, count);
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

/* Once something is wrong, `is_bad` stays and everything reads as zero or empty. */
struct reader {
    const unsigned char *at, *end;
    bool is_bad;
};

static const unsigned char *take(struct reader *r, size_t len)
{
    if (r->is_bad || (size_t)(r->end - r->at) < len) {
        r->is_bad = true;
        return NULL;
    }
    const unsigned char *bytes = r->at;
    r->at += len;
    return bytes;
}

static uint64_t take_number(struct reader *r)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const unsigned char *byte = take(r, 1);
        if (!byte)
            return 0;
        uint64_t bits = *byte & 127;
        if (shift == 63 && bits > 1)
            break;
        number |= bits << shift;
        if (*byte < 128) {
            r->is_bad = shift && !bits; /* not the shortest form */
            return number;
        }
    }
    r->is_bad = true;
    return 0;
}

static int64_t take_signed(struct reader *r)
{
    uint64_t bits = take_number(r);
    return (int64_t)(bits & 1 ? ~(bits >> 1) : bits >> 1);
}

/* Copies `len` bytes, none of them NUL, and ends them with one. */
static void take_bytes(struct reader *r, size_t len, char *out)
{
    const unsigned char *bytes = take(r, len);
    if (bytes && memchr(bytes, '\0', len))
        r->is_bad = true;
    if (!bytes || r->is_bad)
        len = 0;
    else
        memcpy(out, bytes, len);
    out[len] = '\0';
}

static void take_text(struct reader *r, char out[TEXT_MAX + 1])
{
    uint64_t len = take_number(r);
    if (len > TEXT_MAX)
        r->is_bad = true;
    take_bytes(r, r->is_bad ? 0 : len, out);
}

/* Turns the tag before into this one, which must be greater. */
static void take_tag(struct reader *r, char tag[LIMIT_TAG_LENGTH + 1])
{
    char before[LIMIT_TAG_LENGTH + 1];
    memcpy(before, tag, sizeof(before));
    uint64_t shared = take_number(r), rest = take_number(r);
    if (shared > strlen(before) || rest > LIMIT_TAG_LENGTH - shared)
        r->is_bad = true;
    if (r->is_bad)
        return;
    take_bytes(r, rest, tag + shared);
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

static void take_digest(struct reader *r, unsigned flags, struct repository_info *info, size_t index)
{
    char text[TEXT_MAX + 1];
    if (flags & TAG_DIGEST_TEXT) {
        take_text(r, text);
        repository_info_set_digest(info, index, text);
    }
    if (flags & TAG_DIGEST_SHA256) {
        const unsigned char *bytes = take(r, SHA256_SIZE);
        if (bytes)
            format_sha256(bytes, text);
        repository_info_set_digest(info, index, bytes ? text : NULL);
    }
}

static void take_image(struct reader *r, struct repository_info *info, char tag[LIMIT_TAG_LENGTH + 1])
{
    char problem[TEXT_MAX + 1];
    take_tag(r, tag);
    uint64_t flags = take_number(r);
    if (flags > TAG_FLAGS || (flags & TAG_DIGEST_TEXT && flags & TAG_DIGEST_SHA256))
        r->is_bad = true;
    if (r->is_bad)
        return;
    size_t index = repository_info_add(info, tag);
    take_digest(r, (unsigned)flags, info, index);
    if (flags & TAG_CREATED)
        repository_info_edit_details(info, index)->created_ms = take_signed(r);
    if (flags & TAG_CHECKED)
        repository_info_edit_details(info, index)->checked_ms =
            (int64_t)((uint64_t)take_signed(r) + (uint64_t)info->scanned_ms);
    if (flags & TAG_PROBLEM) {
        take_text(r, problem);
        repository_info_set_problem(info, index, problem);
    }
}

/* What follows the name. */
static void take_head(struct reader *r, struct repository_info *info)
{
    char etag[TEXT_MAX + 1];
    uint64_t flags = take_number(r);
    info->is_truncated = flags & RECORD_TRUNCATED;
    info->is_shrunken = flags & RECORD_SHRUNKEN;
    info->scanned_ms = take_signed(r);
    if (info->is_shrunken) {
        info->shrunken_len = take_number(r);
        info->shrunken_ms = take_signed(r);
    }
    if (flags & RECORD_ETAG) {
        take_text(r, etag);
        repository_info_set_etag(info, etag, take_signed(r));
    }
    if (flags > RECORD_FLAGS)
        r->is_bad = true;
}

struct repository_info *record_decode_repository(const char *bytes, size_t len)
{
    struct reader r = {.at = (const unsigned char *)bytes, .end = (const unsigned char *)bytes + len};
    char name[TEXT_MAX + 1];
    char tag[LIMIT_TAG_LENGTH + 1] = "";
    take_text(&r, name);
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new(name);
    take_head(&r, info);
    uint64_t count = take_number(&r);
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

/* -- in the cache ---------------------------------------------------------------------------------------- */

struct repository_info *record_get_repository(struct cache *cache, const char *repository, const char *scope)
{
    return record_get_repository_again(cache, repository, scope, NULL);
}

struct repository_info *record_get_repository_again(struct cache *cache, const char *repository,
                                                    const char *scope, struct repository_info *known)
{
    AUTO_FREE char *key = record_key_repository(repository, scope);
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    if (!cache_get(cache, key, &bytes))
        return NULL;
    uint64_t sum = cache_checksum(bytes.buf, bytes.len);
    if (known && known->record_sum == sum && !strcmp(known->repository, repository))
        return repository_info_ref(known);
    CLEANUP(repository_info_release)
    struct repository_info *info = record_decode_repository(bytes.buf, bytes.len);
    if (!info || strcmp(info->repository, repository) != 0)
        return NULL;
    info->record_sum = sum;
    return steal(&info);
}

void record_get_names(struct cache *cache, const char *repository, struct strvec *keys)
{
    AUTO_FREE char *key = record_key_names(repository);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (cache_can_list(cache) || !cache_get(cache, key, &text))
        return;
    for (const char *at = text.buf; *at && keys->len < RECORD_NAMES_MAX;) {
        size_t len = strcspn(at, "\n");
        strvec_push_owned(keys, xmemdupz(at, len));
        at += len + (at[len] == '\n');
    }
}

/* Two pawls may do this at once, and one of the names is lost until its next scan: it is for looking only. */
static void add_name(struct cache *cache, const char *repository, const char *name)
{
    CLEANUP(strvec_release) struct strvec names = STRVEC_INIT;
    record_get_names(cache, repository, &names);
    if (cache_can_list(cache) || strvec_contains(&names, name))
        return;
    AUTO_FREE char *key = record_key_names(repository);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (size_t i = names.len == RECORD_NAMES_MAX; i < names.len; i++)
        strbuf_addf(&text, "%s\n", names.items[i]);
    strbuf_addf(&text, "%s\n", name);
    cache_put(cache, key, text.buf, text.len, RECORD_REPOSITORY_TTL_S);
}

void record_put_repository(struct cache *cache, struct repository_info *info, const char *scope)
{
    AUTO_FREE char *key = record_key_repository(info->repository, scope);
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    record_encode_repository(info, &bytes);
    info->record_sum = cache_checksum(bytes.buf, bytes.len);
    cache_put(cache, key, bytes.buf, bytes.len, RECORD_REPOSITORY_TTL_S);
    add_name(cache, info->repository, key);
}

bool record_get_created(struct cache *cache, const char *digest, const char *platform, int64_t *created_ms)
{
    AUTO_FREE char *key = record_key_created(digest, platform);
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    if (!cache_get(cache, key, &bytes))
        return false;
    struct reader r = {.at = (const unsigned char *)bytes.buf,
                       .end = (const unsigned char *)bytes.buf + bytes.len};
    int64_t number = take_signed(&r);
    if (r.is_bad || r.at != r.end)
        return false;
    *created_ms = number;
    return true;
}

void record_put_created(struct cache *cache, const char *digest, const char *platform, int64_t created_ms)
{
    AUTO_FREE char *key = record_key_created(digest, platform);
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    add_signed(&bytes, created_ms);
    cache_put(cache, key, bytes.buf, bytes.len, RECORD_CREATED_TTL_S);
}
