/*
 * A tag policy: which tags of a repository a container may have, and which of two is the better.
 *
 *   glob:PATTERN    (or without prefix) "*" matches anything; whole tag, case-sensitive; newest wins
 *   semver:RANGE    Masterminds constraints; highest version wins
 *   regexp:PATTERN  (regex:) Go's syntax through PCRE2, unanchored; newest wins
 *
 * Another order can be set for each (updater/tag_ranking.h), and for regexp: a template that makes of a tag the value that the
 * order goes by. A tag that has no such value (the template gives nothing, the order is numeric and it is no number) is none of
 * the policy's.
 *
 * A policy that does not compile is an error here and blocks its container: it never matches everything, as
 * it did in Flux v1. The tag "latest" (in any case) matches only glob:latest. The order of a policy is total
 * and depends on nothing but the two images, so choices never flap.
 *
 * Immutable once it is made and set; may then be shared between threads.
 */
#ifndef UPDATER_TAG_POLICY_H
#define UPDATER_TAG_POLICY_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "model/image_info.h"
#include "updater/tag_ranking.h"

struct tag_policy;

/* ERROR_INVALID with the policy's text, the reason and, for regular expressions, the offset: "semver:foo: …".
 * An empty pattern is invalid, and so is a text with an unknown prefix; ERROR_TOO_LARGE past
 * LIMIT_PATTERN_LENGTH. */
struct tag_policy *tag_policy_new(const char *text, struct error *err) MUST_CHECK;
void tag_policy_free(struct tag_policy *policy);
void tag_policy_release(struct tag_policy **policy); /* for CLEANUP */

/* Sets the order: "numeric", "semver:desc". ERROR_INVALID with the nearest word. */
int tag_policy_set_order(struct tag_policy *policy, const char *text, struct error *err) MUST_CHECK;
/* Sets the template: "$1.$2", "${build}" (updater/regexp_template.h). ERROR_INVALID if the policy is no regexp: or has no such
 * group, ERROR_TOO_LARGE past LIMIT_PATTERN_LENGTH. */
int tag_policy_set_extract(struct tag_policy *policy, const char *text, struct error *err) MUST_CHECK;

/* Tags are versions of a Helm chart from now on: "_" in them stands for "+" (model/chart_ref.h). */
void tag_policy_set_charts(struct tag_policy *policy);

/* The normalised text with its prefix: "glob:master-*"; borrowed. */
const char *tag_policy_text(const struct tag_policy *policy);
/* The order, its own or that which was set: "newest", "numeric:desc". Borrowed for ever. */
const char *tag_policy_order(const struct tag_policy *policy);
/* The template; borrowed; NULL if there is none. */
const char *tag_policy_extract(const struct tag_policy *policy);

/* True if both have the same text, order and template, and so say the same of every image. */
bool tag_policy_equals(const struct tag_policy *a, const struct tag_policy *b);
/* Compiled again from its text, order and template. */
struct tag_policy *tag_policy_copy(const struct tag_policy *policy) MUST_CHECK;
/* Appends text, order and template, so that two policies that are not equal never give the same. */
void tag_policy_add_identity(const struct tag_policy *policy, struct strbuf *out);

/* What happened to a tag that was looked at. */
enum tag_match {
    TAG_MATCHES,
    TAG_DIFFERS,       /* the pattern or range says no */
    TAG_IS_LATEST,     /* the tag "latest", which only glob:latest takes */
    TAG_NOT_A_VERSION, /* semver, as policy or as order: the tag, or its value, is no version */
    TAG_OVER_LIMIT,    /* the pattern took too long to tell (updater/regexp.h) */
    TAG_NO_VALUE,      /* the pattern matches, and the template gives nothing, or too much */
    TAG_NOT_A_NUMBER,  /* the order is numeric, and the tag, or its value, is no number */
};
#define TAG_MATCH_COUNT (TAG_NOT_A_NUMBER + 1)
enum tag_match tag_policy_match(const struct tag_policy *policy, const char *tag);
/* The same, and fills *key with what the order compares by, also for a tag that does not match. */
enum tag_match tag_policy_read(const struct tag_policy *policy, const struct image_info *image,
                               struct tag_key *key);
/* "match", "no match", "latest", "not a version", "match limit", "no value", "not a number": keys of JSON and
 * text. */
const char *tag_match_name(enum tag_match match);

/* True if images are ordered by creation time, so that it has to be known. */
bool tag_policy_needs_created(const struct tag_policy *policy);
bool tag_policy_is_descending(const struct tag_policy *policy);
/* What the best tag is called: "newest", "lowest version"; and what a worse one is to a better: "older than". */
const char *tag_policy_superlative(const struct tag_policy *policy);
const char *tag_policy_comparative(const struct tag_policy *policy);

/*
 * <0 if `a` comes before `b` in the policy's order (is older, lower), >0 if after, 0 only for the same tag
 * (updater/tag_ranking.h). Of keys that this policy filled; of two images, where few are compared.
 */
int tag_policy_compare_keys(const struct tag_policy *policy, const struct tag_key *a,
                            const struct tag_key *b);
int tag_policy_compare(const struct tag_policy *policy, const struct image_info *a,
                       const struct image_info *b);

/*
 * Compares two tags that are versions of the same shape (tag_compare_versions), for what an order by time needs to know beside
 * the time: *order is >0 where `candidate` is the higher version, or the lower under newest:desc. False if they are not such.
 */
bool tag_policy_compare_versions(const struct tag_policy *policy, const char *candidate, const char *current,
                                 int *order) MUST_CHECK;

#endif
