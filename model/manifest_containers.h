/*
 * The containers of one resource, however its kind writes them. The inside of model/manifest.c; nothing but it, and
 * the readers of single forms, includes this.
 */
#ifndef MODEL_MANIFEST_CONTAINERS_H
#define MODEL_MANIFEST_CONTAINERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/yaml.h"
#include "model/manifest.h"

/* A node as its place names it (maybe an alias), and whether an alias or a merge key was on the way there. */
struct manifest_place {
    const struct yaml_node *node; /* NULL: nothing is there */
    bool is_alias;
    bool is_contested; /* a key on the way may be taken from a merge key instead: yaml_is_contested */
};

/* What is at a key of the mapping at a place. */
struct manifest_place manifest_place_get(struct manifest_place from, const char *key);
/* The same for a node that is known to be below the place's. */
struct manifest_place manifest_place_of(struct manifest_place from, const struct yaml_node *node);

/* The containers found so far. */
struct container_reader {
    struct resource *resource;
    const char *unnamed; /* as struct workload_kind has it */
    size_t capacity;
};

/* Where a part of it is contested: that is its problem, and it has no image that could be edited. */
void container_refuse_contested(struct container *container, struct manifest_place place);

/* A container more. `name` (borrowed) may be empty: then that is its problem. */
struct container *container_add(struct container_reader *reader, const char *name, int line);

/*
 * Fills in the containers of a workload, in the order of the pod's "containers", "initContainers",
 * "ephemeralContainers" and volumes; of workflows template by template; of Helm values as manifest_values.h says.
 * `written` is the object as its place names it (maybe an alias). A container whose image cannot be read is kept with
 * its problem, and so is one that has the name of an earlier one: policies and commands find it by its name.
 */
void manifest_read_containers(struct resource *resource, const struct yaml_node *written);
/* Where pull secrets and the service account of the resource's pods are named, or NULL: nowhere. */
const struct yaml_node *manifest_pod_spec(const struct resource *resource);
void manifest_release_containers(struct resource *resource);

#endif
