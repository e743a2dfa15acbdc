#include "daemon/explanation.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* -- budgets ------------------------------------------------------------------------------------------------- */

void host_budgets_add(const struct registry_host_stats *stats, void *context)
{
    struct host_budgets *budgets = context;
    vec_grow(budgets->items, budgets->len, budgets->capacity);
    budgets->items[budgets->len++] = (struct host_budget){.host = xstrdup(stats->host),
                                                          .rps = stats->rps,
                                                          .rps_ceiling = stats->rps_ceiling,
                                                          .blocked_until_ms = stats->blocked_until_ms,
                                                          .quota_limit = stats->quota_limit,
                                                          .quota_remaining = stats->quota_remaining};
}

void host_budgets_release(struct host_budgets *budgets)
{
    for (size_t i = 0; i < budgets->len; i++)
        free(budgets->items[i].host);
    free(budgets->items);
    *budgets = (struct host_budgets){.items = NULL};
}

static const struct host_budget *budget_of(const struct host_budgets *budgets, const char *repository)
{
    size_t len = repository ? strcspn(repository, "/") : 0;
    for (size_t i = 0; repository && budgets && i < budgets->len; i++) {
        if (!strncmp(budgets->items[i].host, repository, len) && !budgets->items[i].host[len])
            return &budgets->items[i];
    }
    return NULL;
}

/* -- the record ---------------------------------------------------------------------------------------------- */

static void find_policy(struct explanation *e, const struct plan *plan)
{
    for (size_t i = 0; i < plan->policies_len; i++) {
        if (plan->policies[i]->resource == e->decision->resource)
            e->workload = plan->policies[i];
    }
    for (size_t i = 0; i < e->workload->containers_len; i++) {
        if (e->workload->containers[i].container == e->decision->container)
            e->container = &e->workload->containers[i];
    }
}

/* The cause of a hold that a flag of the workload says already, or none. */
static bool is_flag(enum decision_cause cause)
{
    return cause == CAUSE_NONE || cause == CAUSE_IGNORED || cause == CAUSE_NOT_AUTOMATED ||
           cause == CAUSE_LOCKED;
}

static unsigned find_holds(const struct explanation *e)
{
    return (e->workload->ignored ? HOLD_IGNORED : 0u) | (e->workload->automated ? 0u : HOLD_NOT_AUTOMATED) |
           (e->workload->locked ? HOLD_LOCKED : 0u) | (is_flag(e->decision->cause) ? 0u : HOLD_OTHER);
}

static char *find_target(const struct decision *decision)
{
    if (decision->target)
        return xstrdup(decision->target);
    bool would_move =
        decision->kind == DECISION_HELD && decision->candidate && decision->container->image.text;
    return would_move ? image_ref_with_tag(&decision->container->image, decision->candidate) : NULL;
}

static size_t count_matching(const struct decision *decision)
{
    size_t rejected = 0;
    for (size_t i = 0; i < sizeof(decision->rejected) / sizeof(decision->rejected[0]); i++)
        rejected += decision->rejected[i];
    return decision->tags_seen - rejected;
}

/* An answer that failed is asked for again when the registry said, or at a time that depends on how often it failed. */
static int64_t find_next_scan(const struct explanation *e, const struct explanation_context *context)
{
    if (!e->answer)
        return 0;
    if (e->answer->error.code)
        return e->answer->error.retry_after_s
                   ? context->now_ms + (int64_t)e->answer->error.retry_after_s * 1000
                   : 0;
    int64_t due_ms = e->answer->info ? e->answer->info->scanned_ms + context->interval_ms : 0;
    return due_ms && due_ms < context->now_ms ? context->now_ms : due_ms;
}

static void find_problems(struct explanation *e, const struct plan *plan)
{
    for (size_t i = 0; i < plan->problems_len; i++) {
        const struct manifest_problem *each = &plan->problems[i];
        if (!each->workload || strcmp(each->workload, e->id) != 0)
            continue;
        e->problems = xreallocarray(e->problems, e->problems_len + 1, sizeof(*e->problems));
        e->problems[e->problems_len++] = each->line
                                             ? xasprintf("%s:%d: %s", each->file, each->line, each->message)
                                             : xasprintf("%s: %s", each->file, each->message);
    }
}

void explanation_init(struct explanation *e, const struct plan *plan, size_t index,
                      const struct explanation_context *context)
{
    const struct decision *decision = &plan->decisions[index];
    *e = (struct explanation){.decision = decision, .id = resource_id_text(&decision->resource->id)};
    find_policy(e, plan);
    if (decision->container->image.text)
        e->repository = image_ref_repository(&decision->container->image);
    ptrdiff_t at = demand_set_find(plan->demands, decision->container);
    e->answer = at < 0 ? NULL : &plan->answers[at];
    e->budget = budget_of(context->budgets, e->repository);
    e->target = find_target(decision);
    e->matching = count_matching(decision);
    e->held_by = find_holds(e);
    e->next_scan_ms = find_next_scan(e, context);
    find_problems(e, plan);
}

void explanation_release(struct explanation *e)
{
    for (size_t i = 0; i < e->problems_len; i++)
        free(e->problems[i]);
    free(e->problems);
    free(e->id);
    free(e->repository);
    free(e->target);
    *e = (struct explanation){.decision = NULL};
}

const char *explanation_order(const struct explanation *e)
{
    const struct tag_policy *policy = e->container->policy;
    if (!policy)
        return NULL;
    return tag_policy_needs_created(policy) ? "newest" : "semver";
}

size_t explanation_holds(const struct explanation *e, const char *names[EXPLANATION_HOLDS])
{
    static const struct {
        unsigned flag;
        enum decision_cause cause;
    } flags[] = {{HOLD_IGNORED, CAUSE_IGNORED},
                 {HOLD_NOT_AUTOMATED, CAUSE_NOT_AUTOMATED},
                 {HOLD_LOCKED, CAUSE_LOCKED}};
    size_t len = 0;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (e->held_by & flags[i].flag)
            names[len++] = decision_cause_name(flags[i].cause);
    }
    if (e->held_by & HOLD_OTHER)
        names[len++] = decision_cause_name(e->decision->cause);
    return len;
}
