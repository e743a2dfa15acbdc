/*
 * What keeps a candidate from being taken, though it is the best there is: rules 4 to 6 of updater/choose.h. For choose.c.
 */
#ifndef UPDATER_HOLD_H
#define UPDATER_HOLD_H

#include "base/attr.h"
#include "model/image_info.h"
#include "updater/question.h"

/* The candidate is older than the current tag, or lower, or that cannot be told. The reason, or NULL; free() it, as the next. */
char *hold_find_step_back(const struct question *q, const struct image_info *best) MUST_CHECK;
/* What holds the workload or the container, whatever the candidate is. */
char *hold_find_other(const struct question *q) MUST_CHECK;

#endif
