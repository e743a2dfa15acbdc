/*
 * A decision: what is to happen to one container, and why. One says for each container of each automated workload what
 * updater/choose.h made of it; `pawl explain`, notes, logs and metrics tell no more than that.
 */
#ifndef UPDATER_DECISION_H
#define UPDATER_DECISION_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "model/demand.h"
#include "updater/tag_policy.h"
#include "updater/workload_policy.h"

enum decision_kind {
    DECISION_UPDATE,  /* write the candidate */
    DECISION_CURRENT, /* nothing to do: up to date, or no tag matches */
    DECISION_HELD,    /* there is a candidate, and something keeps it from being taken */
    DECISION_BLOCKED, /* cannot be decided */
};
/* "update", "current", "held", "blocked" */
const char *decision_kind_name(enum decision_kind kind);

/* Why a container is held or blocked, for machines; the reason has the values. */
enum decision_cause {
    CAUSE_NONE,       /* neither held nor blocked */
    CAUSE_OVERRIDDEN, /* held from here: by a kustomization, whose entry is changed instead */
    CAUSE_IGNORED,
    CAUSE_NOT_AUTOMATED,
    CAUSE_LOCKED,
    CAUSE_PINNED,      /* by digest */
    CAUSE_STALE,       /* the answer is old, the registry fails */
    CAUSE_STEP_BACK,   /* the candidate is older, a lower version, or may be */
    CAUSE_TOO_YOUNG,   /* min-age */
    CAUSE_PLATFORM,    /* what matches lacks a platform that it must have */
    CAUSE_WINDOW,      /* it is closed now */
    CAUSE_NO_DETAILS,  /* the candidate's platforms or digest are not known */
    CAUSE_REVERTED,    /* for those above choose: a person moved off it (daemon/revert_hold.h) */
    CAUSE_READ_ONLY,   /* for those above choose: the repository is not written to */
    CAUSE_UNKNOWN_KEY, /* blocked from here */
    CAUSE_DUPLICATE,
    CAUSE_BAD_IMAGE,
    CAUSE_BAD_POLICY,
    CAUSE_SLOW_POLICY,
    CAUSE_EXCLUDED,  /* for those above choose: the registry is not to be asked */
    CAUSE_NO_ANSWER, /* from the registry, ever */
    CAUSE_TRUNCATED,
    CAUSE_SHRUNKEN,
    CAUSE_NO_CREATION_TIME,
    CAUSES_LEN,
};
/* "none", "ignored", "not-automated", …: as docs/interface.md lists them. */
const char *decision_cause_name(enum decision_cause cause);

/* What has to be known of one tag for the decision, whether it is known already or not. */
struct detail_need {
    char *tag;
    unsigned wants; /* DEMAND_… */
};

struct decision {
    const struct resource *resource;         /* borrowed */
    const struct container *container;       /* borrowed */
    const struct workload_policy *workload;  /* borrowed: whose policy decided, */
    const struct container_policy *settings; /* and which of its containers' */
    enum decision_kind kind;
    enum decision_cause cause;
    char *candidate; /* the best tag, or NULL */
    char *
        target; /* the reference to write: the image as it is written, with the candidate; NULL unless update */
    char *reason; /* one sentence for people; never NULL */
    size_t tags_seen;
    size_t rejected[TAG_MATCH_COUNT]; /* [TAG_MATCHES] counts those without creation time */
    size_t too_young;                 /* match, and were passed over */
    size_t without_platform;
    int64_t until_ms; /* when time alone may change the decision; 0: it does not */
    struct detail_need *needs;
    size_t needs_len, needs_capacity;
};
void decision_release(struct decision *decision);
/* "no creation time", else as tag_match_name: what decision.rejected counts under that index. */
const char *decision_rejection_name(enum tag_match match);

/* Notes that the decision needs to know so much (DEMAND_…) of a tag; of one tag all is kept together. */
void decision_add_need(struct decision *decision, const char *tag, unsigned wants);

#endif
