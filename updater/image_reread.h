/*
 * The proof of an image's edit that edit_apply cannot give: the new text, read again as manifests, has the image. YAML
 * that changed only where it was meant to can still mean something else; a marked tag at a place that a HelmRelease takes
 * for an image becomes one when it looks like one.
 */
#ifndef UPDATER_IMAGE_REREAD_H
#define UPDATER_IMAGE_REREAD_H

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "model/manifest.h"

/* What `text` is in the place of the file's own. manifest_file_unref it. */
struct manifest_file *image_reread(const struct manifest_file *file, const struct strbuf *text);

/*
 * Whether the container of `old` is there in `again` as well, with `image`, a reference. ERROR_UNSUPPORTED with what it
 * would be. A chart's version is not looked at: what it is a version of stands in other files (model/manifest_chart.h).
 */
int image_reads_as(const struct manifest_file *old, const struct manifest_file *again,
                   const struct resource *resource, const struct container *container, const char *image,
                   struct error *err) MUST_CHECK;

#endif
