/*
 * Documents are found first, line by line, and parsed one by one: so a broken one cannot spoil the next, and
 * a large file never has more than one parser's state. What libyaml takes for a line break is one here too,
 * or the two would disagree about where a line, and so a document, begins.
 */
#include "base/yaml.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "base/yaml_embedded.h"
#include "base/yaml_reader.h"
#include "base/yaml_scalar.h"

#define NOWHERE        ((size_t)-1)
#define ARENA_PER_BYTE 10 /* what the nodes of ordinary manifests take (6 to 9): then one block is enough */

enum line_kind { LINE_BLANK, LINE_DIRECTIVE, LINE_CONTENT, LINE_START, LINE_END };

/* What has been seen since the last document ended. */
struct splitter {
    struct yaml_source source;
    size_t len;
    struct yaml_stream *stream;
    size_t start; /* of the document being gathered */
    int start_line;
    bool has_marker;   /* its "---" was seen */
    bool has_content;  /* anything but comments was seen */
    size_t directives; /* the first of the directives with nothing but comments after them; NOWHERE: none */
    int directives_line;
};

size_t yaml_break_length(const char *text, size_t at, size_t end)
{
    const unsigned char *c = (const unsigned char *)text + at;
    size_t left = end - at;
    if (!left)
        return 0;
    if (c[0] == '\r')
        return left > 1 && c[1] == '\n' ? 2 : 1;
    if (c[0] == '\n')
        return 1;
    if (c[0] == 0xc2)
        return left > 1 && c[1] == 0x85 ? 2 : 0;
    if (c[0] == 0xe2)
        return left > 2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9) ? 3 : 0;
    return 0;
}

static size_t next_line(const char *text, size_t at, size_t len)
{
    for (; at < len; at++) {
        unsigned char c = (unsigned char)text[at];
        if (c > '\r' && c < 0xc2)
            continue; /* most are none, and that is quickly seen */
        size_t length = yaml_break_length(text, at, len);
        if (length)
            return at + length;
    }
    return len;
}

static bool is_blank(const char *text, size_t at, size_t end)
{
    return at == end || text[at] == ' ' || text[at] == '\t' || yaml_break_length(text, at, end);
}

static bool is_marker(const char *text, size_t at, size_t end, const char *marker)
{
    return end - at >= 3 && memcmp(text + at, marker, 3) == 0 && is_blank(text, at + 3, end);
}

/* The two that YAML defines. Of any other, and of text that begins so, libyaml says what is wrong. */
static bool is_directive(const char *text, size_t at, size_t end)
{
    size_t len = end - at;
    return (len >= 6 && !memcmp(text + at, "%YAML ", 6)) || (len >= 5 && !memcmp(text + at, "%TAG ", 5));
}

static enum line_kind classify_line(const char *text, size_t at, size_t end)
{
    at = utf8_skip_bom(text, at, end);
    if (is_marker(text, at, end, "---"))
        return LINE_START;
    if (is_marker(text, at, end, "..."))
        return LINE_END;
    if (is_directive(text, at, end))
        return LINE_DIRECTIVE;
    while (at < end && (text[at] == ' ' || text[at] == '\t'))
        at++;
    bool is_empty = at == end || text[at] == '#' || yaml_break_length(text, at, end);
    return is_empty ? LINE_BLANK : LINE_CONTENT;
}

/* Ends the document being gathered at `end`, reads it, and begins the next there. */
static void cut(struct splitter *s, size_t end, int line)
{
    struct yaml_stream *stream = s->stream;
    if (stream->len == stream->capacity) { /* from one up: most files hold one */
        stream->capacity = stream->capacity ? stream->capacity * 2 : 1;
        stream->documents = xreallocarray(stream->documents, stream->capacity, sizeof(*stream->documents));
    }
    struct yaml_document *document = &stream->documents[stream->len++];
    *document = (struct yaml_document){
        .start = s->start, .end = end, .line = s->start_line, .error = {ERROR_NONE, ""}};
    yaml_read_document(&s->source, document);
    s->start = end;
    s->start_line = line;
    s->has_marker = s->has_content = false;
}

static void take_line(struct splitter *s, size_t at, size_t end, int line)
{
    switch (classify_line(s->source.text, at, end)) {
    case LINE_BLANK:
        return;
    case LINE_DIRECTIVE:
        if (s->directives == NOWHERE) {
            s->directives = at;
            s->directives_line = line;
        }
        return;
    case LINE_CONTENT:
        s->has_content = true;
        break;
    case LINE_START:
        if (s->has_marker || s->has_content) {
            bool has_directives = s->directives != NOWHERE;
            cut(s, has_directives ? s->directives : at, has_directives ? s->directives_line : line);
        }
        s->has_marker = true;
        break;
    case LINE_END:
        if (s->has_marker || s->has_content || s->directives != NOWHERE)
            cut(s, end, line + 1);
        s->start = end;
        s->start_line = line + 1;
        break;
    }
    s->directives = NOWHERE;
}

static int split(struct splitter *s, struct error *err)
{
    int line = 1;
    for (size_t at = 0, next; at < s->len; at = next, line++) {
        next = next_line(s->source.text, at, s->len);
        take_line(s, at, next, line);
        if (s->stream->len >= LIMIT_YAML_DOCUMENTS)
            return error_set(err, ERROR_TOO_LARGE, "more than %u YAML documents in one file",
                             LIMIT_YAML_DOCUMENTS);
    }
    if (s->has_marker || s->has_content || s->directives != NOWHERE)
        cut(s, s->len, line);
    return 0;
}

static int check_encoding(const char *text, size_t len, struct error *err)
{
    if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
        return error_set(err, ERROR_INVALID, "the file is UTF-16; save it as UTF-8");
    size_t valid = utf8_valid_length(text, len);
    if (valid < len)
        return error_set(err, ERROR_INVALID, "byte %zu of the file is not UTF-8; save it as UTF-8", valid);
    return 0;
}

struct yaml_stream *yaml_read(const char *text, size_t len, struct error *err)
{
    if (len > LIMIT_YAML_BYTES) {
        error_set(err, ERROR_TOO_LARGE, "%zu bytes of YAML; the limit is %u", len, LIMIT_YAML_BYTES);
        return NULL;
    }
    if (check_encoding(text, len, err) < 0)
        return NULL;
    CLEANUP(yaml_release) struct yaml_stream *stream = xcalloc(1, sizeof(*stream));
    arena_init(&stream->arena, len * ARENA_PER_BYTE);
    struct splitter s = {.stream = stream, .len = len, .start_line = 1, .directives = NOWHERE};
    s.source = (struct yaml_source){.text = text, .arena = &stream->arena};
    s.source.is_ascii = utf8_ascii_length(text, len) == len;
    if (split(&s, err) < 0)
        return NULL;
    return steal(&stream);
}

void yaml_close(struct yaml_stream *stream)
{
    if (!stream)
        return;
    yaml_embeddings_free(stream->embeddings);
    arena_release(&stream->arena);
    free(stream->documents);
    free(stream);
}

void yaml_release(struct yaml_stream **stream)
{
    yaml_close(*stream);
    *stream = NULL;
}

const struct yaml_node *yaml_resolve(const struct yaml_node *node)
{
    while (node && node->kind == YAML_ALIAS)
        node = node->target;
    return node;
}

static bool is_text(const struct yaml_node *node, const char *text, size_t len)
{
    node = yaml_resolve(node);
    return node->kind == YAML_SCALAR && node->value_len == len && memcmp(node->value, text, len) == 0;
}

bool yaml_is_merge(const struct yaml_node *key)
{
    key = yaml_resolve(key);
    if (key->kind != YAML_SCALAR || strcmp(key->value, "<<") != 0)
        return false;
    return key->tag ? strcmp(key->tag, "tag:yaml.org,2002:merge") == 0 : key->style == YAML_PLAIN;
}

static const struct yaml_node *get(const struct yaml_node *node, const char *key, size_t len);

/* `merged` is the value of a merge key: a mapping, or a sequence of them, of which the first that has it
 * wins. */
static const struct yaml_node *get_merged(const struct yaml_node *merged, const char *key, size_t len)
{
    merged = yaml_resolve(merged);
    if (merged->kind != YAML_SEQUENCE)
        return get(merged, key, len);
    const struct yaml_node *found = NULL;
    for (size_t i = 0; i < merged->len && !found; i++)
        found = get(merged->items[i], key, len);
    return found;
}

static const struct yaml_node *get(const struct yaml_node *node, const char *key, size_t len)
{
    node = yaml_resolve(node);
    if (!node || node->kind != YAML_MAPPING)
        return NULL;
    bool has_merge = false;
    for (size_t i = 0; i < node->len; i += 2) {
        if (is_text(node->items[i], key, len))
            return node->items[i + 1];
        has_merge = has_merge || yaml_is_merge(node->items[i]);
    }
    const struct yaml_node *found = NULL;
    for (size_t i = node->len; has_merge && i && !found; i -= 2) { /* the last one wins, as in Go */
        if (yaml_is_merge(node->items[i - 2]))
            found = get_merged(node->items[i - 1], key, len);
    }
    return found;
}

const struct yaml_node *yaml_get(const struct yaml_node *node, const char *key)
{
    return get(node, key, strlen(key));
}

static bool is_contested(const struct yaml_node *node, const char *key, size_t len)
{
    node = yaml_resolve(node);
    if (!node || node->kind != YAML_MAPPING)
        return false;
    bool is_own = false;
    for (size_t i = 0; i < node->len; i += 2) {
        const struct yaml_node *value = yaml_resolve(node->items[i + 1]);
        if (is_text(node->items[i], key, len))
            is_own = true;
        else if (yaml_is_merge(node->items[i]) &&
                 ((is_own && get_merged(value, key, len)) || is_contested(value, key, len)))
            return true;
    }
    return false;
}

bool yaml_is_contested(const struct yaml_node *node, const char *key)
{
    return is_contested(node, key, strlen(key));
}

const struct yaml_node *yaml_path(const struct yaml_node *node, ...)
{
    va_list keys;
    va_start(keys, node);
    for (const char *key; node && (key = va_arg(keys, const char *));)
        node = yaml_get(node, key);
    va_end(keys);
    return node;
}

static int each_pair(const struct yaml_node *node, bool is_merged, yaml_pair_visitor *visit, void *context);

static int each_merged_pair(const struct yaml_node *merged, yaml_pair_visitor *visit, void *context)
{
    merged = yaml_resolve(merged);
    if (merged->kind != YAML_SEQUENCE)
        return each_pair(merged, true, visit, context);
    int result = 0;
    for (size_t i = 0; i < merged->len && !result; i++)
        result = each_pair(merged->items[i], true, visit, context);
    return result;
}

static int each_pair(const struct yaml_node *node, bool is_merged, yaml_pair_visitor *visit, void *context)
{
    node = yaml_resolve(node);
    if (!node || node->kind != YAML_MAPPING)
        return 0;
    int result = 0;
    bool has_merge = false;
    for (size_t i = 0; i < node->len && !result; i += 2) {
        if (yaml_is_merge(node->items[i]))
            has_merge = true;
        else
            result = visit(node->items[i], node->items[i + 1], is_merged, context);
    }
    for (size_t i = node->len; has_merge && i && !result; i -= 2) {
        if (yaml_is_merge(node->items[i - 2]))
            result = each_merged_pair(node->items[i - 1], visit, context);
    }
    return result;
}

int yaml_each_pair(const struct yaml_node *node, yaml_pair_visitor *visit, void *context)
{
    return each_pair(node, false, visit, context);
}

/* The last of the items that begins with or before the node, or NULL. */
static const struct yaml_node *item_around(const struct yaml_node *node, uint32_t number)
{
    size_t low = 0, high = node->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (node->items[middle]->number <= number)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? node->items[low - 1] : NULL;
}

const struct yaml_node *yaml_find(const struct yaml_stream *stream, uint32_t number)
{
    const struct yaml_node *node = NULL;
    for (size_t i = 0; i < stream->len; i++) {
        const struct yaml_node *root = stream->documents[i].root;
        if (root && root->number <= number)
            node = root;
    }
    while (node && node->number != number)
        node = item_around(node, number);
    return node;
}

const char *yaml_text(const struct yaml_node *node)
{
    node = yaml_resolve(node);
    if (!node || node->kind != YAML_SCALAR || strlen(node->value) != node->value_len)
        return NULL;
    if (node->tag || node->style != YAML_PLAIN)
        return node->value;
    return yaml_scalar_resolve(node->value, node->value_len).type == YAML_NULL ? NULL : node->value;
}

bool yaml_plain_is_typed(const char *text)
{
    return yaml_scalar_resolve(text, strlen(text)).type != YAML_STRING;
}
