#include "updater/pair_insert.h"

#include <string.h>

#include "base/alloc.h"
#include "model/manifest_tree.h"
#include "updater/flow_pair.h"
#include "updater/yaml_quote.h"

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

/* The pairs as text, one behind the other. */
static char *pairs_text(const struct yaml_node *mapping, const struct added_pair *pairs, size_t len,
                        const char *between)
{
    bool is_json = flow_is_json(mapping);
    const char *quotes = is_json || yaml_quotes_of(mapping) == YAML_DOUBLE_QUOTED ? "\"" : "'";
    struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < len; i++) {
        const char *quote = is_json || yaml_needs_quotes(pairs[i].value) ? quotes : "";
        strbuf_addf(&text, "%s%s%s%s: %s%s%s", i ? between : "", is_json ? quotes : "", pairs[i].key,
                    is_json ? quotes : "", quote, pairs[i].value, quote);
    }
    return strbuf_detach(&text, NULL);
}

/* Lines of their own behind the last one. A block scalar ends behind its line break, and its blank lines. */
static void append_lines(const struct manifest_file *file, const struct yaml_node *mapping,
                         const struct added_pair *pairs, size_t len, struct byte_edit *edit,
                         struct strbuf *out)
{
    const struct yaml_node *last = place_last(mapping);
    bool is_below = place_is_block_scalar(last);
    size_t at = is_below ? last->end : place_line_end(file->text, file->len, last->end);
    const char *line_break = place_line_break(file->text, file->len, is_below ? mapping->start : at);
    AUTO_FREE char *indent = indentation(mapping);
    AUTO_FREE char *between = xasprintf("%s%s", line_break, indent);
    AUTO_FREE char *text = pairs_text(mapping, pairs, len, between);
    strbuf_addf(out, "%s%s%s%s", is_below ? "" : line_break, indent, text, is_below ? line_break : "");
    *edit = bytes_between(at, at);
}

static void append_flow(const struct manifest_file *file, const struct yaml_node *mapping,
                        const struct added_pair *pairs, size_t len, struct byte_edit *edit,
                        struct strbuf *out)
{
    struct flow_layout layout = flow_layout_of(file->text, file->len, mapping);
    CLEANUP(strbuf_release) struct strbuf between = STRBUF_INIT;
    strbuf_addstr(&between, layout.is_tall ? "," : ", ");
    flow_layout_add_line(&layout, 0, &between);
    AUTO_FREE char *text = pairs_text(mapping, pairs, len, between.buf);
    flow_pair_append(file->text, file->len, mapping, text, edit, out);
}

/* What the mapping's text ends with; NULL: nothing. */
static const struct yaml_node *end_of(const struct yaml_node *mapping)
{
    if (!mapping->len)
        return NULL;
    return mapping->flow ? mapping->items[mapping->len - 1] : place_last(mapping);
}

static bool has_place(const struct manifest_file *file, const struct yaml_node *mapping)
{
    const struct yaml_node *last = end_of(mapping);
    if (!last || (place_is_nothing(last) && place_before(file->text, last->start) != ':'))
        return false;
    bool is_key_decorated =
        mapping->items[0]->tag || mapping->items[0]->anchor; /* its column is behind that */
    if (!mapping->flow && is_key_decorated)
        return false;
    if (place_is_block_scalar(last))
        return place_line_start(file->text, last->end) == last->end;
    return mapping->flow || is_rest_free(file, last->end);
}

int pair_insert(const struct manifest_file *file, const struct yaml_node *kept,
                const struct added_pair *pairs, size_t len, struct splice *out, struct error *err)
{
    CLEANUP(yaml_release) struct yaml_stream *yaml = manifest_tree_read(file, err);
    const struct yaml_node *mapping = yaml ? yaml_find(yaml, kept->number) : NULL;
    if (!mapping)
        return -1;
    if (!has_place(file, mapping))
        return error_set(err, ERROR_UNSUPPORTED, "%s has no place here; write one by hand first",
                         pairs[0].key);
    struct strbuf text = STRBUF_INIT;
    struct byte_edit edit;
    (mapping->flow ? append_flow : append_lines)(file, mapping, pairs, len, &edit, &text);
    *out = (struct splice){.start = edit.start,
                           .end = edit.end,
                           .text = strbuf_detach(&text, NULL),
                           .node = kept,
                           .value = pairs_text(mapping, pairs, len, ", "),
                           .added_len = len};
    for (size_t i = 0; i < len; i++)
        out->added[i] = (struct added_pair){pairs[i].key, xstrdup(pairs[i].value)};
    return 0;
}
