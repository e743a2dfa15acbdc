/*
 * A tag policy: which tags of a repository a container may have, and which of two is the better.
 *
 *   glob:PATTERN    (or without prefix) "*" matches anything; whole tag, case-sensitive; newest wins
 *   semver:RANGE    Masterminds constraints; highest version wins
 *   regexp:PATTERN  (regex:) Go's syntax through PCRE2, unanchored; newest wins
 *
 * A policy that does not compile is an error here and blocks its container: it never matches everything, as
 * it did in Flux v1. The tag "latest" (in any case) matches only glob:latest. The order of a policy is total
 * and depends on nothing but the two images, so choices never flap.
 *
 * Immutable once made; may be shared between threads.
 */
#ifndef UPDATER_TAG_POLICY_H
#define UPDATER_TAG_POLICY_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/image_info.h"

struct tag_policy;

/* ERROR_INVALID with the policy's text, the reason and, for regular expressions, the offset: "semver:foo: …".
 * An empty pattern is invalid, and so is a text with an unknown prefix; ERROR_TOO_LARGE past
 * LIMIT_PATTERN_LENGTH. */
struct tag_policy *tag_policy_new(const char *text, struct error *err) MUST_CHECK;
void tag_policy_free(struct tag_policy *policy);

/* The normalised text with its prefix: "glob:master-*"; borrowed. */
const char *tag_policy_text(const struct tag_policy *policy);

/* What happened to a tag that was looked at. */
enum tag_match {
    TAG_MATCHES,
    TAG_DIFFERS,       /* the pattern or range says no */
    TAG_IS_LATEST,     /* the tag "latest", which only glob:latest takes */
    TAG_NOT_A_VERSION, /* semver: the tag is no version */
    TAG_OVER_LIMIT,    /* the pattern took too long to tell (updater/regexp.h) */
};
#define TAG_MATCH_COUNT (TAG_OVER_LIMIT + 1)
enum tag_match tag_policy_match(const struct tag_policy *policy, const char *tag);
/* "match", "no match", "latest", "not a version", "match limit": keys of JSON and text. */
const char *tag_match_name(enum tag_match match);

/* True if images are ordered by creation time, so that it has to be known. */
bool tag_policy_needs_created(const struct tag_policy *policy);

/*
 * <0 if `a` comes before `b` (is older, lower), >0 if after, 0 only for the same tag. By creation time or by
 * version; ties by natural order of the tags (updater/tag_order.h). A time that is not known is before all
 * that are, and what is no version is before all that are.
 */
int tag_policy_compare(const struct tag_policy *policy, const struct image_info *a,
                       const struct image_info *b);

#endif
