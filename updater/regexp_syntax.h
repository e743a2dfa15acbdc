/*
 * Go's regular expressions in the words of PCRE2. The two languages are one for nearly every pattern; where they are not, the
 * pattern is rewritten so that PCRE2, whatever its version, reads what Go does:
 *
 *   [\w-.]         a hyphen that makes no range is a hyphen        [\w\-.]
 *   [.a.], [=a=]   brackets, dots and equals signs are characters  [\.a.]
 *   a{,2}, a{2,x}  a brace that starts no repetition is a brace    a\{,2}
 *   ^*, \b?        what takes no room may be repeated              (?:^)*
 *   (?i)\p{Lu}     case is folded in properties too                (?i)\p{L&}
 *
 * [:alpha:] stays, and PCRE2 refuses it: to Go that is the set of ":", "a", "l", "p" and "h", which nobody means.
 *
 * What Go does not have is left to PCRE2. For updater/regexp.c alone.
 */
#ifndef UPDATER_REGEXP_SYNTAX_H
#define UPDATER_REGEXP_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

struct regexp_syntax {
    struct strbuf pattern;     /* PCRE2's */
    size_t *origins;           /* per byte of it, and for its end: where that comes from in Go's pattern */
    bool has_negated_property; /* \P{L}, \p{^L} */
    bool
        depends_on_path; /* has what Go has not, look-around apart: whether it matches may depend on how it is tried */
};
#define REGEXP_SYNTAX_INIT                                                                                   \
    {                                                                                                        \
        .pattern = STRBUF_INIT                                                                               \
    }

/* Never fails: what makes no sense is passed on, and PCRE2 says so. */
void regexp_syntax_read(struct regexp_syntax *syntax, const char *go_pattern);
void regexp_syntax_release(struct regexp_syntax *syntax);

#endif
