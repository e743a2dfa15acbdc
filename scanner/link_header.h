/*
 * The Link header (RFC 8288), of which registries use one form: the next page of a tag list (OCI distribution
 * specification, "Listing tags").
 */
#ifndef SCANNER_LINK_HEADER_H
#define SCANNER_LINK_HEADER_H

/* The target of the first link whose relation is "next", as written (relative or absolute); NULL if the field
 * (NULL: missing) has none or is malformed before one. free() it. */
char *link_header_next(const char *field);

#endif
