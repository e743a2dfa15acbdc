/*
 * JSON: jansson behind limits, and writing into a strbuf.
 *
 * Reading builds jansson's tree, so that callers use json_object_get and friends directly; what is added is
 * the bound on depth (jansson recurses), refusal of duplicate keys, and errors as struct error. The size of
 * the input is bounded by whoever filled the buffer.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"

/* Releases one reference when the variable's scope ends. */
void json_release(json_t **value);
#define AUTO_JSON CLEANUP(json_release)

/* A new reference; NULL with ERROR_INVALID (text says line and column) or ERROR_TOO_LARGE (depth). */
json_t *json_read(const char *text, size_t len, struct error *err) MUST_CHECK;

/* The same where a string may have NUL in it ("\u0000") without spoiling all the rest. Whoever reads a string of the tree
 * must compare json_string_length with strlen, and what differs is not what it seems to be; everything else uses
 * json_read, which refuses it. Keys with NUL are refused here too. */
json_t *json_read_with_nul(const char *text, size_t len, struct error *err) MUST_CHECK;

/* Overwrites all strings in the value, keys apart: for what held a secret, before its last reference goes. */
void json_wipe(json_t *value);

/* The string at a key, or NULL if it is missing or no string; borrowed from `object`. */
const char *json_string_at(const json_t *object, const char *key);

/* A string for a tree that is built: bytes that are not UTF-8 become U+FFFD (jansson alone would give NULL and
 * lose the key); NULL becomes null. A new reference. */
json_t *json_text(const char *text) MUST_CHECK;

/* Writing: a string with its quotes and escapes (RFC 8259); bytes that are not UTF-8 become U+FFFD. */
void json_add_string(struct strbuf *out, const char *text);

/* Writes the whole value, compact (indent 0) or indented, keys in insertion order. */
void json_write(struct strbuf *out, const json_t *value, int indent);

#endif
