/*
 * The objects of a file: its YAML documents as resources, with their annotations and containers, and what is wrong with them
 * as problems. The inside of model/manifest.c.
 */
#ifndef MODEL_MANIFEST_OBJECTS_H
#define MODEL_MANIFEST_OBJECTS_H

#include <stddef.h>

#include "model/manifest.h"

/* Reads all documents, Lists item by item. Returns the room of file->resources. */
size_t manifest_read_objects(struct manifest_file *file, const char *default_space);

/* What is wrong with the images of kustomizations: said once the markers have been read, which can say more about them. */
void manifest_report_kustomizations(struct manifest_file *file);

#endif
