/*
 * What a directory target should hold of one manifest file: where, and which bytes. Pure functions.
 */
#ifndef DEPLOY_DIRECTORY_LAYOUT_H
#define DEPLOY_DIRECTORY_LAYOUT_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "deploy/target.h"

/* The file's place below the target: `path` (in the repository) without the one configured path in front, or
 * all of it where there are none or several. free() it. NULL with ERROR_INVALID if it would lead out of the
 * target. */
char *directory_layout_place(const char *path, const char *const *configured, struct error *err) MUST_CHECK;

enum layout_verdict {
    LAYOUT_WRITE,   /* these bytes */
    LAYOUT_NOTHING, /* the file holds nothing to apply; what is in the target is left alone */
    LAYOUT_BROKEN,  /* it must not be written, see *why */
};

/*
 * The bytes to write: the file's own, without the documents of resources that are left alone. `resources` are
 * the set's resources of this file; each that is left out is reported, too. LAYOUT_BROKEN (*why to be freed)
 * if a document is broken or a resource is defined twice, or if one item of a List is to be left out: half a
 * file would be applied as if it were whole.
 */
enum layout_verdict directory_layout_bytes(const struct apply_request *request,
                                           const struct manifest_file *file,
                                           struct resource *const *resources, size_t resources_len,
                                           struct strbuf *bytes, char **why, struct apply_report *report)
    MUST_CHECK;

#endif
