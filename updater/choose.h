/*
 * The choice: one container, its policy, and what is known of its repository, to one decision with its
 * reason.
 *
 * Pure: no clock, no network, no git. The rules, in order (interface page, "No backward step"):
 *
 *   1. Not automated, locked, ignored, blocked, pinned by digest, unreadable image or policy: no update.
 *   2. No answer from the registry, or a truncated one: no update.
 *   3. Of the tags that match and have what the order needs, the last in the order is the candidate.
 *   4. The current tag is the candidate: current.
 *   5. The current tag matches the policy: the candidate must come after it. By creation time, if both are
 * also versions of the same shape (same number of parts, same prefix and suffix), the version must not fall;
 *      if the current tag's time is not known, the version decides, and without versions nothing is done.
 *   6. The current tag does not match (the policy was changed): the candidate is taken.
 */
#ifndef UPDATER_CHOOSE_H
#define UPDATER_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/image_info.h"
#include "updater/tag_policy.h"
#include "updater/workload_policy.h"

enum decision_kind {
    DECISION_UPDATE,  /* write the candidate */
    DECISION_CURRENT, /* nothing to do */
    DECISION_HELD,    /* there is a candidate, and something keeps it from being taken */
    DECISION_BLOCKED, /* cannot be decided */
};
/* "update", "current", "held", "blocked" */
const char *decision_kind_name(enum decision_kind kind);

struct decision {
    const struct resource *resource;   /* borrowed */
    const struct container *container; /* borrowed */
    enum decision_kind kind;
    char *candidate; /* the best tag, or NULL */
    char *reason;    /* one sentence for people; never NULL */
    size_t tags_seen;
    size_t rejected[5]; /* by enum tag_match; [TAG_MATCHES] counts those without creation time */
};
void decision_release(struct decision *decision);

/*
 * Decides for containers[index] of `policy`. `info` is NULL where the registry gave no answer, and then
 * `scan_error` says why (it may also be set beside an older answer: metadata that is stale is used only if
 * `info` is whole). Fills *out.
 */
void choose(const struct workload_policy *policy, size_t index, const struct repository_info *info,
            const struct error *scan_error, struct decision *out);

/* The tags of a repository as a policy sees them, best first: for `pawl tags`. */
struct ranked_tag {
    const struct image_info *image; /* borrowed */
    enum tag_match match;
    bool is_undated; /* matches, but the order needs a creation time that is not known */
};
/* `policy` NULL: all, in natural order, highest first. free() the array; its length is info->images_len. */
struct ranked_tag *rank_tags(const struct repository_info *info, const struct tag_policy *policy) MUST_CHECK;

#endif
