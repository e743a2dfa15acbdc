/*
 * Where an annotation is set, and the bytes that it takes. The inside of updater/annotation_edit.c.
 */
#ifndef UPDATER_ANNOTATION_SET_H
#define UPDATER_ANNOTATION_SET_H

#include "base/attr.h"
#include "base/strbuf.h"
#include "updater/annotation_path.h"
#include "updater/yaml_place.h"

/* The bytes that go, in `edit`, and those that come, added to `out`, so that the annotation reads as the change says.
 * ERROR_UNSUPPORTED with line and reason, in e->err, where it has no place. */
int annotation_set(const struct annotation_path *e, struct byte_edit *edit, struct strbuf *out) MUST_CHECK;

#endif
