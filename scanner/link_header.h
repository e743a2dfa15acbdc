/*
 * The Link header (RFC 8288), of which registries use one form: the next page of a tag list (OCI distribution
 * specification, "Listing tags").
 */
#ifndef SCANNER_LINK_HEADER_H
#define SCANNER_LINK_HEADER_H

#include "base/attr.h"
#include "base/error.h"

/*
 * The target of the first link whose relation is "next", as written (relative or absolute); free() it. NULL with
 * ERROR_NONE if the field (NULL: missing) has none, and with ERROR_INVALID if it is malformed before one, as a list
 * that may go on must not be taken for a whole one.
 *
 * More is taken than RFC 8288 allows: a target without "<>", as zot before version 2 wrote it, and 'single quotes'.
 */
char *link_header_next(const char *field, struct error *err) MUST_CHECK;

#endif
