/*
 * Annotations of an object, set and removed in the bytes of its file: what is there changes in its place and in its
 * quotes, what is new comes at the end of the mapping, in the file's own indentation, style and line ends. Comments and
 * all else stay; a comment on the line of a removed annotation goes with it.
 *
 * `metadata` and `annotations` are made where they are missing or empty, and go when their last key goes. Values are
 * strings for every reader of YAML ("true" gets its quotes).
 *
 * Each change is proved (updater/annotation_verify.h): the new text, read again, is the old tree but for that pair.
 */
#ifndef UPDATER_ANNOTATION_EDIT_H
#define UPDATER_ANNOTATION_EDIT_H

#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "model/manifest.h"

struct annotation_change {
    const char *key;   /* the whole of it: "fluxcd.io/locked" */
    const char *value; /* NULL: the annotation is removed */
};

/*
 * Makes the changes, in their order, and adds the file's whole new text to `out`: the old one if all is as it should be
 * already. On -1 nothing is added, and err says line and reason:
 *
 *   ERROR_UNSUPPORTED  the place is written elsewhere or shared (anchors, aliases, merge keys), so that another object
 *                      would change too; it is no mapping, or a value that is no text; the resource is no object
 *   ERROR_INVALID      the value has a NUL or is no UTF-8
 *   ERROR_INTERNAL     the result did not verify
 */
int annotation_edit(const struct resource *resource, const struct annotation_change *changes, size_t len,
                    struct strbuf *out, struct error *err) MUST_CHECK;

#endif
