#include "updater/decision.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

const char *decision_kind_name(enum decision_kind kind)
{
    static const char *const names[] = {
        [DECISION_UPDATE] = "update",
        [DECISION_CURRENT] = "current",
        [DECISION_HELD] = "held",
        [DECISION_BLOCKED] = "blocked",
    };
    return names[kind];
}

const char *decision_cause_name(enum decision_cause cause)
{
    static const char *const names[CAUSES_LEN] = {
        [CAUSE_NONE] = "none",
        [CAUSE_OVERRIDDEN] = "overridden",
        [CAUSE_IGNORED] = "ignored",
        [CAUSE_NOT_AUTOMATED] = "not-automated",
        [CAUSE_LOCKED] = "locked",
        [CAUSE_PINNED] = "pinned",
        [CAUSE_STALE] = "stale-answer",
        [CAUSE_STEP_BACK] = "step-back",
        [CAUSE_TOO_YOUNG] = "too-young",
        [CAUSE_PLATFORM] = "platform-missing",
        [CAUSE_WINDOW] = "outside-window",
        [CAUSE_NO_DETAILS] = "details-unknown",
        [CAUSE_REVERTED] = "reverted",
        [CAUSE_READ_ONLY] = "read-only",
        [CAUSE_UNKNOWN_KEY] = "unknown-annotation",
        [CAUSE_DUPLICATE] = "duplicate",
        [CAUSE_BAD_IMAGE] = "bad-image",
        [CAUSE_BAD_POLICY] = "bad-policy",
        [CAUSE_SLOW_POLICY] = "slow-policy",
        [CAUSE_EXCLUDED] = "excluded",
        [CAUSE_NO_ANSWER] = "no-answer",
        [CAUSE_TRUNCATED] = "too-many-tags",
        [CAUSE_SHRUNKEN] = "shrunken-list",
        [CAUSE_NO_CREATION_TIME] = "no-creation-time",
    };
    return names[cause];
}

const char *decision_rejection_name(enum tag_match match)
{
    return match == TAG_MATCHES ? "no creation time" : tag_match_name(match);
}

void decision_release(struct decision *decision)
{
    free(decision->candidate);
    free(decision->target);
    free(decision->reason);
    for (size_t i = 0; i < decision->needs_len; i++)
        free(decision->needs[i].tag);
    free(decision->needs);
    *decision = (struct decision){.kind = DECISION_BLOCKED};
}

void decision_add_need(struct decision *decision, const char *tag, unsigned wants)
{
    for (size_t i = 0; i < decision->needs_len; i++) {
        if (strcmp(decision->needs[i].tag, tag) != 0)
            continue;
        decision->needs[i].wants |= wants;
        return;
    }
    vec_grow(decision->needs, decision->needs_len, decision->needs_capacity);
    decision->needs[decision->needs_len++] = (struct detail_need){.tag = xstrdup(tag), .wants = wants};
}
