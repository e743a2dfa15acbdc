/*
 * Another image for a container whose parts are apart: the name, the tag and the digest with a scalar each, or one
 * scalar with something before the reference (kustomize's NAME=REFERENCE). The inside of updater/image_edit.c; nothing
 * else includes this.
 */
#ifndef UPDATER_PART_EDIT_H
#define UPDATER_PART_EDIT_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/manifest.h"
#include "updater/edit.h"

/* True if the container is for this file, and not one scalar that is the whole reference. */
bool part_edit_concerns(const struct container *container);

/*
 * Adds a splice for each part that differs. A tag (or digest) that has no scalar yet is added as a pair where the
 * container says so. ERROR_UNSUPPORTED with line and reason where a part has no place; the list may then have more
 * than before, and its owner drops it.
 */
int part_edit(const struct manifest_file *file, const struct container *container, const struct image_ref *to,
              struct splice_list *out, struct error *err) MUST_CHECK;

#endif
