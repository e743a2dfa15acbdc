#include "updater/image_label.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"

#define OCI    "org.opencontainers.image."
#define SCHEMA "org.label-schema."

const struct image_label image_labels[] = {
    {"created", {OCI "created", SCHEMA "build-date"}},
    {"authors", {OCI "authors", NULL}},
    {"url", {OCI "url", NULL}},
    {"documentation", {OCI "documentation", NULL}},
    {"source", {OCI "source", SCHEMA "vcs-url"}},
    {"version", {OCI "version", SCHEMA "version"}},
    {"revision", {OCI "revision", SCHEMA "vcs-ref"}},
    {"vendor", {OCI "vendor", NULL}},
    {"licenses", {OCI "licenses", NULL}},
    {"ref.name", {OCI "ref.name", NULL}},
    {"title", {OCI "title", NULL}},
    {"description", {OCI "description", NULL}},
    {"base.digest", {OCI "base.digest", NULL}},
    {"base.name", {OCI "base.name", NULL}},
    {NULL, {NULL, NULL}},
};

const struct image_label *image_label_find(const char *name)
{
    for (const struct image_label *label = image_labels; label->name; label++) {
        if (!strcmp(label->name, name))
            return label;
    }
    return NULL;
}

/* -- text ---------------------------------------------------------------------------------------------------------- */

/* A well-formed character of `len` bytes. */
static uint32_t code_point(const char *bytes, size_t len)
{
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const unsigned char *s = (const unsigned char *)bytes;
    uint32_t c = s[0] & first_bits[len];
    for (size_t i = 1; i < len; i++)
        c = c << 6 | (s[i] & 0x3f);
    return c;
}

/* What ends a line, is no text, is not seen, or turns the direction of what follows. */
static bool is_unfit(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00, 0x20},   /* controls, and the blank: it is put in where text follows */
        {0x7f, 0xa0},   /* DEL, C1, no-break space */
        {0xad, 0xad},   /* soft hyphen */
        {0x61c, 0x61c}, /* directions, joiners, separators, and the like */
        {0x180e, 0x180e}, {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f},   {0x3000, 0x3000},
        {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xe0000, 0xe0fff}, /* tags, variation selectors */
    };
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    }
    return false;
}

static void add_line(const char *text, struct strbuf *out)
{
    size_t len = strlen(text), shown = 0;
    bool is_first = true, has_gap = false;
    for (size_t i = 0, step; i < len; i += step ? step : 1) {
        step = utf8_char_length(text + i, len - i);
        if (!step || is_unfit(code_point(text + i, step))) {
            has_gap = true;
            continue;
        }
        size_t more = 1 + (has_gap && !is_first);
        if (shown + more > LIMIT_SHOWN_LABEL_CHARS) {
            strbuf_addstr(out, "…");
            return;
        }
        if (more > 1)
            strbuf_addch(out, ' ');
        strbuf_add(out, text + i, step);
        shown += more;
        is_first = has_gap = false;
    }
}

/* NULL if it is not there. */
static const char *text_of(const struct image_label *label, const json_t *labels)
{
    for (size_t i = 0; labels && i < ARRAY_LEN(label->keys) && label->keys[i]; i++) {
        const char *text = json_string_at(labels, label->keys[i]);
        if (text && *text)
            return text;
    }
    return NULL;
}

void image_label_add(const struct image_label *label, const json_t *labels, struct strbuf *out)
{
    const char *text = text_of(label, labels);
    if (!text)
        return;
    CLEANUP(strbuf_release) struct strbuf masked = STRBUF_INIT;
    log_add_masked(&masked, text);
    add_line(masked.buf, out);
}

/* -- the link ------------------------------------------------------------------------------------------------------ */

#define HEX_DIGITS   "0123456789abcdefABCDEF"
#define ALPHANUMERIC "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Where the pages of commits are, by what the host's name has in it; elsewhere "/commit/". */
static const struct {
    const char *host, *path;
} commit_pages[] = {{"gitlab", "/-/commit/"}, {"bitbucket", "/commits/"}};

static bool is_commit(const char *revision)
{
    size_t len = strlen(revision);
    return len >= 7 && len <= 64 && strspn(revision, HEX_DIGITS) == len;
}

static const char *commit_path(const char *host, size_t host_len)
{
    for (size_t i = 0; i < ARRAY_LEN(commit_pages); i++) {
        if (memmem(host, host_len, commit_pages[i].host, strlen(commit_pages[i].host)))
            return commit_pages[i].path;
    }
    return "/commit/";
}

/* A source, taken apart; all of it points into its text. */
struct source {
    const char *scheme; /* of the page */
    const char *host;   /* with its port, for http alone */
    size_t host_len;
    const char *path;
    size_t path_len;
};

/* After the user and the password, if there are any before the end of the host. */
static const char *skip_user(const char *text)
{
    size_t len = strcspn(text, "/?#");
    const char *at = memrchr(text, '@', len);
    return at ? at + 1 : text;
}

/* What is in front of the path; false for what is no address of a repository. */
static bool take_host(const char *text, struct source *source)
{
    static const struct {
        const char *prefix, *scheme;
    } schemes[] = {{"https://", "https"}, {"http://", "http"}, {"ssh://", "https"}, {"git://", "https"}};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (!str_starts_with(text, schemes[i].prefix))
            continue;
        source->scheme = schemes[i].scheme;
        source->host = skip_user(text + strlen(schemes[i].prefix));
        size_t len = strcspn(source->host, "/?#");
        bool is_web = str_starts_with(schemes[i].prefix, "http");
        source->path = source->host + len;
        source->host_len = is_web ? len : strcspn(source->host, ":/?#");
        return true;
    }
    const char *colon = strchr(text, ':');
    source->scheme = "https";
    source->host = skip_user(text);
    source->path = colon ? colon + 1 : NULL;
    if (!colon || source->host == text || source->host > colon || colon[1] == '/')
        return false;
    source->host_len = (size_t)(colon - source->host);
    return true;
}

static void cut_path(struct source *source)
{
    static const char *const into_tree[] = {"/-/", "/tree/", "/blob/", "/commit/"};
    while (*source->path == '/')
        source->path++;
    const char *path = source->path;
    source->path_len = strcspn(path, "?#");
    for (size_t i = 0; i < ARRAY_LEN(into_tree); i++) {
        const char *at = memmem(path, source->path_len, into_tree[i], strlen(into_tree[i]));
        if (at)
            source->path_len = (size_t)(at - path);
    }
    while (source->path_len && path[source->path_len - 1] == '/')
        source->path_len--;
    static const char suffix[] = ".git";
    size_t len = strlen(suffix);
    if (source->path_len > len && !memcmp(path + source->path_len - len, suffix, len))
        source->path_len -= len;
}

static bool is_plain(const struct source *source)
{
    return source->host_len && source->path_len &&
           strspn(source->host, ALPHANUMERIC ".-:[]") >= source->host_len &&
           strspn(source->path, ALPHANUMERIC "._~/+-") >= source->path_len;
}

void image_label_add_commit_link(const json_t *labels, struct strbuf *out)
{
    const char *text = text_of(image_label_find("source"), labels);
    const char *revision = text_of(image_label_find("revision"), labels);
    struct source source;
    if (!text || !revision || !is_commit(revision) || !take_host(text, &source))
        return;
    cut_path(&source);
    if (is_plain(&source))
        strbuf_addf(out, "%s://%.*s/%.*s%s%s", source.scheme, (int)source.host_len, source.host,
                    (int)source.path_len, source.path, commit_path(source.host, source.host_len), revision);
}
