/*
 * What a plan says is left out: of the manifests and policies, which lasts as long as the commit, and of answers and decisions,
 * which passes. The inside of daemon/plan.c.
 */
#ifndef DAEMON_PLAN_PROBLEMS_H
#define DAEMON_PLAN_PROBLEMS_H

#include "daemon/plan.h"

/* All texts are copied. */
void plan_add_problem(struct plan *plan, const char *file, int line, const char *workload,
                      const char *message);
void plan_add_workload_problem(struct plan *plan, const struct resource *resource, int line,
                               const char *message);
void plan_copy_problems(struct plan *plan, const struct manifest_problem *problems, size_t len);
/* What blocks the workload, what looks like a slip, and what is wrong with the policy of each container. */
void plan_report_policy(struct plan *plan, const struct workload_policy *policy);

/* One line for each host that could not be asked; sets has_unreachable. */
void plan_report_answers(struct plan *plan);
/* Patterns that take too long, which only their use shows. */
void plan_report_slow_policies(struct plan *plan);
/* `secrets` may be NULL. */
void plan_report_pull_secrets(struct plan *plan, const struct pull_secrets *secrets);
/* Leaves the first lasting_len. */
void plan_forget_passing_problems(struct plan *plan);

#endif
