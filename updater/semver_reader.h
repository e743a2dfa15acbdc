/*
 * The pieces that the version reader (semver.c) and the constraint reader (semver_constraint.c) share; for
 * these two alone. A reader moves its cursor past what it read, and says false where the text is not that;
 * the cursor is then wherever the trouble is.
 */
#ifndef UPDATER_SEMVER_READER_H
#define UPDATER_SEMVER_READER_H

#include "updater/semver.h"

/* Digits of a number of at most 64 bits; leading zeros are fine, as they are to Masterminds. */
bool semver_read_number(const char **cursor, uint64_t *out);

/* "-pre.release" and "+build.metadata", each optional; sets the pre-release of *out, borrowed from the text.
 */
bool semver_read_suffixes(const char **cursor, struct semver *out);

static inline int semver_compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Compares the first `depth` numbers (0 to 3); the pre-releases are left out. Here, as it is asked of every tag. */
static inline int semver_compare_parts(const struct semver *a, const struct semver *b, int depth)
{
    int order = depth > 0 ? semver_compare_numbers(a->major, b->major) : 0;
    if (!order && depth > 1)
        order = semver_compare_numbers(a->minor, b->minor);
    if (!order && depth > 2)
        order = semver_compare_numbers(a->patch, b->patch);
    return order;
}

/* By semver.org's section 11; none is higher than any. */
int semver_compare_prereleases(const struct semver *a, const struct semver *b);

#endif
