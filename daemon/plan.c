#include "daemon/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/plan_answers.h"
#include "daemon/plan_decisions.h"
#include "daemon/plan_problems.h"
#include "updater/kustomize_policies.h"

static void add_kustomize_policies(struct plan *plan)
{
    CLEANUP(kustomize_links_release) struct kustomize_links links;
    kustomize_links_find(plan->manifests, &links);
    if (links.is_cut)
        plan_add_problem(
            plan, "", 0, NULL,
            "the kustomizations lead to too much; none of their entries takes a workload's policy");
    size_t len = 0;
    AUTO_FREE struct workload_policy **more =
        kustomize_policies_from(&links, plan->policies, plan->policies_len, &len);
    if (!len)
        return;
    plan->policies =
        xreallocarray(plan->policies, plan->policies_len + len, sizeof(struct workload_policy *));
    for (size_t i = 0; i < len; i++)
        plan->policies[plan->policies_len++] = more[i];
}

/* The first `own_len` are the workloads' own, which kustomizations have completed. What the others say is said there. */
static void report_policies(struct plan *plan, size_t own_len)
{
    for (size_t i = 0; i < plan->policies_len; i++) {
        const struct workload_policy *policy = plan->policies[i];
        if (i < own_len)
            plan_report_policy(plan, policy);
        else if (policy->is_blocked_here)
            plan_add_workload_problem(plan, policy->resource, policy->blocked_line, policy->blocked);
    }
}

static bool is_in_scope(const struct plan_scope *scope, const struct resource *resource)
{
    return resource->is_workload && (!scope || scope->includes(resource, scope->context));
}

static void read_policies(struct plan *plan, const struct plan_scope *scope)
{
    const struct manifest_set *set = plan->manifests;
    plan->policies = xcalloc(set->resources_len, sizeof(struct workload_policy *));
    for (size_t i = 0; i < set->resources_len; i++) {
        if (!is_in_scope(scope, set->resources[i]))
            continue;
        struct workload_policy *policy = workload_policy_new(set->resources[i]);
        plan->policies[plan->policies_len++] = policy;
    }
    size_t own_len = plan->policies_len;
    add_kustomize_policies(plan);
    report_policies(plan, own_len);
}

static void ask_and_decide(struct plan *plan, struct repository *r, struct image_source *images,
                           const struct plan_scope *scope)
{
    int64_t since_ms = clock_monotonic_ms(r->clock);
    for (int pass = 0; pass < TAG_WANTS_PASSES; pass++) {
        images->max_age_ms = pass ? clock_monotonic_ms(r->clock) - since_ms + TAG_WANTS_SLACK_MS : 0;
        plan_ask(plan, r, images, scope);
        plan_drop_decisions(plan);
        plan_decide(plan, r, scope, NULL);
        if (!plan_add_needs(plan, &r->wants))
            break;
    }
    images->max_age_ms = 0;
    tag_wants_release(&r->wants);
    (void)plan_add_needs(plan, &r->wants);
    plan_drop_early_decisions(plan);
}

/* The time since *since_ms, which becomes now. */
static int64_t lap(const struct clock *clock, int64_t *since_ms)
{
    int64_t before_ms = *since_ms;
    *since_ms = clock_monotonic_ms(clock);
    return *since_ms - before_ms;
}

static void edit(struct plan *plan)
{
    release_free(plan->release);
    plan->release = release_of_decisions(plan->decisions, plan->decisions_len);
    plan_copy_problems(plan, plan->release->problems, plan->release->problems_len);
}

int plan_make(struct repository *repository, const char *commit, struct image_source *images,
              const struct plan_scope *scope, struct plan *plan, struct error *err)
{
    *plan = (struct plan)PLAN_INIT;
    snprintf(plan->commit, sizeof(plan->commit), "%s", commit);
    int64_t since_ms = clock_monotonic_ms(repository->clock);
    plan->manifests = manifest_loader_load(repository->loader, repository->mirror, commit,
                                           &repository->settings->paths, err);
    if (!plan->manifests)
        return -1;
    plan_copy_problems(plan, plan->manifests->problems, plan->manifests->problems_len);
    read_policies(plan, scope);
    plan->lasting_len = plan->problems_len;
    plan->stage_ms[PLAN_SELECT] = lap(repository->clock, &since_ms);
    ask_and_decide(plan, repository, images, scope);
    if (revert_hold_apply(repository, commit, plan->decisions, plan->decisions_len, err) < 0) {
        plan_release(plan);
        return -1;
    }
    plan_report_pull_secrets(plan, repository->pull_secrets);
    plan_report_answers(plan);
    plan_report_slow_policies(plan);
    plan->stage_ms[PLAN_LOOKUP] = lap(repository->clock, &since_ms);
    edit(plan);
    plan->stage_ms[PLAN_EDIT] = lap(repository->clock, &since_ms);
    return 0;
}

/* -1 if the history could not be read. */
static int decide_again(struct plan *plan, struct repository *r, const bool *is_stale)
{
    struct earlier_decisions earlier = {
        .decisions = plan->decisions, .len = plan->decisions_len, .is_stale = is_stale};
    plan->decisions = NULL;
    plan->decisions_len = plan->decisions_capacity = 0;
    plan->next_ms = 0;
    plan_forget_passing_problems(plan);
    plan_decide(plan, r, NULL, &earlier);
    for (; earlier.at < earlier.len; earlier.at++)
        decision_release(&earlier.decisions[earlier.at]);
    free(earlier.decisions);
    plan_report_pull_secrets(plan, r->pull_secrets);
    plan_report_answers(plan);
    plan_report_slow_policies(plan);
    struct error err = ERROR_INIT;
    return revert_hold_apply(r, plan->commit, plan->decisions, plan->decisions_len, &err);
}

/* Decisions that time alone changes, and one of them does by now. */
static bool has_expired(const struct plan *plan, const struct repository *r)
{
    return plan->next_ms && plan->next_ms <= clock_wall_ms(r->clock);
}

/* What was asked of single tags, and when tags were first seen, goes with the answers: it is found out anew with them. */
static bool depends_on_candidates(const struct plan *plan, const struct repository *r)
{
    for (size_t i = 0; i < plan->demands->len; i++) {
        if (plan->ages[i])
            return true;
    }
    return strmap_size(&r->wants.lists) > 0;
}

/* True if a new candidate's details have to be asked for, which only a plan that is made does. */
static bool needs_more(const struct plan *plan)
{
    for (size_t i = 0; i < plan->decisions_len; i++) {
        if (plan->decisions[i].needs_len)
            return true;
    }
    return false;
}

bool plan_renew(struct plan *plan, struct repository *r, const char *commit, struct image_source *images)
{
    int64_t since_ms = clock_monotonic_ms(r->clock);
    if (!plan->release || strcmp(plan->commit, commit) != 0 || has_expired(plan, r) ||
        !plan_asks_the_same(plan, r))
        return false;
    size_t len = plan->demands->len;
    AUTO_FREE bool *is_stale = xcalloc(len + 1, sizeof(*is_stale));
    struct scan_result *answers = xcalloc(len + 1, sizeof(*answers));
    images->answer(images, plan->demands, answers);
    plan->is_unchanged = !plan_compare_answers(plan, answers, is_stale);
    scan_results_release(plan->answers, len);
    free(plan->answers);
    plan->answers = answers;
    if (plan_has_old_secret(plan, r) || (!plan->is_unchanged && depends_on_candidates(plan, r)))
        return false;
    plan->stage_ms[PLAN_SELECT] = plan->stage_ms[PLAN_EDIT] = 0;
    if (!plan->is_unchanged && (decide_again(plan, r, is_stale) < 0 || needs_more(plan)))
        return false; /* the plan that is made anew says why, or asks for what is needed */
    plan->stage_ms[PLAN_LOOKUP] = lap(r->clock, &since_ms);
    if (!plan->is_unchanged)
        edit(plan);
    plan->stage_ms[PLAN_EDIT] = lap(r->clock, &since_ms);
    return true;
}

void plan_release(struct plan *plan)
{
    release_free(plan->release);
    plan_drop_decisions(plan);
    free(plan->decisions);
    plan_drop_answers(plan);
    for (size_t i = 0; i < plan->policies_len; i++)
        workload_policy_free(plan->policies[i]);
    free(plan->policies);
    for (size_t i = 0; i < plan->problems_len; i++)
        manifest_problem_release(&plan->problems[i]);
    free(plan->problems);
    manifest_set_free(plan->manifests);
    *plan = (struct plan)PLAN_INIT;
}
