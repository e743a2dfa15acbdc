/*
 * The images in a HelmRelease's values. The inside of model/manifest_containers.c; nothing else includes this.
 *
 * Flux v1's rules: values themselves, if they have an image, are the container "chart-image"; each of their direct
 * children that is a mapping with an image is a container of the child's name. An image is written as
 *
 *     image: NAME[:TAG]                                  image: {repository: NAME[:TAG]}
 *     image: NAME, tag: TAG                              image: {repository: NAME, tag: TAG}
 *     registry: HOST, image: NAME[:TAG]                  image: {registry: HOST, repository: NAME[:TAG]}
 *     registry: HOST, image: NAME, tag: TAG              image: {registry: HOST, repository: NAME, tag: TAG}
 *
 * and the annotations repository.fluxcd.io/ALIAS, registry.fluxcd.io/ALIAS and tag.fluxcd.io/ALIAS name the same parts
 * by paths with dots below the values: a container ALIAS, in place of one found by itself.
 *
 * Where Flux lost an image, this reads what is written: a number is a tag ("1.10" as it stands in the file: Flux took
 * the image for untagged and wrote the tag into the repository), a tag that is empty or null is none and is filled in
 * where it is, and an empty registry is none. Beside the tag a "digest" is read, as many charts have it.
 *
 * What is no image by these rules is some chart's own setting and is passed over, and so is `image: TEXT` alone where
 * the text is no reference. With a part beside it, or with an annotation, that is a problem of the container.
 */
#ifndef MODEL_MANIFEST_VALUES_H
#define MODEL_MANIFEST_VALUES_H

#include "model/manifest_containers.h"

/* Adds the containers: "chart-image" first, then in the order of their names' bytes. */
void manifest_read_values(struct container_reader *reader, struct manifest_place values);

#endif
