/*
 * The choice: one container, its policy, and what is known of its repository, to one decision with its
 * reason.
 *
 * Pure: no clock, no network, no git. The rules, in order:
 *
 *   1. What cannot be decided is blocked: a workload that is blocked or defined twice, an image or a policy that
 *      cannot be read, no answer from the registry, a truncated or a shrunken one, a pattern that takes too long on
 *      a tag.
 *   2. Of the tags that match and have what the order needs, the last in the order is the candidate. Tags without
 *      the creation time that the order needs are passed over; if all that match are such, it is blocked. So are tags
 *      that are known to lack a platform that the image must have, and, but for the current tag, those younger than
 *      min-age; if nothing better than the current tag is left because of that, it is held.
 *   3. No tag matches, or the current tag is the candidate: nothing to do, but for its digest: it is written where there
 *      is none and it is to be pinned, and where it is another and is to be followed. With "follow" and no tag policy
 *      the current tag is all that is looked at.
 *   4. The current tag matches the policy: the candidate must come after it in the policy's order, whichever that is and
 *      whichever way round, or it is held. By creation time, if both are also versions of the same shape
 *      (tag_compare_versions), the version must not fall; if the current tag's time is not known (it may be gone from the
 *      registry), such a version must rise. Under newest:desc, where older is better, it must not rise, and must fall.
 *   5. The current tag does not match (the policy was changed), or allow-downgrade is given: rule 4 does not apply.
 *   6. The candidate is held if the workload is ignored, not automated or locked, if the image has a digest that is not
 *      to be written, if the answer is stale, or outside of the workload's window.
 *   7. What has to be known of the candidate itself (its platforms, its digest) and is not yet is said in `needs`, and
 *      until then it is held. Else it is taken.
 *
 * An image without tag and digest has the tag "latest". A reason is one line without control characters, with
 * the values in it:
 *
 *   1.3.0 is the highest version that matches semver:~1          (update)
 *   already the newest that matches glob:main-*                  (current)
 *   b is the newest that matches glob:*; passed over c: the manifest of c: … (update)
 *   held: locked by jane: release freeze                         (held)
 *   held: 1.4.0 is 3h old, min-age is 2d: until 2026-01-31T17:00:00Z (held)
 *   blocked: policy semver:foo: expected a version …             (blocked)
 */
#ifndef UPDATER_CHOOSE_H
#define UPDATER_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/demand.h"
#include "model/image_info.h"
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

/* What is known when a choice is made, beside the policy; all borrowed. */
struct choose_facts {
    const struct repository_info *info; /* NULL: the registry gave no answer, and scan_error says why */
    const struct error
        *scan_error; /* NULL or ERROR_NONE: none. Beside an answer it makes the answer stale. */
    int64_t now_ms;  /* wall time */
    /* When the tag was first there, pointing at what it does now; 0: not known, which counts as now. NULL: of no tag
     * it is known. */
    int64_t (*first_seen_ms)(const struct image_info *image, void *context);
    void *context;
};

/*
 * Decides for containers[index] of `policy`. Without info and without an error the registry was not asked yet. Fills
 * *out, which must be released. Looks at each tag once, or twice where some lack a platform.
 */
void choose(const struct workload_policy *policy, size_t index, const struct choose_facts *facts,
            struct decision *out);

/* The tags of a repository as a policy sees them, for `pawl tags`. */
struct ranked_tag {
    struct image_info image; /* borrowed from the repository_info */
    enum tag_match match;
    bool is_undated; /* matches, but the order needs a creation time that is not known */
};
/* Best first: those that match, those of them that are undated, the rest; each by the policy's order.
 * `policy` NULL: all match, in natural order, highest first. free() the array; its length is
 * info->images_len. */
struct ranked_tag *rank_tags(const struct repository_info *info, const struct tag_policy *policy) MUST_CHECK;
/* All images of a repository by the policy's order, the best first, whether they match or not. free() the array. */
struct image_info *sort_images(const struct repository_info *info, const struct tag_policy *policy)
    MUST_CHECK;

#endif
