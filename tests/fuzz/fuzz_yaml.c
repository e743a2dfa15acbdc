/* Any bytes: reading ends, spans are inside the file and in order, and what reads also converts or is
 * refused. */
#include <stdint.h>

#include "base/alloc.h"
#include "base/yaml.h"

static void check_node(const struct yaml_node *node, const struct yaml_document *document, const char *text)
{
    if (node->start > node->end || node->start < document->start || node->end > document->end)
        abort();
    if (node->line < document->line || node->column < 1)
        abort();
    size_t raw = node->end - node->start;
    if (node->kind == YAML_SCALAR && node->style == YAML_SINGLE_QUOTED &&
        (raw < 2 || text[node->start] != '\''))
        abort();
    if (node->kind == YAML_SCALAR && node->style == YAML_DOUBLE_QUOTED &&
        (raw < 2 || text[node->start] != '"' || text[node->end - 1] != '"'))
        abort();
    if (node->kind == YAML_SCALAR && node->style == YAML_PLAIN && raw &&
        strncmp(text + node->start, node->value, 1) != 0)
        abort();
    for (size_t i = 0; i < node->len; i++) {
        if (node->items[i]->start < node->start || node->items[i]->end > node->end)
            abort();
        check_node(node->items[i], document, text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    AUTO_FREE char *text = xmemdupz(data, size);
    CLEANUP(yaml_release) struct yaml_stream *stream = yaml_read(text, size, &err);
    for (size_t i = 0; stream && i < stream->len; i++) {
        const struct yaml_document *document = &stream->documents[i];
        if (document->start > document->end || document->end > size ||
            (i && document->start < stream->documents[i - 1].end))
            abort();
        if ((document->error.code != ERROR_NONE) && document->root)
            abort();
        if (!document->root)
            continue;
        check_node(document->root, document, text);
        AUTO_JSON json_t *json = yaml_to_json(document->root, &err);
        if (!json && err.code == ERROR_NONE)
            abort();
    }
    return 0;
}
