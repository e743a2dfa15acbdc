#include "updater/hold.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

/* By versions alone, since there are no times to compare. */
static char *find_step_back_without_time(const struct question *q, const char *candidate)
{
    int order;
    if (tag_policy_compare_versions(q->policy, candidate, q->current, &order) && order > 0)
        return NULL;
    return question_because(
        q, CAUSE_STEP_BACK,
        xasprintf("held: the creation time of the current %s is not known, and %s is not a %s version of "
                  "the same form",
                  q->current, candidate, tag_policy_is_descending(q->policy) ? "lower" : "higher"));
}

char *hold_find_step_back(const struct question *q, const struct image_info *best)
{
    if (!q->current || q->mine->allows_downgrade || question_is_current(q, best->tag) ||
        question_match(q, q->current) != TAG_MATCHES)
        return NULL;
    size_t at = repository_info_find(q->info, q->current);
    struct image_info known = {q->current, &image_details_unknown}; /* it may be gone */
    if (at != SIZE_MAX)
        known = repository_info_image(q->info, at);
    if (tag_policy_needs_created(q->policy) && known.details->created_ms == 0)
        return find_step_back_without_time(q, best->tag);
    if (tag_policy_compare(q->policy, best, &known) < 0)
        return question_because(q, CAUSE_STEP_BACK,
                                xasprintf("held: %s is %s the current %s", best->tag,
                                          tag_policy_comparative(q->policy), q->current));
    int order;
    if (!tag_policy_needs_created(q->policy) ||
        !tag_policy_compare_versions(q->policy, best->tag, q->current, &order) || order >= 0)
        return NULL;
    bool is_descending = tag_policy_is_descending(q->policy);
    return question_because(q, CAUSE_STEP_BACK,
                            xasprintf("held: %s is %s than the current %s, but the %s version", best->tag,
                                      is_descending ? "older" : "newer", q->current,
                                      is_descending ? "higher" : "lower"));
}

static char *describe_lock(const struct workload_policy *workload)
{
    const char *user = workload->locked_user, *message = workload->locked_message;
    char until[CLOCK_RFC3339_SIZE] = "";
    if (workload->locked_until_ms)
        clock_format_rfc3339(workload->locked_until_ms, until);
    return xasprintf("held: locked%s%s%s%s%s%s", user ? " by " : "", user ? user : "",
                     *until ? " until " : "", until, message ? ": " : "", message ? message : "");
}

static char *describe_age(const struct question *q)
{
    char time[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339(q->info->scanned_ms, time);
    return xasprintf("held: the registry's last answer is of %s: %s", time, q->scan_error->text);
}

static char *find_lock(const struct question *q)
{
    const struct workload_policy *workload = q->workload;
    if (!workload_policy_is_locked(workload, q->facts->now_ms))
        return NULL;
    q->out->until_ms = workload->locked_until_ms;
    return question_because(q, CAUSE_LOCKED, describe_lock(workload));
}

static char *find_closed_window(const struct question *q)
{
    const struct workload_policy *workload = q->workload;
    int64_t now_ms = q->facts->now_ms;
    if (!workload->window || update_window_is_open(workload->window, now_ms))
        return NULL;
    int64_t opens_ms = update_window_next_change_ms(workload->window, now_ms);
    q->out->until_ms = opens_ms;
    char time[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339(opens_ms, time);
    return question_because(q, CAUSE_WINDOW,
                            xasprintf("held: the window %s is closed until %s", workload->window_text, time));
}

char *hold_find_other(const struct question *q)
{
    char *reason;
    if (q->overridden)
        return question_because(
            q, CAUSE_OVERRIDDEN,
            xasprintf("held: overridden by the kustomization's entry in %s", q->overridden));
    if (q->workload->ignored)
        return question_because(q, CAUSE_IGNORED, xstrdup("held: the workload is to be ignored"));
    if (!q->workload->automated && !q->container->policy_text)
        return question_because(q, CAUSE_NOT_AUTOMATED, xstrdup("held: not automated"));
    if ((reason = find_lock(q)))
        return reason;
    if (q->container->image.digest && q->mine->digest == DIGEST_NEVER)
        return question_because(q, CAUSE_PINNED, xasprintf("held: pinned to %s", q->container->image.digest));
    if (q->scan_error)
        return question_because(q, CAUSE_STALE, describe_age(q));
    return find_closed_window(q);
}
