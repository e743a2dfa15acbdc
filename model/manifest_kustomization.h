/*
 * kustomize's own files: a kustomization (or component) with `images:` is a resource that is not applied, each entry a
 * container. The inside of model/manifest.c; nothing else includes this.
 *
 * Its name is metadata.name, else the path of its directory with dots for slashes ("overlays.prod"), or "root". A
 * container is called by the last element of its entry's `name`; its image is put together from newName (or name),
 * newTag and digest.
 */
#ifndef MODEL_MANIFEST_KUSTOMIZATION_H
#define MODEL_MANIFEST_KUSTOMIZATION_H

#include <stdbool.h>

#include "model/manifest.h"

/* True for a document that kustomize reads as a kustomization: by its apiVersion, or without one by its file's name. */
bool manifest_is_kustomization(const char *path, const struct yaml_node *root);

/* True if the kustomization has images, and is to be a resource. */
bool manifest_kustomization_has_images(const struct yaml_node *root);

/* The name of the kustomization. free() it. */
char *manifest_kustomization_name(const char *path, const struct yaml_node *root);

/* Fills in what a kustomization's first document has below it; nothing for other files. */
void manifest_read_below(struct manifest_file *file);

/* Fills in the containers of resource->node. What is wrong with an entry is its container's problem. */
void manifest_read_kustomization(struct resource *resource);

#endif
