/*
 * Regular expressions over tags: PCRE2 in the dress of Go's regexp, which Flux v1 used.
 *
 * Matching is unanchored, on bytes (tags are ASCII), and "$" is the very end. All that Go's syntax has and
 * that can matter for a tag means the same here. What PCRE2 has beyond it (look-around, back-references,
 * possessive quantifiers) is allowed: "(?!.*-rc)" is what people ask for. Unlike Go's, this matcher steps
 * back, and on patterns such as (a+)+$ that has no end, so every match has limits (base/limits.h). A pattern
 * that runs into them on LIMIT_REGEXP_OVERRUNS tags is given up, and from then on is over the limit at once:
 * 50,000 tags cost no more than the first few.
 *
 * A regexp may be shared between threads.
 */
#ifndef UPDATER_REGEXP_H
#define UPDATER_REGEXP_H

#include "base/attr.h"
#include "base/error.h"

struct regexp;

/* ERROR_INVALID with the reason and the offset in bytes. */
struct regexp *regexp_new(const char *pattern, struct error *err) MUST_CHECK;
void regexp_free(struct regexp *regexp);

enum regexp_result {
    REGEXP_MATCHES,
    REGEXP_DIFFERS,
    REGEXP_OVER_LIMIT, /* not known */
};
enum regexp_result regexp_match(const struct regexp *regexp, const char *text);

#endif
