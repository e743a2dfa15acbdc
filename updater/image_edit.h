/*
 * Another image for a container, wherever it is written: as one scalar, or as parts with a scalar each (registry,
 * repository, tag, digest). Each part that differs changes, and nothing else: the form of the name stays as its
 * author wrote it. A tag or digest goes to the scalar that holds one; where the tag has none it is behind the name,
 * and where the digest has none it is behind the tag. A digest with a scalar of its own that the new image does not
 * have becomes empty: it would name the old content.
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
 * (edit_set_scalar says when; and an image without a tag where the tag has a scalar). On -1 the list is as it was.
 */
int image_edit(const struct manifest_file *file, const struct container *container, const char *image,
               struct splice_list *out, struct error *err) MUST_CHECK;

#endif
