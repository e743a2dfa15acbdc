/*
 * The bytes that an annotation leaves with: its lines, or its part of {…}; where it was the last one, those of
 * `annotations` and `metadata`, too. The inside of updater/annotation_edit.c.
 */
#ifndef UPDATER_ANNOTATION_REMOVE_H
#define UPDATER_ANNOTATION_REMOVE_H

#include "base/attr.h"
#include "base/strbuf.h"
#include "updater/annotation_path.h"
#include "updater/yaml_place.h"

/* The bytes that go, in `edit`, and those of them that come back, added to `out`: comments of others. ERROR_UNSUPPORTED with
 * line and reason, in e->err, where something else would go, too. */
int annotation_remove(const struct annotation_path *e, struct byte_edit *edit, struct strbuf *out) MUST_CHECK;

#endif
