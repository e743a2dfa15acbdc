#include "updater/choose.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "updater/tag_order.h"

/*
 * Every rule is a function that says NULL where it has nothing to say, and else the reason, which the
 * decision takes over.
 */
struct question {
    const struct workload_policy *workload;
    const struct container *container;
    const char *overridden;          /* where; NULL: it is not */
    const struct tag_policy *policy; /* NULL if it does not compile */
    const struct error *policy_problem;
    const struct repository_info *info;
    const struct error *scan_error; /* NULL: none */
    const char *current;            /* the tag; NULL if the image has a digest alone, or cannot be read */
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
    *decision = (struct decision){.kind = DECISION_BLOCKED};
}

/* What the policy's best tag is called: "the newest", "the highest version". */
static const char *superlative(const struct tag_policy *policy)
{
    return tag_policy_needs_created(policy) ? "newest" : "highest version";
}

static char *find_defect(const struct question *q)
{
    const struct resource *resource = q->workload->resource;
    if (q->workload->blocked)
        return because(q, q->workload->is_blocked_here ? CAUSE_BAD_POLICY : CAUSE_UNKNOWN_KEY,
                       xasprintf("blocked: %s", q->workload->blocked));
    if (resource->is_duplicate)
        return because(q, CAUSE_DUPLICATE,
                       xasprintf("blocked: %s:%s/%s is defined more than once", resource->id.space,
                                 resource->id.kind, resource->id.name));
    if (!q->container->image.text || q->container->problem.code != ERROR_NONE)
        return because(q, CAUSE_BAD_IMAGE, xasprintf("blocked: %s", q->container->problem.text));
    if (!q->policy)
        return because(q, CAUSE_BAD_POLICY, xasprintf("blocked: %s", q->policy_problem->text));
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

/* What one pass over the tags finds. */
struct survey {
    struct image_info best;    /* the last in the order of those that match; without a tag: none */
    struct image_info undated; /* the first that matches and has no creation time */
    struct image_info unread;  /* the first that matches and whose creation time could not be read */
    size_t unread_len;
    const char *too_long; /* the first that the pattern took too long on */
};

static struct survey survey_tags(const struct question *q, struct decision *out)
{
    struct survey s = {.too_long = NULL};
    bool needs_created = tag_policy_needs_created(q->policy);
    for (size_t i = 0; i < q->info->images_len; i++) {
        struct image_info image = repository_info_image(q->info, i);
        enum tag_match match = tag_policy_match(q->policy, image.tag);
        bool is_undated = needs_created && image.details->created_ms == 0;
        if (match != TAG_MATCHES || is_undated)
            out->rejected[match]++;
        if (match == TAG_OVER_LIMIT && !s.too_long)
            s.too_long = image.tag;
        if (match != TAG_MATCHES)
            continue;
        if (is_undated && image.details->problem) {
            s.unread = s.unread.tag ? s.unread : image;
            s.unread_len++;
        }
        if (is_undated)
            s.undated = s.undated.tag ? s.undated : image;
        else if (!s.best.tag || tag_policy_compare(q->policy, &image, &s.best) > 0)
            s.best = image;
    }
    out->tags_seen = q->info->images_len;
    return s;
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
    if (!s->best.tag && s->undated.tag)
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

static char *describe_no_match(const struct question *q)
{
    const char *hint = is_impossible(q->policy)
                           ? "; no tag can look like that (a version range is written semver:~1.2)"
                           : "";
    return xasprintf("none of the %zu tags of %s matches %s%s", q->info->images_len, q->info->repository,
                     tag_policy_text(q->policy), hint);
}

static char *find_nothing_newer(const struct question *q, const struct image_info *best)
{
    if (!q->current || strcmp(best->tag, q->current) != 0)
        return NULL;
    return xasprintf("already the %s that matches %s", superlative(q->policy), tag_policy_text(q->policy));
}

/* By versions alone, since there are no times to compare. */
static char *find_step_back_without_time(const struct question *q, const char *candidate)
{
    int order;
    if (tag_compare_versions(candidate, q->current, &order) && order > 0)
        return NULL;
    return because(
        q, CAUSE_STEP_BACK,
        xasprintf("held: the creation time of the current %s is not known, and %s is not a higher version of "
                  "the same form",
                  q->current, candidate));
}

static char *find_step_back(const struct question *q, const struct image_info *best)
{
    if (!q->current || tag_policy_match(q->policy, q->current) != TAG_MATCHES)
        return NULL;
    size_t at = repository_info_find(q->info, q->current);
    struct image_info known = {q->current, &image_details_unknown}; /* it may be gone */
    if (at != SIZE_MAX)
        known = repository_info_image(q->info, at);
    if (tag_policy_needs_created(q->policy) && known.details->created_ms == 0)
        return find_step_back_without_time(q, best->tag);
    if (tag_policy_compare(q->policy, best, &known) < 0)
        return because(q, CAUSE_STEP_BACK,
                       xasprintf("held: %s is older than the current %s", best->tag, q->current));
    int order;
    if (tag_policy_needs_created(q->policy) && tag_compare_versions(best->tag, q->current, &order) &&
        order < 0)
        return because(
            q, CAUSE_STEP_BACK,
            xasprintf("held: %s is newer than the current %s, but the lower version", best->tag, q->current));
    return NULL;
}

static char *describe_lock(const struct workload_policy *workload)
{
    const char *user = workload->locked_user, *message = workload->locked_message;
    return xasprintf("held: locked%s%s%s%s", user ? " by " : "", user ? user : "", message ? ": " : "",
                     message ? message : "");
}

static char *describe_age(const struct question *q)
{
    char time[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339(q->info->scanned_ms, time);
    return xasprintf("held: the registry's last answer is of %s: %s", time, q->scan_error->text);
}

static char *find_hold(const struct question *q)
{
    if (q->overridden)
        return because(q, CAUSE_OVERRIDDEN,
                       xasprintf("held: overridden by the kustomization's entry in %s", q->overridden));
    if (q->workload->ignored)
        return because(q, CAUSE_IGNORED, xstrdup("held: the workload is to be ignored"));
    if (!q->workload->automated && !q->container->policy_text)
        return because(q, CAUSE_NOT_AUTOMATED, xstrdup("held: not automated"));
    if (q->workload->locked)
        return because(q, CAUSE_LOCKED, describe_lock(q->workload));
    if (q->container->image.digest)
        return because(q, CAUSE_PINNED, xasprintf("held: pinned to %s", q->container->image.digest));
    if (q->scan_error)
        return because(q, CAUSE_STALE, describe_age(q));
    return NULL;
}

static char *describe_update(const struct question *q, const struct image_info *best)
{
    bool current_matches = q->current && tag_policy_match(q->policy, q->current) == TAG_MATCHES;
    if (current_matches)
        return xasprintf("%s is the %s that matches %s", best->tag, superlative(q->policy),
                         tag_policy_text(q->policy));
    return xasprintf("%s is the %s that matches %s; the current %s does not match", best->tag,
                     superlative(q->policy), tag_policy_text(q->policy),
                     q->current ? q->current : q->container->image.digest);
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

static void decide(const struct question *q, struct decision *out)
{
    out->kind = DECISION_BLOCKED;
    if ((out->reason = find_defect(q)) || (out->reason = find_missing_answer(q)))
        return;
    struct survey s = survey_tags(q, out);
    if ((out->reason = find_partial_knowledge(q, &s, out->rejected)))
        return;
    out->kind = DECISION_CURRENT;
    if (!s.best.tag) {
        out->reason = describe_no_match(q);
        return;
    }
    out->candidate = xstrdup(s.best.tag);
    if ((out->reason = with_unread(&s, find_nothing_newer(q, &s.best))))
        return;
    out->kind = DECISION_HELD;
    if ((out->reason = find_step_back(q, &s.best)) || (out->reason = find_hold(q)))
        return;
    out->kind = DECISION_UPDATE;
    out->target = image_ref_with_tag(&q->container->image, s.best.tag);
    out->reason = with_unread(&s, describe_update(q, &s.best));
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

void choose(const struct workload_policy *policy, size_t index, const struct repository_info *info,
            const struct error *scan_error, struct decision *out)
{
    const struct container_policy *mine = &policy->containers[index];
    const struct question q = {
        .workload = policy,
        .container = mine->container,
        .overridden = mine->overridden,
        .policy = mine->policy,
        .policy_problem = &mine->problem,
        .info = info,
        .scan_error = scan_error && scan_error->code != ERROR_NONE ? scan_error : NULL,
        .current = current_tag(mine),
        .out = out,
    };
    *out = (struct decision){.resource = policy->resource, .container = mine->container};
    decide(&q, out);
    make_one_line(out->reason);
}
