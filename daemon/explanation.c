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

/* The cause of a hold that a flag of the workload says already, or none. */
static bool is_flag(enum decision_cause cause)
{
    return cause == CAUSE_NONE || cause == CAUSE_IGNORED || cause == CAUSE_NOT_AUTOMATED ||
           cause == CAUSE_LOCKED || cause == CAUSE_WINDOW;
}

static unsigned find_holds(const struct explanation *e)
{
    return (e->workload->ignored ? HOLD_IGNORED : 0u) | (e->is_automated ? 0u : HOLD_NOT_AUTOMATED) |
           (e->is_locked ? HOLD_LOCKED : 0u) | (e->is_outside_window ? HOLD_WINDOW : 0u) |
           (is_flag(e->decision->cause) ? 0u : HOLD_OTHER);
}

/* What is known of the candidate; NULL: nothing. */
static const struct image_details *candidate_details(const struct explanation *e)
{
    const char *candidate = e->decision->candidate;
    if (!e->answer || !e->answer->info || !candidate)
        return NULL;
    size_t at = repository_info_find(e->answer->info, candidate);
    return at == SIZE_MAX ? NULL : repository_info_details(e->answer->info, at);
}

const char *explanation_digest(const struct explanation *e)
{
    const struct image_details *details = candidate_details(e);
    return details ? details->digest : NULL;
}

/* Where the digest is to be written and is not known, neither is the image. */
static char *find_target(const struct explanation *e)
{
    const struct decision *decision = e->decision;
    const struct image_ref *image = &decision->container->image;
    if (decision->target)
        return xstrdup(decision->target);
    if (decision->kind != DECISION_HELD || !decision->candidate || !image->text)
        return NULL;
    if (e->container->digest == DIGEST_NEVER)
        return image_ref_with_tag(image, decision->candidate);
    const char *digest = explanation_digest(e);
    return digest ? image_ref_with_digest(image, decision->candidate, digest) : NULL;
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
    bool is_told = e->answer->info && context->interval_ms;
    int64_t due_ms = is_told ? e->answer->info->scanned_ms + context->interval_ms : 0;
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

void explanation_init(struct explanation *e, const struct plan *plan, const struct decision *decision,
                      const struct explanation_context *context)
{
    *e = (struct explanation){.workload = decision->workload,
                              .container = decision->settings,
                              .decision = decision,
                              .id = resource_id_text(&decision->resource->id)};
    if (decision->container->image.text)
        e->repository = image_ref_repository(&decision->container->image);
    ptrdiff_t at = demand_set_find(plan->demands, decision->container);
    e->answer = at < 0 ? NULL : &plan->answers[at];
    e->budget = budget_of(context->budgets, e->repository);
    e->target = find_target(e);
    e->matching = count_matching(decision);
    e->is_automated =
        workload_policy_automates(e->workload, (size_t)(e->container - e->workload->containers));
    e->is_locked = workload_policy_is_locked(e->workload, context->now_ms);
    e->is_outside_window =
        e->workload->window && !update_window_is_open(e->workload->window, context->now_ms);
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

static void add_rejection(struct rejection *rejections, size_t *len, const char *name, size_t count)
{
    if (count)
        rejections[(*len)++] = (struct rejection){name, count};
}

size_t explanation_rejections(const struct explanation *e,
                              struct rejection rejections[EXPLANATION_REJECTIONS])
{
    size_t len = 0;
    for (int i = 0; i < TAG_MATCH_COUNT; i++)
        add_rejection(rejections, &len, decision_rejection_name((enum tag_match)i), e->decision->rejected[i]);
    add_rejection(rejections, &len, "too young", e->decision->too_young);
    add_rejection(rejections, &len, "no platform", e->decision->without_platform);
    return len;
}

size_t explanation_holds(const struct explanation *e, const char *names[EXPLANATION_HOLDS])
{
    static const struct {
        unsigned flag;
        enum decision_cause cause;
    } flags[] = {{HOLD_IGNORED, CAUSE_IGNORED},
                 {HOLD_NOT_AUTOMATED, CAUSE_NOT_AUTOMATED},
                 {HOLD_LOCKED, CAUSE_LOCKED},
                 {HOLD_WINDOW, CAUSE_WINDOW}};
    size_t len = 0;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (e->held_by & flags[i].flag)
            names[len++] = decision_cause_name(flags[i].cause);
    }
    if (e->held_by & HOLD_OTHER)
        names[len++] = decision_cause_name(e->decision->cause);
    return len;
}
