/*
 * Pairs of {…}, put in and taken out as its author would: where each has a line of its own, as in JSON that a program
 * wrote, so has a new one; a comment stays with the pair that it is about.
 */
#ifndef UPDATER_FLOW_PAIR_H
#define UPDATER_FLOW_PAIR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"
#include "base/yaml.h"
#include "updater/yaml_place.h"

/* True if its author writes JSON: the first key is in double quotes. */
bool flow_is_json(const struct yaml_node *mapping);

/* How the pairs of a mapping are laid out. The bytes are the text's, which must outlive it. */
struct flow_layout {
    bool is_tall; /* a line for each; else they share one, and the rest is not set */
    const char *indent;
    size_t indent_len; /* before a pair */
    const char *step;
    size_t step_len; /* how much more there is before those of a mapping inside */
    const char *line_break;
};

/* The layout of a mapping in flow style, by its last pair; one without pairs is not tall. */
struct flow_layout flow_layout_of(const char *text, size_t len, const struct yaml_node *mapping);

/* The layout of a mapping inside that one: a line for each pair only where the outer's first pair has one, too. Where that
 * is behind the "{", those below stand under it, and what is inside of them is short. */
struct flow_layout flow_layout_inside(const char *text, size_t len, const struct yaml_node *mapping);

/* Adds what is before a pair that is `depth` mappings further in: its line break and indentation, or nothing. */
void flow_layout_add_line(const struct flow_layout *layout, size_t depth, struct strbuf *out);

/* Where `pair` goes as the last of a mapping, and what is put there, the comma included. */
void flow_pair_append(const char *text, size_t len, const struct yaml_node *mapping, const char *pair,
                      struct byte_edit *edit, struct strbuf *out);

/* What goes with the pair of that index (of its key among the items), and what stays of it: comments of others. There must
 * be another pair. */
void flow_pair_remove(const char *text, size_t len, const struct yaml_node *mapping, size_t pair,
                      struct byte_edit *edit, struct strbuf *out);

#endif
