/*
 * Places in a YAML text where lines can be put in or taken out: line starts and ends, the indentation of a mapping,
 * line breaks as the file has them. All places are bytes.
 */
#ifndef UPDATER_YAML_PLACE_H
#define UPDATER_YAML_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/yaml.h"

/* The bytes [start, end) of a text, and how many take their place. */
struct byte_edit {
    size_t start, end, len;
};

static inline struct byte_edit bytes_between(size_t start, size_t end)
{
    return (struct byte_edit){.start = start, .end = end};
}

/* The first byte of the line that holds the byte `at`. */
size_t place_line_start(const char *text, size_t at);
/* The line break that ends the line of `at`, or `len`. */
size_t place_line_end(const char *text, size_t len, size_t at);
/* Behind the line break at `end`; `len` at the end of the text. */
size_t place_next_line(const char *text, size_t len, size_t end);
/* The end of the line before the one that starts at `start`, without its line break; 0 if there is none. */
size_t place_previous_end(const char *text, size_t start);

/* The break that the line of `at` ends with, or if it is the last the first of the text, else "\n". */
const char *place_line_break(const char *text, size_t len, size_t at);

/* True if there is nothing but spaces, and at the start of the file its byte order mark. */
bool place_is_blank(const char *text, size_t start, size_t end);

/* True for "|" and ">". */
bool place_is_block_scalar(const struct yaml_node *node);

/* True for "|+": blank lines that come to stand behind it are part of it. */
bool place_keeps_breaks(const char *text, const struct yaml_node *node);

/* The end of a scalar's last line: of a block scalar without the line breaks and blank lines behind its text. */
size_t place_scalar_end(const char *text, const struct yaml_node *scalar);

/* True if nothing is written: no text, no quotes, no anchor, no tag. */
bool place_is_nothing(const struct yaml_node *node);

/* Where the text of an empty value goes: behind its colon, or if the rest of the line is blank behind its first blank. */
size_t place_to_fill(const char *text, size_t len, const struct yaml_node *node);

/* The last byte before `at` that is no space; NUL if there is none. Nothing where a value belongs is behind a ":", or a key
 * without one, whose end libyaml does not tell: `{key }`, `? key`. */
char place_before(const char *text, size_t at);

/* The columns before a key of a block mapping: spaces, with the "-" of sequences among them. False if there is anything
 * else: a tab, an anchor, a "?", which may be on a line before the key. */
bool place_indent(const char *text, const struct yaml_node *mapping, const struct yaml_node *key,
                  size_t *indent) MUST_CHECK;

/* The last scalar, alias or collection in {…} or […] of a block: what its last line ends with. */
const struct yaml_node *place_last(const struct yaml_node *node);

#endif
