/*
 * Semantic versions and constraints, with the reading and the constraint language of Masterminds/semver v3.1
 * that Flux v1 used (contract section 3.3: every row there is a test).
 *
 * A version is one to three numbers with an optional lower-case "v", an optional pre-release and build
 * metadata. Numbers are 64 bits; a longer one is no version. Comparison is semver.org's: build metadata does
 * not count.
 */
#ifndef UPDATER_SEMVER_H
#define UPDATER_SEMVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/image_info.h"

struct semver {
    uint64_t major, minor, patch;
    int parts;              /* numbers that were written: 1, 2 or 3 */
    const char *prerelease; /* borrowed from the text, not NUL-terminated; NULL: none */
    size_t prerelease_len;
};

/* False if it is no version. `text` must outlive *out. Never allocates. */
bool semver_parse(const char *text, struct semver *out);
/* <0, 0, >0 */
int semver_compare(const struct semver *a, const struct semver *b);

struct semver_constraint;
/* NULL: ERROR_INVALID that names the part that is wrong. */
struct semver_constraint *semver_constraint_new(const char *text, struct error *err) MUST_CHECK;
void semver_constraint_free(struct semver_constraint *constraint);
bool semver_constraint_check(const struct semver_constraint *constraint, const struct semver *version);

#endif
