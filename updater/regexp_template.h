/*
 * Templates over the groups of a regular expression, as Go's Regexp.Expand reads them: "$1.$2", "${year}${week}". "$0" is all
 * that matched, "$$" a dollar. A name without braces goes as far as it can: "$1x" is the group "1x". A group that took no part
 * in the match gives nothing.
 *
 * Unlike in Go, a group that the pattern does not have and a stray "$" are errors: there they give nothing, and every tag would
 * have the same value.
 *
 * For updater/regexp.c alone; immutable once made.
 */
#ifndef UPDATER_REGEXP_TEMPLATE_H
#define UPDATER_REGEXP_TEMPLATE_H

#include <stddef.h>
#include <stdint.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"

struct regexp_template;

/* ERROR_INVALID with the reason. */
struct regexp_template *regexp_template_new(const char *text, const pcre2_code *code, struct error *err)
    MUST_CHECK;
void regexp_template_free(struct regexp_template *template);

/* How many groups a match has to report, the whole match included. */
uint32_t regexp_template_groups(const struct regexp_template *template);

/* Appends the value. `match` is of the template's pattern, on `subject`, with room for so many groups. */
void regexp_template_expand(const struct regexp_template *template, const char *subject,
                            pcre2_match_data *match, struct strbuf *out);

#endif
