/*
 * Orders of tags that need no policy: how people would sort them, and whether one is a later version of the
 * same thing.
 */
#ifndef UPDATER_TAG_ORDER_H
#define UPDATER_TAG_ORDER_H

#include <stdbool.h>

#include "base/attr.h"

/*
 * Natural order: runs of digits compare as numbers (of any length), all else by byte. Tags that are equal so
 * far, such as 1.02 and 1.2, are ordered by byte. <0, 0, >0; 0 only for equal text.
 */
int tag_compare_natural(const char *a, const char *b);

/*
 * Compares two tags that are versions of the same shape: both are versions (updater/semver.h) with as many
 * numbers, and they are the same text but for the numbers in them: 1.2.3 and 1.10.0, v1.2-alpine3.9 and
 * v1.3-alpine3.18, 1.0-rc.1 and 1.0-rc.2; not v1.2 and 1.2, 1.2.3 and 1.2, 1.2.3 and 1.2.3-rc.1. Then *order
 * is <0, 0 or >0 by the first numbers that differ. False, and *order untouched, if they are not.
 */
bool tag_compare_versions(const char *a, const char *b, int *order) MUST_CHECK;

#endif
