#include "base/yaml_embedded.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* A line of the text: where it begins there, and in the file. */
struct line {
    size_t inner, outer;
};

struct mapping {
    const char *text; /* of the file */
    const struct yaml_node *scalar;
    struct line *lines;
    size_t len, capacity;
    size_t indent;
};

static void mapping_release(struct mapping *m)
{
    free(m->lines);
}

static size_t end_of_line(const struct mapping *m, size_t at)
{
    while (at < m->scalar->end && m->text[at] != '\n' && m->text[at] != '\r')
        at++;
    return at;
}

static size_t behind_break(const struct mapping *m, size_t at)
{
    at += at + 1 < m->scalar->end && m->text[at] == '\r' && m->text[at + 1] == '\n';
    return at + (at < m->scalar->end);
}

/* Finds `len` bytes of the value in the line of the file that begins at `at`. False if they are not there. */
static bool add_line(struct mapping *m, size_t inner, size_t len, size_t at)
{
    size_t end = end_of_line(m, at), indent = end - at >= len ? end - at - len : 0;
    if (end - at < len || memcmp(m->text + at + indent, m->scalar->value + inner, len) != 0 ||
        strspn(m->text + at, " ") < indent)
        return false;
    if (len && !m->indent)
        m->indent = indent;
    vec_grow(m->lines, m->len, m->capacity);
    m->lines[m->len++] = (struct line){inner, at + indent};
    return !len || indent == m->indent;
}

static bool map_lines(struct mapping *m)
{
    size_t at = behind_break(m, end_of_line(m, m->scalar->start));
    for (size_t inner = 0; inner < m->scalar->value_len;) {
        const char *start = m->scalar->value + inner;
        const char *end = memchr(start, '\n', m->scalar->value_len - inner);
        size_t len = end ? (size_t)(end - start) : m->scalar->value_len - inner;
        if (!add_line(m, inner, len, at))
            return false;
        at = behind_break(m, end_of_line(m, at));
        inner += len + 1;
    }
    return true;
}

/* Where a place of the value is in the file. */
static uint32_t outer_place(const struct mapping *m, size_t inner)
{
    size_t low = 0, high = m->len;
    if (!high)
        return m->scalar->end; /* of an empty text */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (m->lines[middle].inner <= inner)
            low = middle;
        else
            high = middle;
    }
    size_t outer = m->lines[low].outer + inner - m->lines[low].inner;
    return (uint32_t)(outer > m->scalar->end ? m->scalar->end : outer);
}

static void move(const struct mapping *m, struct yaml_node *node)
{
    node->start = outer_place(m, node->start);
    node->end = outer_place(m, node->end);
    node->line += m->scalar->line;
    node->column += (int)m->indent;
    for (size_t i = 0; node->kind != YAML_ALIAS && i < node->len; i++)
        move(m, node->items[i]);
}

static struct yaml_stream *read_embedded(const char *text, const struct yaml_node *scalar, struct error *err)
{
    CLEANUP(mapping_release) struct mapping m = {.text = text, .scalar = scalar};
    if (scalar->kind != YAML_SCALAR || scalar->style != YAML_LITERAL || !map_lines(&m)) {
        error_set(err, ERROR_UNSUPPORTED,
                  "line %d: YAML in a string is read from a literal block alone (\"|\")", scalar->line);
        return NULL;
    }
    CLEANUP(yaml_release) struct yaml_stream *stream = yaml_read(scalar->value, scalar->value_len, err);
    if (!stream)
        return NULL;
    const struct yaml_document *document = stream->len ? &stream->documents[0] : NULL;
    if (document && document->error.code != ERROR_NONE)
        error_set(err, ERROR_INVALID, "line %d: %s", scalar->line + document->error_line,
                  document->error.text);
    else if (stream->len > 1)
        error_set(err, ERROR_UNSUPPORTED, "line %d: YAML in a string has more than one document",
                  scalar->line);
    else if (document && document->root)
        move(&m, document->root);
    return stream->len < 2 && (!document || !document->error.code) ? steal(&stream) : NULL;
}

struct yaml_embedding {
    struct yaml_embedding *next;
    const struct yaml_node *scalar;
    struct yaml_stream *stream;
};

static const struct yaml_embedding *find(const struct yaml_stream *stream, const struct yaml_node *scalar)
{
    const struct yaml_embedding *each = stream->embeddings;
    while (each && each->scalar != scalar)
        each = each->next;
    return each;
}

static const struct yaml_node *root_of(const struct yaml_embedding *embedding)
{
    return embedding->stream->len ? embedding->stream->documents[0].root : NULL;
}

int yaml_embed(struct yaml_stream *stream, const char *text, const struct yaml_node *scalar,
               const struct yaml_node **root, struct error *err)
{
    const struct yaml_embedding *known = find(stream, scalar);
    if (!known) {
        struct yaml_stream *read = read_embedded(text, scalar, err);
        if (!read)
            return -1;
        struct yaml_embedding *embedding = xcalloc(1, sizeof(*embedding));
        *embedding = (struct yaml_embedding){.next = stream->embeddings, .scalar = scalar, .stream = read};
        known = stream->embeddings = embedding;
    }
    *root = root_of(known);
    return 0;
}

void yaml_embeddings_free(struct yaml_embedding *embeddings)
{
    while (embeddings) {
        struct yaml_embedding *next = embeddings->next;
        yaml_close(embeddings->stream);
        free(embeddings);
        embeddings = next;
    }
}
