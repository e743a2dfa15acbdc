#include "daemon/plan_problems.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/plan_answers.h"

void plan_add_problem(struct plan *plan, const char *file, int line, const char *workload,
                      const char *message)
{
    vec_grow(plan->problems, plan->problems_len, plan->problems_capacity);
    plan->problems[plan->problems_len++] = (struct manifest_problem){
        .file = xstrdup(file), .line = line, .workload = xstrdup(workload), .message = xstrdup(message)};
}

void plan_add_workload_problem(struct plan *plan, const struct resource *resource, int line,
                               const char *message)
{
    AUTO_FREE char *workload = resource_id_text(&resource->id);
    plan_add_problem(plan, resource->file->path, line, workload, message);
}

void plan_copy_problems(struct plan *plan, const struct manifest_problem *problems, size_t len)
{
    for (size_t i = 0; i < len; i++)
        plan_add_problem(plan, problems[i].file, problems[i].line, problems[i].workload, problems[i].message);
}

void plan_report_policy(struct plan *plan, const struct workload_policy *policy)
{
    if (policy->blocked)
        plan_add_workload_problem(plan, policy->resource, policy->blocked_line, policy->blocked);
    if (policy->warning)
        plan_add_workload_problem(plan, policy->resource, policy->warning_line, policy->warning);
    for (size_t i = 0; i < policy->containers_len; i++) {
        const struct container_policy *each = &policy->containers[i];
        if (!each->policy)
            plan_add_workload_problem(plan, policy->resource, each->line, each->problem);
    }
}

/* The first of the decisions that needed an answer; every demand has one. */
static const struct decision *first_user(const struct plan *plan, size_t demand)
{
    for (size_t i = 0; i < plan->decisions_len; i++) {
        if (plan_demand_about(plan, plan->decisions[i].container) == (ptrdiff_t)demand)
            return &plan->decisions[i];
    }
    return NULL;
}

/* Both were asked with what one Secret gave, or both with what pawl has of its own. */
static bool has_same_secret(const struct plan *plan, size_t a, size_t b)
{
    const struct pull_credential *x = plan->demands->items[a].credential;
    const struct pull_credential *y = plan->demands->items[b].credential;
    return x && y ? !strcmp(x->grant.secret, y->grant.secret) : !x && !y;
}

/* Of one host, and asked with the same. */
static bool are_related(const struct plan *plan, size_t a, size_t b)
{
    const char *x = plan->demands->items[a].repository, *y = plan->demands->items[b].repository;
    return has_same_secret(plan, a, b) && !strncmp(x, y, strcspn(x, "/") + 1);
}

/* Whether it is the host's trouble, and not that of one repository, which is to be named: whatever keeps from talking
 * to it, and anything else that befalls all that is asked of it. */
static bool is_of_host(const struct plan *plan, size_t at)
{
    enum error_code code = plan->answers[at].error.code;
    if (code == ERROR_NETWORK || code == ERROR_TIMEOUT || code == ERROR_TLS || code == ERROR_RATE_LIMITED)
        return true;
    for (size_t i = 0; i < plan->demands->len; i++) {
        if (are_related(plan, at, i) && !plan->answers[i].error.code)
            return false;
    }
    return true;
}

/* The trouble of a host is the same while more or fewer of its repositories are found to have it, or another time to wait
 * is told; it is told again when those are twice as many, or half. That of one repository is what its words say. */
static char *topic_of(const struct plan *plan, size_t at, size_t others)
{
    const struct repository_demand *demand = &plan->demands->items[at];
    enum error_code code = plan->answers[at].error.code;
    int doublings = 0;
    if (!others && code != ERROR_RATE_LIMITED)
        return NULL;
    for (size_t n = others; n; n /= 2)
        doublings++;
    return xasprintf("%s at %.*s with %s, %d", error_code_name(code), (int)strcspn(demand->repository, "/"),
                     demand->repository, demand->credential ? demand->credential->grant.secret : "",
                     doublings);
}

/* One line for a host in trouble, however many of its repositories that concerns. */
static void report_failed_answer(struct plan *plan, size_t at)
{
    size_t others = 0;
    bool is_shared = is_of_host(plan, at);
    for (size_t i = 0; is_shared && i < plan->demands->len; i++) {
        if (i == at || plan->answers[i].error.code != plan->answers[at].error.code ||
            !are_related(plan, at, i))
            continue;
        if (i < at)
            return; /* said with the first */
        others++;
    }
    const char *repository = plan->demands->items[at].repository;
    const struct decision *user = first_user(plan, at);
    if (!user)
        return;
    AUTO_FREE char *more = others ? xasprintf("; and so with %zu more of %.*s", others,
                                              (int)strcspn(repository, "/"), repository)
                                  : xstrdup("");
    AUTO_FREE char *message = xasprintf("%s%s", plan->answers[at].error.text, more);
    plan_add_workload_problem(plan, user->resource, user->container->line, message);
    plan->problems[plan->problems_len - 1].topic = topic_of(plan, at, others);
}

void plan_report_answers(struct plan *plan)
{
    plan->has_unreachable = false;
    for (size_t i = 0; i < plan->demands->len; i++) {
        if (!plan->answers[i].error.code)
            continue;
        plan->has_unreachable = true;
        report_failed_answer(plan, i);
    }
}

/* A pattern that explodes is found out by the tags that there are, and is a defect of the manifest all the same. */
void plan_report_slow_policies(struct plan *plan)
{
    static const char blocked[] = "blocked: ";
    for (size_t i = 0; i < plan->decisions_len; i++) {
        const struct decision *decision = &plan->decisions[i];
        if (decision->cause != CAUSE_SLOW_POLICY)
            continue;
        const char *reason = decision->reason;
        reason += str_starts_with(reason, blocked) ? strlen(blocked) : 0;
        plan_add_workload_problem(plan, decision->workload->origin, decision->settings->line, reason);
    }
}

static void add_secret_problem(const struct resource *workload, const char *message, void *context)
{
    plan_add_workload_problem(context, workload, workload->line, message);
}

/* An API server that cannot be asked is said by the apply, too; here only where a registry wanted more than it got. */
static void report_unread_secrets(struct plan *plan, const struct error *failure)
{
    for (size_t i = 0; failure && i < plan->demands->len; i++) {
        const struct decision *user = plan_answer_is_refusal(&plan->answers[i]) ? first_user(plan, i) : NULL;
        if (!user || plan->demands->items[i].credential)
            continue;
        AUTO_FREE char *message = xasprintf("its pull secrets could not be read: %s", failure->text);
        plan_add_workload_problem(plan, user->resource, user->container->line, message);
        return;
    }
}

void plan_report_pull_secrets(struct plan *plan, const struct pull_secrets *secrets)
{
    pull_secrets_problems(secrets, add_secret_problem, plan);
    report_unread_secrets(plan, pull_secrets_failure(secrets));
}

void plan_forget_passing_problems(struct plan *plan)
{
    while (plan->problems_len > plan->lasting_len)
        manifest_problem_release(&plan->problems[--plan->problems_len]);
}
