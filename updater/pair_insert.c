#include "updater/pair_insert.h"

#include <string.h>

#include "base/alloc.h"
#include "model/manifest_tree.h"

static bool is_break(char c)
{
    return c == '\n' || c == '\r';
}

/* The end of the line that `at` is in, its break not counted. */
static size_t line_end(const struct manifest_file *file, size_t at)
{
    while (at < file->len && !is_break(file->text[at]))
        at++;
    return at;
}

/* True if the rest of the line is blank or a comment. */
static bool is_rest_free(const struct manifest_file *file, size_t at)
{
    size_t end = line_end(file, at), word = at;
    while (word < end && (file->text[word] == ' ' || file->text[word] == '\t'))
        word++;
    return word == end || (file->text[word] == '#' && word > at);
}

/* The file's own, as its first line ends; "\n" if it has one line. */
static const char *line_break(const struct manifest_file *file)
{
    size_t end = line_end(file, 0);
    if (end == file->len || file->text[end] == '\n')
        return "\n";
    return end + 1 < file->len && file->text[end + 1] == '\n' ? "\r\n" : "\r";
}

/* Keys line up, so what is before the first one on its line is as wide as what goes before the new one. */
static char *indentation(const struct yaml_node *mapping)
{
    size_t width = (size_t)mapping->items[0]->column - 1;
    char *spaces = xmalloc(width + 1);
    memset(spaces, ' ', width);
    spaces[width] = '\0';
    return spaces;
}

int pair_insert(const struct manifest_file *file, const struct yaml_node *kept, const char *key,
                const char *value, struct splice *out, struct error *err)
{
    CLEANUP(yaml_release) struct yaml_stream *yaml = manifest_tree_read(file, err);
    const struct yaml_node *mapping = yaml ? yaml_find(yaml, kept->number) : NULL;
    if (!mapping)
        return -1;
    const struct yaml_node *last = mapping->len ? mapping->items[mapping->len - 1] : NULL;
    bool is_simple =
        last && (last->kind == YAML_ALIAS ||
                 (last->kind == YAML_SCALAR && last->style != YAML_LITERAL && last->style != YAML_FOLDED));
    if (!is_simple || (!mapping->flow && !is_rest_free(file, last->end)))
        return error_set(err, ERROR_UNSUPPORTED, "%s has no place here; write one by hand first", key);
    const char *quote = yaml_plain_is_typed(value) ? "\"" : "";
    size_t at = mapping->flow ? last->end : line_end(file, last->end);
    AUTO_FREE char *indent = mapping->flow ? xstrdup(" ") : indentation(mapping);
    *out = (struct splice){.start = at,
                           .end = at,
                           .text = xasprintf("%s%s%s: %s%s%s", mapping->flow ? "," : line_break(file), indent,
                                             key, quote, value, quote),
                           .node = kept,
                           .value = xstrdup(value),
                           .added_key = key};
    return 0;
}
