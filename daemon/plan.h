/*
 * The plan: all that a round decides about one commit before it writes anything. Steps 2 to 4 and the edits of
 * step 5: manifests, what their policies need to know, the decision per container, the changed files.
 *
 * What is asked of single tags (their digest, their platforms) is known when it is decided which tags are candidates: so it
 * is decided, asked and decided again, a few times at most. Where answers are not waited for, a container that lacks
 * one has no decision yet, as one whose repository was not asked at all.
 *
 * A plan owns everything in it and can be printed, compared and thrown away; making one changes nothing outside.
 */
#ifndef DAEMON_PLAN_H
#define DAEMON_PLAN_H

#include "base/attr.h"
#include "base/error.h"
#include "daemon/image_source.h"
#include "daemon/repository.h"
#include "model/manifest.h"
#include "updater/choose.h"
#include "updater/release.h"
#include "updater/workload_policy.h"

/* What making a plan spends its time on. */
enum plan_stage {
    PLAN_SELECT, /* manifests and policies */
    PLAN_LOOKUP, /* answers to the demands, and the decisions that follow */
    PLAN_EDIT,
    PLAN_STAGES
};

struct plan {
    struct manifest_set *manifests;
    char commit[GIT_ID_SIZE];          /* what it is about */
    struct workload_policy **policies; /* of the workloads, in order */
    size_t policies_len;
    struct demand_set *demands;
    struct scan_result *answers; /* to demands, index by index */
    struct tag_ages **ages;      /* of the answers' tags, where somebody asks for them */
    struct decision *decisions;  /* of every container of every automated workload */
    size_t decisions_len, decisions_capacity;
    struct release *release;           /* the edits; files_len 0: nothing to write */
    struct manifest_problem *problems; /* all that was left out, with file, line and reason */
    size_t problems_len, problems_capacity;
    size_t lasting_len; /* of the problems: those of the manifests and policies, which come first */
    int64_t stage_ms[PLAN_STAGES];
    int64_t next_ms; /* wall time when a lock ends, a window opens or an image is old enough; 0: none does */
    bool is_unchanged;    /* it is that of the round before, to the last decision */
    bool has_age_problem; /* said once */
    bool has_unreachable; /* a registry could not be asked: the plan is good, and not complete */
};
#define PLAN_INIT                                                                                            \
    {                                                                                                        \
        0                                                                                                    \
    }

/*
 * What a person asks about: these workloads and no others, each decided for whether it is automated or not, so that what
 * would be done to it can be told. Other registries are not asked.
 */
struct plan_scope {
    bool (*includes)(const struct resource *workload, void *context);
    void *context;
};

/* `scope` NULL: a round, which decides for all that is automated. ERROR_NOT_FOUND for a configured path that the commit
 * lacks; what git says. On -1 *plan is empty. */
int plan_make(struct repository *repository, const char *commit, struct image_source *images,
              const struct plan_scope *scope, struct plan *plan, struct error *err) MUST_CHECK;
void plan_release(struct plan *plan);

/*
 * Makes the plan of an earlier round that of this one: asks for the answers again, and decides anew for those containers
 * alone whose answers differ. False if the plan is of another commit, or if what it asks has changed: then it is as it
 * was, and of no use. Never for one with a scope.
 */
bool plan_renew(struct plan *plan, struct repository *repository, const char *commit,
                struct image_source *images) MUST_CHECK;

#endif
