/*
 * A manifest_file while it is being read. The inside of model/manifest*.c; nothing else includes this.
 */
#ifndef MODEL_MANIFEST_FILE_H
#define MODEL_MANIFEST_FILE_H

#include "model/manifest.h"

/* Takes ownership of `workload` (NULL: it is about none) and `message`. `line` is from 1; 0: the file as a whole. */
void manifest_file_add_problem(struct manifest_file *file, int line, char *workload, char *message);

/* The same for a document that cannot be read. */
void manifest_file_add_broken(struct manifest_file *file, const struct yaml_document *document);

/* The same for a set; copies. `workload` may be NULL. */
void manifest_set_add_problem(struct manifest_set *set, const char *file, int line, const char *workload,
                              const char *message);

/* A resource more, zeroed; *capacity is the room of file->resources. Pointers to others of the file end here. */
struct resource *manifest_file_add_resource(struct manifest_file *file, size_t *capacity);

#endif
