/*
 * What a plan asks of registries, and what it was told. The inside of daemon/plan.c.
 */
#ifndef DAEMON_PLAN_ANSWERS_H
#define DAEMON_PLAN_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "daemon/plan.h"

/* Fills in the demands of the policies and the answers; once more if a pull secret that was refused has been replaced. With a
 * max_age_ms of the source's, what is asked as it was before keeps its answer. */
void plan_ask(struct plan *plan, struct repository *r, struct image_source *images,
              const struct plan_scope *scope);
void plan_drop_answers(struct plan *plan);

/* The index of the demand that asks about a container's image, or -1: nothing can be asked, or it is filtered out. */
ptrdiff_t plan_demand_about(const struct plan *plan, const struct container *container);
/* No answer yet, and no failure either: decided when there is one. */
bool plan_is_being_asked(const struct plan *plan, const struct container *container);
/* The registry wants other credentials. */
bool plan_answer_is_refusal(const struct scan_result *answer);
/* True if a pull secret that was refused may have changed since it was read, which the next refresh finds out. */
bool plan_has_old_secret(const struct plan *plan, struct repository *r);

/* True if the same would be asked now: without a cluster nothing but the commit says what is. */
bool plan_asks_the_same(struct plan *plan, struct repository *r);
/* Which answers differ from the plan's, index by index, and how many. */
size_t plan_compare_answers(const struct plan *plan, const struct scan_result *answers, bool *is_stale);

#endif
