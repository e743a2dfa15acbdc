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
 *   held: 1.4.0 was pushed 3h ago, min-age is 2d: until … (held; where the registry says so)
 *   blocked: policy semver:foo: expected a version …             (blocked)
 */
#ifndef UPDATER_CHOOSE_H
#define UPDATER_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/image_info.h"
#include "updater/decision.h"
#include "updater/tag_policy.h"
#include "updater/workload_policy.h"

struct shared_surveys;

/* What is known when a choice is made, beside the policy; all borrowed. */
struct choose_facts {
    const struct repository_info *info; /* NULL: the registry gave no answer, and scan_error says why */
    const struct error
        *scan_error; /* NULL or ERROR_NONE: none. Beside an answer it makes the answer stale. */
    int64_t now_ms;  /* wall time */
    /* When the tag was pushed, or first there, pointing at what it does now; 0: not known, which counts as now. NULL: of no
     * tag it is known. */
    int64_t (*since_ms)(const struct image_info *image, void *context);
    void *context;
    struct shared_surveys
        *shared; /* what other choices found in the same answers (updater/shared_surveys.h); or NULL */
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
