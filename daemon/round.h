/*
 * The round: the whole program in one function. What the registries have, chosen by the policies in git, edited
 * into git, pushed, and applied from the commit that came of it.
 *
 * A round can be killed at any point and the next one finishes the work: nothing before the push is seen by
 * anyone, the push is one step, and after it the new head is what the next round reads and applies. What was
 * decided is in the report, for people, JSON and the log.
 */
#ifndef DAEMON_ROUND_H
#define DAEMON_ROUND_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "daemon/image_source.h"
#include "daemon/plan.h"
#include "daemon/repository.h"
#include "deploy/target.h"
#include "git/mirror.h"

struct round_options {
    struct image_source *images;
    bool dry_run;     /* decide and show; push and apply nothing */
    bool apply_again; /* apply the head even if this process has applied it before */
};

struct round_report {
    char head[GIT_ID_SIZE];   /* what the decisions were made on; "" if git could not be read */
    char commit[GIT_ID_SIZE]; /* what was pushed; "" nothing */
    int64_t update_ms;        /* from fetching to having pushed, or failed to */
    struct plan plan;
    bool was_applied; /* `applied` says what the target did */
    struct apply_report applied;
    struct manifest_set *manifests; /* of `commit`; NULL: nothing was pushed, and the plan's are the head's.
                                       What `applied` points into. */
};
#define ROUND_REPORT_INIT                                                                                    \
    {                                                                                                        \
        .head = "", .commit = "", .plan = PLAN_INIT, .applied = APPLY_REPORT_INIT                            \
    }
void round_report_release(struct round_report *report);

/*
 * Runs one round. -1: it could not be finished (git or the target unreachable, the push refused); the error says
 * which, the report holds what was done until then. 0 also where single objects or registries had problems:
 * they are in the plan and in `applied`.
 */
int round_run(struct repository *repository, const struct round_options *options, struct round_report *report,
              struct error *err) MUST_CHECK;

/*
 * Moves the report's plan to the repository, if the next round may use it again: nothing was written, so that the head may
 * still be the same then. For who runs rounds one after the other; last of all before the report is released.
 */
void round_keep(struct repository *repository, struct round_report *report);

/* True if every registry could be asked and every object applied. What is wrong in git itself is skipped and
 * said, and does not count. */
bool round_was_complete(const struct round_report *report);

#endif
