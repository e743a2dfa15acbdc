/*
 * A text as a YAML scalar that reads as that very text, and as a string, for every reader: YAML 1.1 or 1.2, in a
 * block or between braces.
 */
#ifndef UPDATER_YAML_QUOTE_H
#define UPDATER_YAML_QUOTE_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/strbuf.h"
#include "base/yaml.h"

/*
 * Adds the scalar on one line. `style` is a wish: plain becomes double-quoted where plain could be taken for something
 * else ("true", "1.10", "a: b"), single-quoted where single quotes cannot hold it (line breaks, control characters);
 * block styles become double-quoted. What is double-quoted is a string of JSON too. `in_flow`: it stands in {…} or […].
 */
void yaml_add_quoted(struct strbuf *out, const char *text, enum yaml_style style, bool in_flow);

/* Adds the scalar plain where that is safe, else in `quotes`, single or double. */
void yaml_add_scalar(struct strbuf *out, const char *text, enum yaml_style quotes, bool in_flow);

/* The quotes that the values of a mapping have, the last first; double ones where there are none. */
enum yaml_style yaml_quotes_of(const struct yaml_node *mapping);

/* True if some reader of YAML takes the plain text for something else than a string: "yes", "1.10", a date, a number too
 * large for Go ("1234e567", a commit's hash). */
bool yaml_needs_quotes(const char *text);

#endif
