/*
 * Semantic versions and constraints, with the reading and the constraint language of Masterminds/semver v3.1
 * that Flux v1 used; the tests hold every rule.
 *
 * A version is one to three numbers with an optional lower-case "v", an optional pre-release and build
 * metadata. Numbers are 64 bits; a longer one is no version. Comparison is semver.org's: build metadata does
 * not count.
 *
 * A constraint is comparisons joined by "," or space (and), and by "||" (or). Operators: = (or none), !=, >,
 * <, >= (=>), <= (=<), ~ (~>), ^; "1.2 - 1.4", with the spaces, is >=1.2 <=1.4; x, X and * stand for any
 * number, as a part that is left out does:
 *
 *   1, =1, 1.x, ~1    >=1.0.0 <2.0.0         >1.2     >=1.3.0
 *   ~1.2, ~1.2.3      <1.3.0                 <=1.2    <1.3.0
 *   ^1.2.3            >=1.2.3 <2.0.0         !=1.2    no 1.2.x
 *   ^0.2.3, ^0.0.3    <0.3.0, 0.0.3 alone    *, ~0.0.0   everything
 *
 * A version with a pre-release passes a comparison only if the comparison has one too, in every comparison
 * that is joined by "and" (but "!=1.2.3", in full, excludes just that version).
 *
 * Where Masterminds' reading is an accident of its regular expressions, ours is the plain one or an error:
 * "^0.0.3" does not take 0.1.3, "^*" is everything, a range may stand beside "||" without spaces, "1.2.10.4"
 * and "<*" are errors, "1.2 - 8 1.4" is a range and a version (not up to 81.4), and numbers of more than 64 bits in a
 * pre-release are numbers, not text. An empty constraint is an error, never everything.
 */
#ifndef UPDATER_SEMVER_H
#define UPDATER_SEMVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct semver {
    uint64_t major, minor, patch;
    int parts;              /* numbers that were written: 1, 2 or 3 */
    const char *prerelease; /* borrowed from the text, not NUL-terminated; NULL: none */
    size_t prerelease_len;
};

/* False if it is no version: *out is then undefined. `text` must outlive *out. Never allocates. */
bool semver_parse(const char *text, struct semver *out) MUST_CHECK;
/* <0, 0, >0. Numbers in a pre-release have any length. */
int semver_compare(const struct semver *a, const struct semver *b);

struct semver_constraint;
/* NULL: ERROR_INVALID that quotes the text from where it went wrong. The text is copied. */
struct semver_constraint *semver_constraint_new(const char *text, struct error *err) MUST_CHECK;
void semver_constraint_free(struct semver_constraint *constraint);
/* Immutable: may be called from several threads. */
bool semver_constraint_check(const struct semver_constraint *constraint, const struct semver *version);

#endif
