/*
 * The proof of a change to one annotation: the new text, read again, is the old tree but for that pair, and but for
 * `annotations` and `metadata` that had to be made for it or are empty without it. The inside of
 * updater/annotation_edit.c.
 */
#ifndef UPDATER_ANNOTATION_VERIFY_H
#define UPDATER_ANNOTATION_VERIFY_H

#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/yaml.h"
#include "updater/annotation_edit.h"
#include "updater/yaml_place.h"

/* `object` is the mapping of the object in the old tree. ERROR_INTERNAL with the line of the first difference. */
int annotation_verify(const struct yaml_stream *old, const char *old_text, const struct yaml_node *object,
                      const struct annotation_change *change, const struct byte_edit *edit,
                      const struct strbuf *new_text, struct error *err) MUST_CHECK;

#endif
