/*
 * The images in an Argo CD Application's sources. The inside of model/manifest_containers.c; nothing else includes
 * this.
 *
 * Of each of spec.source and spec.sources:
 *
 *   helm.parameters      pairs of name and value: "image.repository" and "image.tag" (and .registry, .digest) are the
 *                        container "chart-image", "web.image.repository" and "web.image.tag" are "web"; "image" and
 *                        "web.image" alone are whole references, with "tag" and "web.tag" beside them if there are
 *   helm.valuesObject    as a HelmRelease's values (model/manifest_values.h)
 *   helm.values          the same, as YAML in a literal block (base/yaml_embedded.h)
 *   kustomize.images     "NAME:TAG", "NAME@DIGEST", "NAME=NEWNAME:TAG": the container called as NAME's last element
 *
 * helm.values in another style, or broken, is a container "helm.values" of an automated Application, with a problem that
 * says so.
 */
#ifndef MODEL_MANIFEST_APPLICATION_H
#define MODEL_MANIFEST_APPLICATION_H

#include "model/manifest_containers.h"

/* Adds the containers of an Application's spec, in the order in which its sources are written. */
void manifest_read_application(struct container_reader *reader, struct manifest_place spec);

#endif
