/*
 * Regular expressions over tags: PCRE2 in the dress of Go's regexp, which Flux v1 used.
 *
 * Matching is unanchored, and "$" is the very end. Patterns and tags are UTF-8, (?i) folds case as Unicode does, and \d, \s, \w
 * and \b know ASCII alone, all as in Go; where PCRE2 reads a pattern otherwise, it is rewritten first (updater/regexp_syntax.h).
 * What PCRE2 has beyond Go (look-around, back-references, possessive quantifiers) is allowed: "(?!.*-rc)" is what people ask for.
 * \C is not, as in Go, nor is a pattern that begins with a setting of PCRE2's, "(*UTF)".
 *
 * Unlike Go's, this matcher steps back, and on patterns such as (a+)+$ that has no end, so every match has limits
 * (base/limits.h). Where it runs into them, the pattern is tried breadth first (updater/regexp_breadth.h), as Go does; that knows
 * no groups, no back-references and nothing atomic or possessive, and has limits, too. A pattern that even so left it open of
 * LIMIT_REGEXP_OVERRUNS tags whether they match is given up, and from then on is over the limit at once.
 *
 * A regexp that is used on many tags is compiled to machine code, under the same limit of steps. That takes fewer of them, so
 * that what was not known may then be; what was known stays as it was.
 *
 * A template makes a value of what the groups took (updater/regexp_template.h).
 *
 * A regexp may be shared between threads once its template is set.
 */
#ifndef UPDATER_REGEXP_H
#define UPDATER_REGEXP_H

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"

struct regexp;

/* ERROR_INVALID with the reason and the offset in bytes. */
struct regexp *regexp_new(const char *pattern, struct error *err) MUST_CHECK;
void regexp_free(struct regexp *regexp);

/* ERROR_INVALID with the reason; the template that was there before then stays. */
int regexp_set_template(struct regexp *regexp, const char *text, struct error *err) MUST_CHECK;

enum regexp_result {
    REGEXP_MATCHES,
    REGEXP_DIFFERS,
    REGEXP_OVER_LIMIT, /* not known */
};
/* `value`, if it is not NULL, is reset, and gets the template's text if the regexp matches and has a template. */
enum regexp_result regexp_match(const struct regexp *regexp, const char *text, struct strbuf *value);

#endif
