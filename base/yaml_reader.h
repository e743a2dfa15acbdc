/*
 * One YAML document: libyaml's events into nodes. The inside of base/yaml.c, which finds where documents
 * begin and end; nothing else includes this.
 */
#ifndef BASE_YAML_READER_H
#define BASE_YAML_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/yaml.h"

struct yaml_source {
    const char *text; /* the whole file */
    bool is_ascii;    /* then characters and bytes count alike */
    struct arena *arena;
    size_t alias_nodes; /* what aliases stood for so far, in all documents of the file */
    uint32_t nodes;     /* so far, in all documents */
};

/*
 * Reads the document at [start, end) and fills in root, or error and its place. The bounds and `line` are set
 * already. What aliases stand for is limited over the whole file, the nodes of one document and its depth
 * (aliases followed) each on their own: whoever walks the tree may recurse, and follow every alias.
 */
void yaml_read_document(struct yaml_source *source, struct yaml_document *document);

/* The bytes of the line break at `at`, which libyaml takes for one: LF, CR, CRLF, NEL, LS, PS; 0 if there is
 * none. */
size_t yaml_break_length(const char *text, size_t at, size_t end);

#endif
