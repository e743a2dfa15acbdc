#include "updater/choose.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "updater/platforms.h"

/*
 * Every rule is a function that says NULL where it has nothing to say, and else the reason, which the
 * decision takes over.
 */
struct question {
    const struct workload_policy *workload;
    const struct container_policy *mine;
    const struct container *container;
    const char *overridden;          /* where; NULL: it is not */
    const struct tag_policy *policy; /* NULL if it does not compile */
    const struct choose_facts *facts;
    const struct repository_info *info;
    const struct error *scan_error; /* NULL: none */
    const char *current;            /* the tag; NULL if the image has a digest alone, or cannot be read */
    bool follows_tag;               /* the current tag is all that is looked at, for its digest */
    struct decision *out;           /* gets the cause with each reason to hold or block */
};

static char *because(const struct question *q, enum decision_cause cause, char *reason)
{
    q->out->cause = cause;
    return reason;
}

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

static enum tag_match match_of(const struct question *q, const char *tag)
{
    if (q->follows_tag)
        return strcmp(tag, q->current) == 0 ? TAG_MATCHES : TAG_DIFFERS;
    return tag_policy_match(q->policy, tag);
}

static bool is_by_time(const struct question *q)
{
    return !q->follows_tag && tag_policy_needs_created(q->policy);
}

static bool is_current(const struct question *q, const char *tag)
{
    return q->current && strcmp(tag, q->current) == 0;
}

static void add_need(const struct question *q, const char *tag, unsigned wants)
{
    struct decision *out = q->out;
    for (size_t i = 0; i < out->needs_len; i++) {
        if (strcmp(out->needs[i].tag, tag) != 0)
            continue;
        out->needs[i].wants |= wants;
        return;
    }
    vec_grow(out->needs, out->needs_len, out->needs_capacity);
    out->needs[out->needs_len++] = (struct detail_need){.tag = xstrdup(tag), .wants = wants};
}

static char *find_defect(const struct question *q)
{
    const struct resource *resource = q->workload->resource;
    if (q->workload->blocked)
        return because(q,
                       q->workload->has_bad_value || q->workload->is_blocked_here ? CAUSE_BAD_POLICY
                                                                                  : CAUSE_UNKNOWN_KEY,
                       xasprintf("blocked: %s", q->workload->blocked));
    if (resource->is_duplicate)
        return because(q, CAUSE_DUPLICATE,
                       xasprintf("blocked: %s:%s/%s is defined more than once", resource->id.space,
                                 resource->id.kind, resource->id.name));
    if (!q->container->image.text || q->container->problem.code != ERROR_NONE)
        return because(q, CAUSE_BAD_IMAGE, xasprintf("blocked: %s", q->container->problem.text));
    if (!q->policy)
        return because(q, CAUSE_BAD_POLICY, xasprintf("blocked: %s", q->mine->problem));
    if (q->follows_tag && !q->current)
        return because(
            q, CAUSE_BAD_POLICY,
            xstrdup("blocked: the image has no tag whose digest could be followed, and no tag policy"));
    return NULL;
}

static char *find_missing_answer(const struct question *q)
{
    if (!q->info && q->scan_error)
        return because(q, CAUSE_NO_ANSWER, xasprintf("blocked: no tags are known: %s", q->scan_error->text));
    if (!q->info)
        return because(q, CAUSE_NO_ANSWER,
                       xstrdup("blocked: no tags are known: the registry was not asked yet"));
    if (q->info->is_truncated)
        return because(q, CAUSE_TRUNCATED,
                       xasprintf("blocked: %s has more tags than are read (%zu); raise --registry-tag-limit",
                                 q->info->repository, q->info->images_len));
    if (q->info->is_shrunken)
        return because(
            q, CAUSE_SHRUNKEN,
            xasprintf(
                "blocked: the registry lists %zu tags of %s where it had %zu; that is believed when a later "
                "scan finds the same",
                q->info->shrunken_len, q->info->repository, q->info->images_len));
    return NULL;
}

/* Where the best lack a platform, so many of the next are asked about at a time. */
#define ASKED_AHEAD 8

/* What one pass over the tags finds. */
struct survey {
    struct image_info best;    /* the last in the order of those that match; without a tag: none */
    struct image_info young;   /* the same of those that are too young to be best */
    struct image_info lacking; /* the same of those that lack a platform */
    struct tag_key best_key, young_key, lacking_key; /* what the order compares them by */
    struct tag_key key;                              /* of the tag that is looked at */
    struct image_info undated;                       /* the first that matches and has no creation time */
    struct image_info unread; /* the first that matches and whose creation time could not be read */
    size_t unread_len;
    int64_t grown_ms;                     /* when the first of those too young is old enough */
    const char *too_long;                 /* the first that the pattern took too long on */
    struct image_info ahead[ASKED_AHEAD]; /* the best of those whose platforms matter and are not known */
    size_t ahead_len;
};

static void survey_release(struct survey *s)
{
    tag_key_release(&s->best_key);
    tag_key_release(&s->young_key);
    tag_key_release(&s->lacking_key);
    tag_key_release(&s->key);
}

/* Takes the tag that is looked at if it is better; the keys change places, and so their memory is used again. */
static void take_better(const struct question *q, const struct image_info *image, struct survey *s,
                        struct image_info *best, struct tag_key *best_key)
{
    if (best->tag && tag_policy_compare_keys(q->policy, &s->key, best_key) <= 0)
        return;
    const struct tag_key worse = *best_key;
    *best_key = s->key;
    s->key = worse;
    *best = *image;
}

static void take_ahead(const struct question *q, struct image_info image, struct survey *s)
{
    for (size_t i = 0; i < s->ahead_len; i++) {
        if (tag_policy_compare(q->policy, &image, &s->ahead[i]) <= 0)
            continue;
        struct image_info worse = s->ahead[i];
        s->ahead[i] = image;
        image = worse;
    }
    if (s->ahead_len < ASKED_AHEAD)
        s->ahead[s->ahead_len++] = image;
}

/* When it is as old as min-age asks; 0: no age is asked for. */
static int64_t grown_ms(const struct question *q, const struct image_info *image)
{
    const struct choose_facts *facts = q->facts;
    if (!q->mine->min_age_ms)
        return 0;
    int64_t seen_ms = facts->first_seen_ms ? facts->first_seen_ms(image, facts->context) : 0;
    return (seen_ms ? seen_ms : facts->now_ms) + q->mine->min_age_ms;
}

/* Takes a tag that matches for what it is. The current tag is there already, however young. */
static void survey_match(const struct question *q, const struct image_info *image, struct survey *s)
{
    const char *platforms = image->details->platforms;
    if (is_current(q, image->tag)) {
        take_better(q, image, s, &s->best, &s->best_key);
        return;
    }
    if (platforms && platforms_missing(&q->mine->platforms, platforms)) {
        q->out->without_platform++;
        take_better(q, image, s, &s->lacking, &s->lacking_key);
        return;
    }
    int64_t grown = grown_ms(q, image);
    if (grown <= q->facts->now_ms) {
        take_better(q, image, s, &s->best, &s->best_key);
        if (q->mine->platforms.len && !platforms)
            take_ahead(q, *image, s);
        return;
    }
    q->out->too_young++;
    s->grown_ms = !s->grown_ms || grown < s->grown_ms ? grown : s->grown_ms;
    take_better(q, image, s, &s->young, &s->young_key);
}

static void survey_tags(const struct question *q, struct decision *out, struct survey *s)
{
    bool needs_created = is_by_time(q);
    for (size_t i = 0; i < q->info->images_len; i++) {
        struct image_info image = repository_info_image(q->info, i);
        enum tag_match match = tag_policy_read(q->policy, &image, &s->key);
        if (q->follows_tag)
            match = match_of(q, image.tag);
        bool is_undated = needs_created && image.details->created_ms == 0;
        if (match != TAG_MATCHES || is_undated)
            out->rejected[match]++;
        if (match == TAG_OVER_LIMIT && !s->too_long)
            s->too_long = image.tag;
        if (match != TAG_MATCHES)
            continue;
        if (is_undated && image.details->problem) {
            s->unread = s->unread.tag ? s->unread : image;
            s->unread_len++;
        }
        if (is_undated)
            s->undated = s->undated.tag ? s->undated : image;
        else
            survey_match(q, &image, s);
    }
    out->tags_seen = q->info->images_len;
}

/* Why a tag has no creation time. Where the registry failed on the way, that is why. */
static const char *why_undated(const struct question *q, const struct image_info *image)
{
    if (image->details->problem)
        return image->details->problem;
    return q->scan_error ? q->scan_error->text : "the image does not say";
}

static char *find_partial_knowledge(const struct question *q, const struct survey *s, const size_t *rejected)
{
    if (s->too_long)
        return because(q, CAUSE_SLOW_POLICY,
                       xasprintf("blocked: policy %s takes too long on the tag %s; simplify the pattern",
                                 tag_policy_text(q->policy), s->too_long));
    if (!s->best.tag && !s->young.tag && !s->lacking.tag && s->undated.tag)
        return because(q, CAUSE_NO_CREATION_TIME,
                       xasprintf("blocked: no creation time is known of the tags that match %s (%zu; %s: %s)",
                                 tag_policy_text(q->policy), rejected[TAG_MATCHES], s->undated.tag,
                                 why_undated(q, &s->undated)));
    return NULL;
}

/* A glob with characters that no tag has is a slip, most often a version range without its prefix. */
static bool is_impossible(const struct tag_policy *policy)
{
    static const char glob[] = "glob:";
    const char *text = tag_policy_text(policy);
    if (!str_starts_with(text, glob))
        return false;
    text += strlen(glob);
    return text[strspn(text, "*._-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] != '\0';
}

/* Tags that match the pattern, and that the order cannot place. */
static char *describe_misfits(const struct question *q, const size_t *rejected)
{
    bool is_semver = str_starts_with(tag_policy_text(q->policy), "semver:");
    size_t misfits =
        rejected[TAG_NO_VALUE] + rejected[TAG_NOT_A_NUMBER] + (is_semver ? 0 : rejected[TAG_NOT_A_VERSION]);
    if (misfits == 0)
        return xstrdup("");
    return xasprintf(" with a value for the order %s; %zu match without one", tag_policy_order(q->policy),
                     misfits);
}

static char *describe_no_match(const struct question *q, const size_t *rejected)
{
    if (q->follows_tag)
        return xasprintf("%s is not among the %zu tags of %s", q->current, q->info->images_len,
                         q->info->repository);
    AUTO_FREE char *misfits = describe_misfits(q, rejected);
    const char *hint = is_impossible(q->policy)
                           ? "; no tag can look like that (a version range is written semver:~1.2)"
                           : "";
    return xasprintf("none of the %zu tags of %s matches %s%s%s", q->info->images_len, q->info->repository,
                     tag_policy_text(q->policy), misfits, hint);
}

static char *describe_current(const struct question *q)
{
    const char *digest = q->mine->digest == DIGEST_NEVER ? NULL : q->container->image.digest;
    if (q->follows_tag)
        return xasprintf("already %s, which %s points at", digest, q->current);
    return xasprintf("already the %s that matches %s", tag_policy_superlative(q->policy),
                     tag_policy_text(q->policy));
}

/* Whether the current tag may be the candidate and still have to be written, for its digest. */
static bool may_change_digest(const struct question *q)
{
    bool is_written = q->container->image.digest != NULL;
    return q->mine->digest == DIGEST_FOLLOW || (q->mine->digest == DIGEST_PIN && !is_written);
}

static char *find_nothing_newer(const struct question *q, const struct image_info *best)
{
    if (!is_current(q, best->tag))
        return NULL;
    const char *written = q->container->image.digest;
    bool is_same = written && best->details->digest && !strcmp(written, best->details->digest);
    if (may_change_digest(q) && !is_same)
        return NULL;
    if (may_change_digest(q))
        add_need(q, best->tag, DEMAND_DIGEST); /* to see it move */
    return describe_current(q);
}

/* By versions alone, since there are no times to compare. */
static char *find_step_back_without_time(const struct question *q, const char *candidate)
{
    int order;
    if (tag_policy_compare_versions(q->policy, candidate, q->current, &order) && order > 0)
        return NULL;
    return because(
        q, CAUSE_STEP_BACK,
        xasprintf("held: the creation time of the current %s is not known, and %s is not a %s version of "
                  "the same form",
                  q->current, candidate, tag_policy_is_descending(q->policy) ? "lower" : "higher"));
}

static char *find_step_back(const struct question *q, const struct image_info *best)
{
    if (!q->current || q->mine->allows_downgrade || is_current(q, best->tag) ||
        match_of(q, q->current) != TAG_MATCHES)
        return NULL;
    size_t at = repository_info_find(q->info, q->current);
    struct image_info known = {q->current, &image_details_unknown}; /* it may be gone */
    if (at != SIZE_MAX)
        known = repository_info_image(q->info, at);
    if (tag_policy_needs_created(q->policy) && known.details->created_ms == 0)
        return find_step_back_without_time(q, best->tag);
    if (tag_policy_compare(q->policy, best, &known) < 0)
        return because(q, CAUSE_STEP_BACK,
                       xasprintf("held: %s is %s the current %s", best->tag,
                                 tag_policy_comparative(q->policy), q->current));
    int order;
    if (!tag_policy_needs_created(q->policy) ||
        !tag_policy_compare_versions(q->policy, best->tag, q->current, &order) || order >= 0)
        return NULL;
    bool is_descending = tag_policy_is_descending(q->policy);
    return because(q, CAUSE_STEP_BACK,
                   xasprintf("held: %s is %s than the current %s, but the %s version", best->tag,
                             is_descending ? "older" : "newer", q->current,
                             is_descending ? "higher" : "lower"));
}

static char *describe_lock(const struct workload_policy *workload)
{
    const char *user = workload->locked_user, *message = workload->locked_message;
    char until[CLOCK_RFC3339_SIZE] = "";
    if (workload->locked_until_ms)
        clock_format_rfc3339(workload->locked_until_ms, until);
    return xasprintf("held: locked%s%s%s%s%s%s", user ? " by " : "", user ? user : "",
                     *until ? " until " : "", until, message ? ": " : "", message ? message : "");
}

static char *describe_age(const struct question *q)
{
    char time[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339(q->info->scanned_ms, time);
    return xasprintf("held: the registry's last answer is of %s: %s", time, q->scan_error->text);
}

static char *find_lock(const struct question *q)
{
    const struct workload_policy *workload = q->workload;
    if (!workload_policy_is_locked(workload, q->facts->now_ms))
        return NULL;
    q->out->until_ms = workload->locked_until_ms;
    return because(q, CAUSE_LOCKED, describe_lock(workload));
}

static char *find_closed_window(const struct question *q)
{
    const struct workload_policy *workload = q->workload;
    int64_t now_ms = q->facts->now_ms;
    if (!workload->window || update_window_is_open(workload->window, now_ms))
        return NULL;
    int64_t opens_ms = update_window_next_change_ms(workload->window, now_ms);
    q->out->until_ms = opens_ms;
    char time[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339(opens_ms, time);
    return because(q, CAUSE_WINDOW,
                   xasprintf("held: the window %s is closed until %s", workload->window_text, time));
}

static char *find_hold(const struct question *q)
{
    char *reason;
    if (q->overridden)
        return because(q, CAUSE_OVERRIDDEN,
                       xasprintf("held: overridden by the kustomization's entry in %s", q->overridden));
    if (q->workload->ignored)
        return because(q, CAUSE_IGNORED, xstrdup("held: the workload is to be ignored"));
    if (!q->workload->automated && !q->container->policy_text)
        return because(q, CAUSE_NOT_AUTOMATED, xstrdup("held: not automated"));
    if ((reason = find_lock(q)))
        return reason;
    if (q->container->image.digest && q->mine->digest == DIGEST_NEVER)
        return because(q, CAUSE_PINNED, xasprintf("held: pinned to %s", q->container->image.digest));
    if (q->scan_error)
        return because(q, CAUSE_STALE, describe_age(q));
    return find_closed_window(q);
}

/* What is said while something of the candidate is not known. */
static char *describe_unknown(const struct question *q, const struct image_info *best, const char *what,
                              const char *verb)
{
    const char *problem = best->details->problem;
    return because(q, CAUSE_NO_DETAILS,
                   xasprintf("held: the %s of %s %s not known%s%s", what, best->tag, verb,
                             problem ? ": " : "", problem ? problem : ", as the registry has not told"));
}

/* Platforms and digest, each asked of the candidate alone. */
static char *find_missing_detail(const struct question *q, const struct image_info *best)
{
    const struct image_details *details = best->details;
    bool is_by_digest = q->mine->digest != DIGEST_NEVER || q->mine->min_age_ms;
    if (is_by_digest)
        add_need(q, best->tag, DEMAND_DIGEST);
    if (q->mine->platforms.len)
        add_need(q, best->tag, DEMAND_PLATFORMS);
    if (is_by_digest && !details->digest)
        return describe_unknown(q, best, "digest", "is");
    if (q->mine->platforms.len && !details->platforms)
        return describe_unknown(q, best, "platforms", "are");
    const char *missing =
        details->platforms ? platforms_missing(&q->mine->platforms, details->platforms) : NULL;
    return missing ? because(q, CAUSE_PLATFORM, xasprintf("held: %s has no image for %s", best->tag, missing))
                   : NULL;
}

/* "held: 1.4.0 is 3h old, min-age is 2d: until …" */
static char *describe_youth(const struct question *q, const struct image_info *image)
{
    char age[CLOCK_DURATION_SIZE], min_age[CLOCK_DURATION_SIZE], until[CLOCK_RFC3339_SIZE];
    int64_t grown = grown_ms(q, image), now_ms = q->facts->now_ms;
    int64_t age_ms = now_ms - (grown - q->mine->min_age_ms);
    int64_t unit_ms = age_ms < 60000 ? 1000 : 60000; /* nobody wants to know the milliseconds of two days */
    clock_format_duration(age_ms > 0 ? age_ms / unit_ms * unit_ms : 0, age);
    clock_format_duration(q->mine->min_age_ms, min_age);
    clock_format_rfc3339(grown, until);
    return because(q, CAUSE_TOO_YOUNG,
                   xasprintf("held: %s is %s old, min-age is %s: until %s", image->tag, age, min_age, until));
}

/* The digest of the current tag that has moved to it has an age, too. */
static char *find_youth(const struct question *q, const struct image_info *best)
{
    int64_t grown = grown_ms(q, best);
    if (grown <= q->facts->now_ms)
        return NULL;
    q->out->until_ms = grown;
    return describe_youth(q, best);
}

/* Nothing but the current tag may be taken, and there is better. */
static char *find_passed_over(const struct question *q, const struct survey *s)
{
    const struct image_info *best = &s->best;
    bool has_other = best->tag && !is_current(q, best->tag);
    if (s->lacking.tag && (!best->tag || tag_policy_compare(q->policy, &s->lacking, best) > 0))
        add_need(q, s->lacking.tag,
                 DEMAND_PLATFORMS | DEMAND_DIGEST); /* it may be pushed for more platforms */
    if (s->young.tag)
        add_need(q, s->young.tag, DEMAND_DIGEST); /* pushed again, it is as young as that */
    if (s->young.tag && !has_other && (!best->tag || tag_policy_compare(q->policy, &s->young, best) > 0)) {
        free(q->out->candidate);
        q->out->candidate = xstrdup(s->young.tag);
        q->out->until_ms = s->grown_ms;
        return describe_youth(q, &s->young);
    }
    if (s->lacking.tag && !best->tag) {
        free(q->out->candidate);
        q->out->candidate = xstrdup(s->lacking.tag);
        return because(q, CAUSE_PLATFORM,
                       xasprintf("held: %s has no image for %s, nor has any other that matches %s",
                                 s->lacking.tag,
                                 platforms_missing(&q->mine->platforms, s->lacking.details->platforms),
                                 tag_policy_text(q->policy)));
    }
    return NULL;
}

/* The same tag, and another digest. */
static char *describe_new_digest(const struct question *q, const struct image_info *best)
{
    const char *before = q->container->image.digest;
    return before ? xasprintf("%s now points at %s", best->tag, best->details->digest)
                  : xasprintf("%s is pinned to %s", best->tag, best->details->digest);
}

static char *describe_update(const struct question *q, const struct image_info *best)
{
    if (is_current(q, best->tag))
        return describe_new_digest(q, best);
    bool current_matches = q->current && match_of(q, q->current) == TAG_MATCHES;
    if (current_matches)
        return xasprintf("%s is the %s that matches %s", best->tag, tag_policy_superlative(q->policy),
                         tag_policy_text(q->policy));
    return xasprintf("%s is the %s that matches %s; the current %s does not match", best->tag,
                     tag_policy_superlative(q->policy), tag_policy_text(q->policy),
                     q->current ? q->current : q->container->image.digest);
}

/* What was passed over although it is better, and why. */
static char *with_passed_over(const struct question *q, const struct survey *s, char *reason)
{
    if (!reason)
        return NULL;
    AUTO_FREE char *owned = reason;
    const struct image_info *best = &s->best;
    bool is_young = s->young.tag && tag_policy_compare(q->policy, &s->young, best) > 0;
    bool is_lacking = s->lacking.tag && tag_policy_compare(q->policy, &s->lacking, best) > 0;
    if (!is_young && !is_lacking)
        return steal(&owned);
    const char *missing =
        is_lacking ? platforms_missing(&q->mine->platforms, s->lacking.details->platforms) : "";
    return xasprintf("%s; passed over %s%s%s%s%s%s", owned, is_young ? s->young.tag : "",
                     is_young ? ", which is too young" : "", is_young && is_lacking ? ", and " : "",
                     is_lacking ? s->lacking.tag : "", is_lacking ? ", which has no image for " : "",
                     missing);
}

/* A tag that was passed over because it could not be read may be the one that people wait for. */
static char *with_unread(const struct survey *s, char *reason)
{
    if (!reason || !s->unread.tag)
        return reason;
    AUTO_FREE char *owned = reason;
    AUTO_FREE char *many =
        s->unread_len > 1 ? xasprintf(" %zu tags, one of them", s->unread_len) : xstrdup("");
    const char *problem = s->unread.details->problem;
    bool is_named = strstr(problem, s->unread.tag) != NULL; /* "the manifest of 1.2.0: …" */
    return xasprintf("%s; passed over%s %s%s%s", owned, many, is_named ? "" : s->unread.tag,
                     is_named ? "" : ": ", problem);
}

static char *find_reason_to_wait(const struct question *q, const struct image_info *best)
{
    char *reason;
    if ((reason = find_step_back(q, best)) || (reason = find_hold(q)) ||
        (reason = find_missing_detail(q, best)))
        return reason;
    return is_current(q, best->tag) ? find_youth(q, best) : NULL;
}

static void decide(const struct question *q, struct decision *out)
{
    out->kind = DECISION_BLOCKED;
    if ((out->reason = find_defect(q)) || (out->reason = find_missing_answer(q)))
        return;
    CLEANUP(survey_release) struct survey s = {.too_long = NULL};
    survey_tags(q, out, &s);
    if ((out->reason = find_partial_knowledge(q, &s, out->rejected)))
        return;
    out->kind = DECISION_HELD;
    if ((out->reason = find_passed_over(q, &s)))
        return;
    out->kind = DECISION_CURRENT;
    if (!s.best.tag) {
        out->reason = describe_no_match(q, out->rejected);
        return;
    }
    out->candidate = xstrdup(s.best.tag);
    if ((out->reason = with_unread(&s, with_passed_over(q, &s, find_nothing_newer(q, &s.best)))))
        return;
    out->kind = DECISION_HELD;
    out->until_ms = s.grown_ms;
    for (size_t i = 0; out->without_platform && !s.best.details->platforms && i < s.ahead_len; i++)
        add_need(q, s.ahead[i].tag, DEMAND_PLATFORMS);
    if ((out->reason = find_reason_to_wait(q, &s.best)))
        return;
    out->kind = DECISION_UPDATE;
    out->until_ms = 0;
    out->target = image_ref_with_digest(&q->container->image, s.best.tag,
                                        q->mine->digest == DIGEST_NEVER ? NULL : s.best.details->digest);
    out->reason = with_unread(&s, with_passed_over(q, &s, describe_update(q, &s.best)));
}

/* Annotations and registries may put anything into a reason, line ends and terminal escapes too. */
static void make_one_line(char *reason)
{
    for (; *reason; reason++) {
        if ((unsigned char)*reason < ' ' || *reason == 0x7f)
            *reason = ' ';
    }
}

static const char *current_tag(const struct container_policy *mine)
{
    const struct image_ref *image = &mine->container->image;
    if (image->tag || image->digest || !image->text)
        return image->tag;
    return mine->base_tag ? mine->base_tag : "latest";
}

void choose(const struct workload_policy *policy, size_t index, const struct choose_facts *facts,
            struct decision *out)
{
    const struct container_policy *mine = &policy->containers[index];
    const struct error *scan_error = facts->scan_error;
    const struct question q = {
        .workload = policy,
        .mine = mine,
        .container = mine->container,
        .overridden = mine->overridden,
        .policy = mine->policy,
        .facts = facts,
        .info = facts->info,
        .scan_error = scan_error && scan_error->code != ERROR_NONE ? scan_error : NULL,
        .current = current_tag(mine),
        .follows_tag = mine->digest == DIGEST_FOLLOW && !mine->has_tag_policy,
        .out = out,
    };
    *out = (struct decision){
        .resource = policy->resource, .container = mine->container, .workload = policy, .settings = mine};
    decide(&q, out);
    make_one_line(out->reason);
}
