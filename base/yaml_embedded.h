/*
 * YAML in a block scalar of YAML: "values: |" and lines of YAML below it.
 *
 * A literal block holds its text line by line, each behind the same indentation, so that every place in the text is a place
 * in the file. The nodes of the text are given the places (bytes, lines, columns) that they have in the file, and can then
 * be edited there as any other. Other styles fold lines or hide characters, and are refused.
 */
#ifndef BASE_YAML_EMBEDDED_H
#define BASE_YAML_EMBEDDED_H

#include "base/attr.h"
#include "base/error.h"
#include "base/yaml.h"

struct yaml_embedding; /* of a stream, which owns it */

/*
 * The value of `scalar`, a node of `stream`, as YAML: the root of its one document, in *root (NULL: it is empty). The file's
 * `text` is that of the stream. It is read once, and kept by the stream. ERROR_UNSUPPORTED if it is no literal block, or has
 * several documents, ERROR_INVALID if it is broken; the text says the line in the file.
 */
int yaml_embed(struct yaml_stream *stream, const char *text, const struct yaml_node *scalar,
               const struct yaml_node **root, struct error *err) MUST_CHECK;

/* For yaml_close alone. */
void yaml_embeddings_free(struct yaml_embedding *embeddings);

#endif
