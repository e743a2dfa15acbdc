/*
 * Another image for a container, wherever it is written: as one scalar, or as parts with a scalar each (registry,
 * repository, tag, digest). Each part that differs changes, and nothing else: the form of the name stays as its
 * author wrote it.
 */
#ifndef UPDATER_IMAGE_EDIT_H
#define UPDATER_IMAGE_EDIT_H

#include "base/attr.h"
#include "base/error.h"
#include "model/manifest.h"
#include "updater/edit.h"

/*
 * Adds the splices that make the container's image read as `image`, a reference; none if it does already.
 * ERROR_INVALID if `image` is no reference; ERROR_UNSUPPORTED, with line and reason, where that cannot be written
 * (edit_set_image says when). On -1 the list is as it was.
 */
int image_edit(const struct manifest_file *file, const struct container *container, const char *image,
               struct splice_list *out, struct error *err) MUST_CHECK;

#endif
