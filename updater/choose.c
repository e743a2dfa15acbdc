#include "updater/choose.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "updater/hold.h"
#include "updater/platforms.h"
#include "updater/question.h"
#include "updater/shared_surveys.h"
#include "updater/tag_survey.h"

static char *find_defect(const struct question *q)
{
    const struct resource *resource = q->workload->resource;
    if (q->workload->blocked)
        return question_because(
            q,
            q->workload->has_bad_value || q->workload->is_blocked_here ? CAUSE_BAD_POLICY : CAUSE_UNKNOWN_KEY,
            xasprintf("blocked: %s", q->workload->blocked));
    if (resource->is_duplicate)
        return question_because(q, CAUSE_DUPLICATE,
                                xasprintf("blocked: %s:%s/%s is defined more than once", resource->id.space,
                                          resource->id.kind, resource->id.name));
    if (!q->container->image.text || q->container->problem.code != ERROR_NONE)
        return question_because(q, CAUSE_BAD_IMAGE, xasprintf("blocked: %s", q->container->problem.text));
    if (!q->policy)
        return question_because(q, CAUSE_BAD_POLICY, xasprintf("blocked: %s", q->mine->problem));
    if (q->follows_tag && !q->current)
        return question_because(
            q, CAUSE_BAD_POLICY,
            xstrdup("blocked: the image has no tag whose digest could be followed, and no tag policy"));
    return NULL;
}

static char *find_missing_answer(const struct question *q)
{
    if (!q->info && q->scan_error)
        return question_because(q, CAUSE_NO_ANSWER,
                                xasprintf("blocked: no tags are known: %s", q->scan_error->text));
    if (!q->info)
        return question_because(q, CAUSE_NO_ANSWER,
                                xstrdup("blocked: no tags are known: the registry was not asked yet"));
    if (q->info->is_truncated)
        return question_because(
            q, CAUSE_TRUNCATED,
            xasprintf("blocked: %s has more tags than are read (%zu); raise --registry-tag-limit",
                      q->info->repository, q->info->images_len));
    if (q->info->is_shrunken)
        return question_because(
            q, CAUSE_SHRUNKEN,
            xasprintf(
                "blocked: the registry lists %zu tags of %s where it had %zu; that is believed when a later "
                "scan finds the same",
                q->info->shrunken_len, q->info->repository, q->info->images_len));
    return NULL;
}

/* Why a tag has no creation time. Where the registry failed on the way, that is why. */
static const char *why_undated(const struct question *q, const struct image_info *image)
{
    if (image->details->problem)
        return image->details->problem;
    return q->scan_error ? q->scan_error->text : "the image does not say";
}

static char *find_partial_knowledge(const struct question *q, const struct tag_survey *s,
                                    const size_t *rejected)
{
    if (s->too_long)
        return question_because(
            q, CAUSE_SLOW_POLICY,
            xasprintf("blocked: policy %s takes too long on the tag %s; simplify the pattern",
                      tag_policy_text(q->policy), s->too_long));
    if (!s->best.tag && !s->young.tag && !s->lacking.tag && s->undated.tag)
        return question_because(
            q, CAUSE_NO_CREATION_TIME,
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

/* What to write instead of a policy that takes nothing. */
static const char *hint_for(const struct tag_policy *policy, const size_t *rejected)
{
    if (is_impossible(policy))
        return "; no tag can look like that (a version range is written semver:~1.2)";
    if (rejected[TAG_IS_LATEST] && strcasestr(tag_policy_text(policy), "latest"))
        return "; the tag latest is taken by glob:latest alone";
    return "";
}

static char *describe_no_match(const struct question *q, const size_t *rejected)
{
    if (q->follows_tag)
        return xasprintf("%s is not among the %zu tags of %s", q->current, q->info->images_len,
                         q->info->repository);
    AUTO_FREE char *misfits = describe_misfits(q, rejected);
    return xasprintf("none of the %zu tags of %s matches %s%s%s", q->info->images_len, q->info->repository,
                     tag_policy_text(q->policy), misfits, hint_for(q->policy, rejected));
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
    if (!question_is_current(q, best->tag))
        return NULL;
    const char *written = q->container->image.digest;
    bool is_same = written && best->details->digest && !strcmp(written, best->details->digest);
    if (may_change_digest(q) && !is_same)
        return NULL;
    if (may_change_digest(q))
        decision_add_need(q->out, best->tag, DEMAND_DIGEST); /* to see it move */
    return describe_current(q);
}

/* What is said while something of the candidate is not known. */
static char *describe_unknown(const struct question *q, const struct image_info *best, const char *what,
                              const char *verb)
{
    const char *problem = best->details->problem;
    return question_because(q, CAUSE_NO_DETAILS,
                            xasprintf("held: the %s of %s %s not known%s%s", what, best->tag, verb,
                                      problem ? ": " : "",
                                      problem ? problem : ", as the registry has not told"));
}

/* Platforms and digest, each asked of the candidate alone. */
static char *find_missing_detail(const struct question *q, const struct image_info *best)
{
    const struct image_details *details = best->details;
    bool is_by_digest = q->mine->digest != DIGEST_NEVER || q->mine->min_age_ms;
    if (is_by_digest)
        decision_add_need(q->out, best->tag, DEMAND_DIGEST);
    if (q->mine->platforms.len)
        decision_add_need(q->out, best->tag, DEMAND_PLATFORMS);
    if (is_by_digest && !details->digest)
        return describe_unknown(q, best, "digest", "is");
    if (q->mine->platforms.len && !details->platforms)
        return describe_unknown(q, best, "platforms", "are");
    const char *missing =
        details->platforms ? platforms_missing(&q->mine->platforms, details->platforms) : NULL;
    return missing ? question_because(q, CAUSE_PLATFORM,
                                      xasprintf("held: %s has no image for %s", best->tag, missing))
                   : NULL;
}

/* "held: 1.4.0 is 3h old, min-age is 2d: until …"; by the registry's account it "was pushed 3h ago". */
static char *describe_youth(const struct question *q, const struct image_info *image)
{
    char age[CLOCK_DURATION_SIZE], min_age[CLOCK_DURATION_SIZE], until[CLOCK_RFC3339_SIZE];
    int64_t grown = question_grown_ms(q, image), now_ms = q->facts->now_ms;
    int64_t since_ms = grown - q->mine->min_age_ms, age_ms = now_ms - since_ms;
    bool is_pushed = image->details->pushed_ms && image->details->pushed_ms == since_ms;
    int64_t unit_ms = age_ms < 60000 ? 1000 : 60000; /* nobody wants to know the milliseconds of two days */
    clock_format_duration(age_ms > 0 ? age_ms / unit_ms * unit_ms : 0, age);
    clock_format_duration(q->mine->min_age_ms, min_age);
    clock_format_rfc3339((grown + 999) / 1000 * 1000, until);
    return question_because(q, CAUSE_TOO_YOUNG,
                            xasprintf("held: %s %s %s %s, min-age is %s: until %s", image->tag,
                                      is_pushed ? "was pushed" : "is", age, is_pushed ? "ago" : "old",
                                      min_age, until));
}

/* The digest of the current tag that has moved to it has an age, too. */
static char *find_youth(const struct question *q, const struct image_info *best)
{
    int64_t grown = question_grown_ms(q, best);
    if (grown <= q->facts->now_ms)
        return NULL;
    q->out->until_ms = grown;
    return describe_youth(q, best);
}

/* Nothing but the current tag may be taken, and there is better. */
static char *find_passed_over(const struct question *q, const struct tag_survey *s)
{
    const struct image_info *best = &s->best;
    bool has_other = best->tag && !question_is_current(q, best->tag);
    if (s->lacking.tag && (!best->tag || tag_policy_compare(q->policy, &s->lacking, best) > 0))
        decision_add_need(q->out, s->lacking.tag,
                          DEMAND_PLATFORMS | DEMAND_DIGEST); /* it may be pushed for more platforms */
    if (s->young.tag)
        decision_add_need(q->out, s->young.tag, DEMAND_DIGEST); /* pushed again, it is as young as that */
    if (s->young.tag && !has_other && (!best->tag || tag_policy_compare(q->policy, &s->young, best) > 0)) {
        free(q->out->candidate);
        q->out->candidate = xstrdup(s->young.tag);
        q->out->until_ms = s->grown_ms;
        return describe_youth(q, &s->young);
    }
    if (s->lacking.tag && !best->tag) {
        free(q->out->candidate);
        q->out->candidate = xstrdup(s->lacking.tag);
        return question_because(
            q, CAUSE_PLATFORM,
            xasprintf("held: %s has no image for %s, nor has any other that matches %s", s->lacking.tag,
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
    if (question_is_current(q, best->tag))
        return describe_new_digest(q, best);
    bool current_matches = q->current && question_match(q, q->current) == TAG_MATCHES;
    if (current_matches)
        return xasprintf("%s is the %s that matches %s", best->tag, tag_policy_superlative(q->policy),
                         tag_policy_text(q->policy));
    return xasprintf("%s is the %s that matches %s; the current %s does not match", best->tag,
                     tag_policy_superlative(q->policy), tag_policy_text(q->policy),
                     q->current ? q->current : q->container->image.digest);
}

/* What was passed over although it is better, and why. */
static char *with_passed_over(const struct question *q, const struct tag_survey *s, char *reason)
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
static char *with_unread(const struct tag_survey *s, char *reason)
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
    if ((reason = hold_find_step_back(q, best)) || (reason = hold_find_other(q)) ||
        (reason = find_missing_detail(q, best)))
        return reason;
    return question_is_current(q, best->tag) ? find_youth(q, best) : NULL;
}

static void decide(const struct question *q, struct decision *out)
{
    out->kind = DECISION_BLOCKED;
    if ((out->reason = find_defect(q)))
        return;
    if (q->overridden && !q->info) {
        out->kind = DECISION_HELD;
        out->reason = hold_find_other(q);
        return;
    }
    if ((out->reason = find_missing_answer(q)))
        return;
    CLEANUP(tag_survey_release) struct tag_survey own = {.too_long = NULL};
    const struct tag_survey *s = shared_surveys_find(q, &own);
    if ((out->reason = find_partial_knowledge(q, s, out->rejected)))
        return;
    out->kind = DECISION_HELD;
    if ((out->reason = find_passed_over(q, s)))
        return;
    out->kind = DECISION_CURRENT;
    if (!s->best.tag) {
        out->reason = describe_no_match(q, out->rejected);
        return;
    }
    out->candidate = xstrdup(s->best.tag);
    if ((out->reason = with_unread(s, with_passed_over(q, s, find_nothing_newer(q, &s->best)))))
        return;
    out->kind = DECISION_HELD;
    out->until_ms = s->grown_ms;
    for (size_t i = 0; out->without_platform && !s->best.details->platforms && i < s->ahead_len; i++)
        decision_add_need(q->out, s->ahead[i].tag, DEMAND_PLATFORMS);
    if ((out->reason = find_reason_to_wait(q, &s->best)))
        return;
    out->kind = DECISION_UPDATE;
    out->until_ms = 0;
    out->target = image_ref_with_digest(&q->container->image, s->best.tag,
                                        q->mine->digest == DIGEST_NEVER ? NULL : s->best.details->digest);
    out->reason = with_unread(s, with_passed_over(q, s, describe_update(q, &s->best)));
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
