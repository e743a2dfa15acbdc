/*
 * The containers of one resource. The inside of model/manifest.c; nothing else includes this.
 */
#ifndef MODEL_MANIFEST_CONTAINERS_H
#define MODEL_MANIFEST_CONTAINERS_H

#include "base/yaml.h"
#include "model/manifest.h"

/*
 * Fills in the containers of a workload, in the order of the pod's "containers" and then its "initContainers".
 * `written` is the object as its place names it (maybe an alias). A container whose image cannot be read is
 * kept with its problem.
 */
void manifest_read_containers(struct resource *resource, const struct yaml_node *written);
/* The spec of the resource's pod, or NULL: it has none. */
const struct yaml_node *manifest_pod_spec(const struct resource *resource);
void manifest_release_containers(struct resource *resource);

#endif
