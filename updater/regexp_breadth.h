/*
 * A regular expression that is tried breadth first: all ways through it at once, a character at a time, as Go's matcher goes. So
 * a pattern such as (a+)+$ has an end: the steps grow with the text and the pattern, or their square. It is ten times slower and
 * more than a match that steps back, where that does not explode; and it knows yes and no, but no groups.
 *
 * For updater/regexp.c alone. Immutable once made; may be shared between threads.
 */
#ifndef UPDATER_REGEXP_BREADTH_H
#define UPDATER_REGEXP_BREADTH_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "updater/regexp.h"

struct regexp_breadth;

/* Of a pattern that compiles with these options, and does not depend on the path (updater/regexp_syntax.h). */
struct regexp_breadth *regexp_breadth_new(const char *pcre2_pattern, uint32_t options) MUST_CHECK;
void regexp_breadth_free(struct regexp_breadth *breadth);

/* `limits` bounds what nests; LIMIT_REGEXP_BREADTH_STEPS the steps, LIMIT_REGEXP_WAYS the ways that are open at once. Over the limit is
 * also what cannot be tried like this: back-references, and patterns near PCRE2's greatest size. */
enum regexp_result regexp_breadth_match(const struct regexp_breadth *breadth, const char *text,
                                        pcre2_match_context *limits);

#endif
