/*
 * The proof of an edit: the new text, read again, is the old tree but for the scalars meant. The inside of
 * updater/edit.c; nothing else includes this.
 */
#ifndef UPDATER_EDIT_VERIFY_H
#define UPDATER_EDIT_VERIFY_H

#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/yaml.h"
#include "updater/edit.h"

/*
 * `splices` are sorted by their place, without two of one node. Both texts must have the same documents,
 * broken ones the same bytes, and the others the same nodes: kinds, styles, anchors, tags, order, alias
 * targets, places (moved by what the splices added), and values, except that a node with a splice must read
 * as the splice says, in the quotes it brings, behind the blank it brings. A literal block
 * in which something changes is YAML itself, read from both and compared like the rest; `old` keeps what was read of it.
 * ERROR_INTERNAL with the line of the first difference.
 */
int edit_verify(struct yaml_stream *old, const char *old_text, const struct strbuf *new_text,
                const struct splice *const *splices, size_t len, struct error *err) MUST_CHECK;

#endif
