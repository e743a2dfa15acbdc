/*
 * An explanation: all that led to the decision for one container, as one record. `pawl explain` prints it, the note of a
 * round's commit has it for each change (daemon/commit_note.h), and what metrics count is its decision and cause: one story.
 *
 * It is made from a plan and the decision in it and asks nothing: the same plan gives the same record. Everything in it is
 * borrowed from the plan but what is said to be owned.
 */
#ifndef DAEMON_EXPLANATION_H
#define DAEMON_EXPLANATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/json.h"
#include "daemon/plan.h"
#include "scanner/registry_stats.h"

/* What stands between a candidate and the commit. All that apply, not only the first. */
enum explanation_hold {
    HOLD_IGNORED = 1u,
    HOLD_NOT_AUTOMATED = 2u,
    HOLD_LOCKED = 4u,
    HOLD_WINDOW = 8u,
    HOLD_OTHER = 16u, /* what the decision's cause says beyond these */
};

/* What a registry host allows at the moment; rps_ceiling 0: no limit. */
struct host_budget {
    char *host; /* owned */
    double rps, rps_ceiling;
    int64_t blocked_until_ms;             /* wall time; 0: not blocked */
    int64_t quota_limit, quota_remaining; /* -1: the host says nothing */
};
struct host_budgets {
    struct host_budget *items;
    size_t len, capacity;
};
/* A registry_stats_visit: `context` is the struct host_budgets. */
void host_budgets_add(const struct registry_host_stats *stats, void *context);
void host_budgets_release(struct host_budgets *budgets);

struct explanation {
    const struct workload_policy *workload;
    const struct container_policy *container;
    const struct decision *decision;
    const struct scan_result *answer; /* NULL: the registry was not asked */
    const struct host_budget *budget; /* NULL: nothing is known of the host */
    char *id;                         /* of the workload; owned */
    char *repository;                 /* "host/path"; NULL if the image cannot be read; owned */
    char *target;    /* the image that is written, or would be without the holds; NULL; owned */
    char **problems; /* what else is wrong with the workload: "FILE:LINE: …"; owned */
    size_t problems_len;
    size_t matching;   /* tags that the policy would take */
    unsigned held_by;  /* HOLD_… */
    bool is_automated; /* the container is, by the workload's annotation or a marker of its own */
    bool is_locked;    /* the lock is in force */
    bool is_outside_window;
    int64_t next_scan_ms; /* when the registry is asked next, wall time; 0: not known, or never */
};

/* What a plan does not know: all of it may be NULL or 0. */
struct explanation_context {
    const struct host_budgets *budgets; /* borrowed, as long as the explanations are used */
    int64_t interval_ms;                /* --registry-poll-interval; 0: the next scan is not told */
    int64_t now_ms;                     /* wall time */
};

/* One of the plan's decisions. */
void explanation_init(struct explanation *explanation, const struct plan *plan,
                      const struct decision *decision, const struct explanation_context *context);
void explanation_release(struct explanation *explanation);

/* The candidate's; NULL: there is none, or it is not known. Borrowed. */
const char *explanation_digest(const struct explanation *explanation);

/* Tags that were not chosen, by the rule that left them out. */
struct rejection {
    const char *name; /* "no match", …, "too young", "no platform" */
    size_t count;     /* never 0 */
};
/* In a fixed order. Returns how many. */
#define EXPLANATION_REJECTIONS (TAG_MATCH_COUNT + 2)
size_t explanation_rejections(const struct explanation *explanation,
                              struct rejection rejections[EXPLANATION_REJECTIONS]);

/* The names of the holds, in order: "ignored", "not-automated", "locked", "outside-window", and the decision's own cause. Returns how
 * many; at most EXPLANATION_HOLDS. */
#define EXPLANATION_HOLDS 5
size_t explanation_holds(const struct explanation *explanation, const char *names[EXPLANATION_HOLDS]);

/* As docs/interface.md has it. A new reference. */
json_t *explanation_json(const struct explanation *explanation) MUST_CHECK;

#endif
