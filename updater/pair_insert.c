#include "updater/pair_insert.h"

#include <string.h>

#include "base/alloc.h"
#include "model/manifest_tree.h"
#include "updater/yaml_place.h"

/* True if the rest of the line is blank or a comment. */
static bool is_rest_free(const struct manifest_file *file, size_t at)
{
    size_t end = place_line_end(file->text, file->len, at), word = at;
    while (word < end && (file->text[word] == ' ' || file->text[word] == '\t'))
        word++;
    return word == end || (file->text[word] == '#' && word > at);
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
    bool is_nowhere = last && place_is_nothing(last) && place_before(file->text, last->start) != ':';
    if (!is_simple || is_nowhere || (!mapping->flow && !is_rest_free(file, last->end)))
        return error_set(err, ERROR_UNSUPPORTED, "%s has no place here; write one by hand first", key);
    const char *quote = yaml_plain_is_typed(value) ? "\"" : "";
    size_t at = mapping->flow ? last->end : place_line_end(file->text, file->len, last->end);
    const char *line_break = place_line_break(file->text, file->len, at);
    AUTO_FREE char *indent = mapping->flow ? xstrdup(" ") : indentation(mapping);
    *out = (struct splice){.start = at,
                           .end = at,
                           .text = xasprintf("%s%s%s: %s%s%s", mapping->flow ? "," : line_break, indent, key,
                                             quote, value, quote),
                           .node = kept,
                           .value = xstrdup(value),
                           .added_key = key};
    return 0;
}
