/*
 * What a plan decides for each container, once there are answers. The inside of daemon/plan.c.
 */
#ifndef DAEMON_PLAN_DECISIONS_H
#define DAEMON_PLAN_DECISIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "daemon/plan.h"

/* What an earlier round decided on the same commit, in the same order. */
struct earlier_decisions {
    struct decision *decisions;
    size_t len, at;       /* those before `at` are taken or of no use */
    const bool *is_stale; /* by demand: the answer is another one now */
};

/* Decides for all that is in the scope and has an answer; takes what `earlier` (may be NULL) has and is not stale. Sets next_ms. */
void plan_decide(struct plan *plan, struct repository *r, const struct plan_scope *scope,
                 struct earlier_decisions *earlier);
void plan_drop_decisions(struct plan *plan);

/* Adds what the decisions need; true if any of it was not asked for yet. */
bool plan_add_needs(const struct plan *plan, struct tag_wants *wants);
/* Decisions on what is still being asked for wait until it is there. */
void plan_drop_early_decisions(struct plan *plan);

#endif
