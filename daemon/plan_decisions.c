#include "daemon/plan_decisions.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/plan_answers.h"
#include "daemon/plan_problems.h"
#include "updater/shared_surveys.h"

/* When the tags of an answer were first seen; NULL: nobody asks, or it is not known. */
static struct tag_ages *ages_of(struct plan *plan, struct repository *r, const struct workload_policy *policy,
                                size_t index, size_t demand)
{
    struct error err = ERROR_INIT;
    struct tag_ages *ages = tag_ages_for(&plan->ages[demand], r->first_seen, plan->answers[demand].info,
                                         policy->containers[index].min_age_ms, &err);
    if (err.code && !plan->has_age_problem)
        plan_add_workload_problem(plan, policy->resource, policy->resource->line, err.text);
    plan->has_age_problem = plan->has_age_problem || err.code;
    return ages;
}

/* Decides for one container. An image that the filter leaves out has no demand and so no answer. */
static void decide_container(struct plan *plan, struct repository *r, const struct workload_policy *policy,
                             size_t index, struct shared_surveys *shared, struct decision *out)
{
    ptrdiff_t at = plan_demand_about(plan, policy->containers[index].container);
    int64_t now_ms = clock_wall_ms(r->clock);
    if (at < 0) {
        const struct image_filter filter = image_filter_of(r->config);
        const struct error refusal = image_filter_error(&filter, &policy->containers[index].container->image);
        choose(policy, index, &(struct choose_facts){.scan_error = &refusal, .now_ms = now_ms}, out);
        if (out->cause == CAUSE_NO_ANSWER)
            out->cause = CAUSE_EXCLUDED;
        return;
    }
    const struct scan_result *answer = &plan->answers[at];
    const struct choose_facts facts = {.info = answer->info,
                                       .scan_error = &answer->error,
                                       .now_ms = now_ms,
                                       .since_ms = tag_ages_since_ms,
                                       .context = ages_of(plan, r, policy, index, (size_t)at),
                                       .shared = shared};
    choose(policy, index, &facts, out);
}

static void hold(struct decision *decision, enum decision_cause cause, const char *reason)
{
    free(decision->reason);
    decision->kind = DECISION_HELD;
    decision->cause = cause;
    decision->reason = xstrdup(reason);
}

static bool is_decided(const struct workload_policy *policy, const struct plan_scope *scope)
{
    return scope || (!policy->ignored && !policy->resource->is_duplicate);
}

static void note_time(struct plan *plan, const struct decision *decision)
{
    bool has_time = decision->until_ms && decision->until_ms != INT64_MAX;
    if (has_time && (!plan->next_ms || decision->until_ms < plan->next_ms))
        plan->next_ms = decision->until_ms;
}

/* True if the container's decision stands, and is in *out. */
static bool take_earlier(struct earlier_decisions *earlier, const struct plan *plan,
                         const struct container *container, struct decision *out)
{
    bool is_there =
        earlier && earlier->at < earlier->len && earlier->decisions[earlier->at].container == container;
    if (!is_there)
        return false;
    struct decision *mine = &earlier->decisions[earlier->at++];
    ptrdiff_t demand = plan_demand_about(plan, container);
    if (demand >= 0 && earlier->is_stale[demand]) {
        decision_release(mine);
        return false;
    }
    *out = *mine;
    return true;
}

void plan_decide(struct plan *plan, struct repository *r, const struct plan_scope *scope,
                 struct earlier_decisions *earlier)
{
    CLEANUP(shared_surveys_release) struct shared_surveys shared;
    shared_surveys_init(&shared);
    for (size_t i = 0; i < plan->policies_len; i++) {
        const struct workload_policy *policy = plan->policies[i];
        if (!is_decided(policy, scope))
            continue;
        for (size_t k = 0; k < policy->containers_len; k++) {
            if (!(scope || workload_policy_automates(policy, k)) ||
                plan_is_being_asked(plan, policy->containers[k].container))
                continue;
            vec_grow(plan->decisions, plan->decisions_len, plan->decisions_capacity);
            struct decision *decision = &plan->decisions[plan->decisions_len++];
            if (take_earlier(earlier, plan, policy->containers[k].container, decision)) {
                note_time(plan, decision);
                continue;
            }
            decide_container(plan, r, policy, k, &shared, decision);
            note_time(plan, decision);
            if (r->settings->readonly && decision->kind == DECISION_UPDATE)
                hold(decision, CAUSE_READ_ONLY, "held: the repository is read-only (--git-readonly)");
        }
    }
}

void plan_drop_decisions(struct plan *plan)
{
    for (size_t i = 0; i < plan->decisions_len; i++)
        decision_release(&plan->decisions[i]);
    plan->decisions_len = 0;
    plan->next_ms = 0;
}

bool plan_add_needs(const struct plan *plan, struct tag_wants *wants)
{
    bool is_new = false;
    for (size_t i = 0; i < plan->decisions_len; i++)
        is_new = tag_wants_add_needs(wants, plan->demands, &plan->decisions[i]) || is_new;
    return is_new;
}

void plan_drop_early_decisions(struct plan *plan)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->decisions_len; i++) {
        struct decision *decision = &plan->decisions[i];
        if (decision->needs_len && plan->answers[plan_demand_about(plan, decision->container)].is_behind)
            decision_release(decision);
        else
            plan->decisions[kept++] = *decision;
    }
    plan->decisions_len = kept;
}
