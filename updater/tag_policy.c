#include "updater/tag_policy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "updater/glob.h"
#include "updater/regexp.h"
#include "updater/semver.h"
#include "updater/tag_order.h"

struct tag_policy {
    const struct type *type;
    char *text;
    const char *pattern; /* the part of the text after the prefix */
    struct semver_constraint *constraint;
    struct regexp *regexp;
    struct tag_ranking ranking;
    char *extract; /* NULL: the order goes by the tag */
    bool takes_latest;
    bool is_of_charts;
};

struct type {
    const char *prefix;
    int (*compile)(struct tag_policy *policy, struct error *err);
    /* The key gets what the template makes of the tag, if there is one, and what else was found out on the way. */
    enum tag_match (*match)(const struct tag_policy *policy, const char *tag, struct tag_key *key);
    const struct tag_ranking *ranking; /* where no other is set */
};

static int refuse_empty(const struct tag_policy *policy, struct error *err)
{
    if (policy->pattern[0] == '\0')
        return error_set(err, ERROR_INVALID, "the pattern is empty; glob:* takes every tag");
    return 0;
}

static int compile_glob(struct tag_policy *policy, struct error *err)
{
    policy->takes_latest = strcmp(policy->pattern, "latest") == 0;
    return refuse_empty(policy, err);
}

static enum tag_match match_glob(const struct tag_policy *policy, const char *tag, struct tag_key *key)
{
    (void)key;
    return glob_match(policy->pattern, tag) ? TAG_MATCHES : TAG_DIFFERS;
}

static int compile_semver(struct tag_policy *policy, struct error *err)
{
    policy->constraint = semver_constraint_new(policy->pattern, err);
    return policy->constraint ? 0 : -1;
}

static enum tag_match match_semver(const struct tag_policy *policy, const char *tag, struct tag_key *key)
{
    if (!semver_parse(tag, &key->version))
        return TAG_NOT_A_VERSION;
    key->version_of = tag;
    return semver_constraint_check(policy->constraint, &key->version) ? TAG_MATCHES : TAG_DIFFERS;
}

static int compile_regexp(struct tag_policy *policy, struct error *err)
{
    if (refuse_empty(policy, err) < 0)
        return -1;
    policy->regexp = regexp_new(policy->pattern, err);
    return policy->regexp ? 0 : -1;
}

static enum tag_match match_regexp(const struct tag_policy *policy, const char *tag, struct tag_key *key)
{
    static const enum tag_match results[] = {
        [REGEXP_MATCHES] = TAG_MATCHES,
        [REGEXP_DIFFERS] = TAG_DIFFERS,
        [REGEXP_OVER_LIMIT] = TAG_OVER_LIMIT,
    };
    return results[regexp_match(policy->regexp, tag, policy->extract ? &key->value : NULL)];
}

static const struct type glob_type = {"glob:", compile_glob, match_glob, &tag_ranking_newest};
static const struct type semver_type = {"semver:", compile_semver, match_semver, &tag_ranking_semver};
static const struct type regexp_type = {"regexp:", compile_regexp, match_regexp, &tag_ranking_newest};

static const struct {
    const char *prefix;
    const struct type *type;
} prefixes[] = {
    {"glob:", &glob_type},
    {"semver:", &semver_type},
    {"regexp:", &regexp_type},
    {"regex:", &regexp_type},
};

/* The type that the text names, and its pattern; a text without a colon is a glob (no tag has a colon). */
static const struct type *find_type(const char *text, const char **pattern, struct error *err)
{
    *pattern = text;
    const char *colon = strchr(text, ':');
    if (!colon)
        return &glob_type;
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (!str_starts_with(text, prefixes[i].prefix))
            continue;
        *pattern = text + strlen(prefixes[i].prefix);
        return prefixes[i].type;
    }
    error_set(err, ERROR_INVALID,
              "%s: there is no kind of policy \"%.*s:\"; there are glob:, semver: and regexp:", text,
              (int)(colon - text), text);
    return NULL;
}

struct tag_policy *tag_policy_new(const char *text, struct error *err)
{
    if (strlen(text) > LIMIT_PATTERN_LENGTH) {
        error_set(err, ERROR_TOO_LARGE, "%.40s…: longer than the %u bytes that a policy may have", text,
                  LIMIT_PATTERN_LENGTH);
        return NULL;
    }
    const char *pattern;
    const struct type *type = find_type(text, &pattern, err);
    if (!type)
        return NULL;
    struct tag_policy *policy = xcalloc(1, sizeof(*policy));
    policy->type = type;
    policy->ranking = *type->ranking;
    policy->text = xasprintf("%s%s", type->prefix, pattern);
    policy->pattern = policy->text + strlen(type->prefix);
    if (type->compile(policy, err) == 0)
        return policy;
    error_wrap(err, "%s", policy->text);
    tag_policy_free(policy);
    return NULL;
}

void tag_policy_free(struct tag_policy *policy)
{
    if (!policy)
        return;
    semver_constraint_free(policy->constraint);
    regexp_free(policy->regexp);
    free(policy->extract);
    free(policy->text);
    free(policy);
}

void tag_policy_release(struct tag_policy **policy)
{
    tag_policy_free(*policy);
    *policy = NULL;
}

int tag_policy_set_order(struct tag_policy *policy, const char *text, struct error *err)
{
    return tag_ranking_parse(text, &policy->ranking, err);
}

int tag_policy_set_extract(struct tag_policy *policy, const char *text, struct error *err)
{
    if (!policy->regexp)
        return error_set(err, ERROR_INVALID,
                         "there is nothing to extract with %s: only the groups of a regexp: can be extracted",
                         policy->text);
    if (strlen(text) > LIMIT_PATTERN_LENGTH)
        return error_set(err, ERROR_TOO_LARGE, "%.40s…: longer than the %u bytes that a template may have",
                         text, LIMIT_PATTERN_LENGTH);
    if (regexp_set_template(policy->regexp, text, err) < 0)
        return -1;
    free(policy->extract);
    policy->extract = xstrdup(text);
    return 0;
}

void tag_policy_set_charts(struct tag_policy *policy)
{
    policy->is_of_charts = true;
}

const char *tag_policy_text(const struct tag_policy *policy)
{
    return policy->text;
}

const char *tag_policy_order(const struct tag_policy *policy)
{
    return tag_ranking_name(&policy->ranking);
}

const char *tag_policy_extract(const struct tag_policy *policy)
{
    return policy->extract;
}

bool tag_policy_equals(const struct tag_policy *a, const struct tag_policy *b)
{
    return a->is_of_charts == b->is_of_charts && !strcmp(a->text, b->text) &&
           !strcmp(tag_policy_order(a), tag_policy_order(b)) &&
           !strcmp(a->extract ? a->extract : "", b->extract ? b->extract : "");
}

struct tag_policy *tag_policy_copy(const struct tag_policy *policy)
{
    struct error err = ERROR_INIT;
    struct tag_policy *copy = tag_policy_new(policy->text, &err);
    if (!copy || (policy->extract && tag_policy_set_extract(copy, policy->extract, &err) < 0))
        abort(); /* it compiled before */
    copy->ranking = policy->ranking;
    copy->is_of_charts = policy->is_of_charts;
    return copy;
}

void tag_policy_add_identity(const struct tag_policy *policy, struct strbuf *out)
{
    const char *extract = policy->extract ? policy->extract : "";
    strbuf_addf(out, "%zu:%s %s %zu:%s%s", strlen(policy->text), policy->text, tag_policy_order(policy),
                strlen(extract), extract, policy->is_of_charts ? " chart" : "");
}

/* What the policy sees of a tag, in `buffer` where it is another text. */
static const char *as_seen(const struct tag_policy *policy, const char *tag,
                           char buffer[LIMIT_TAG_LENGTH + 1])
{
    if (!policy->is_of_charts || !strchr(tag, '_') || strlen(tag) > LIMIT_TAG_LENGTH)
        return tag;
    size_t len = 0;
    for (; tag[len]; len++)
        buffer[len] = (char)(tag[len] == '_' ? '+' : tag[len]);
    buffer[len] = '\0';
    return buffer;
}

static bool is_latest(const char *tag)
{
    return (*tag == 'l' || *tag == 'L') && strcasecmp(tag, "latest") == 0;
}

static enum tag_match match_pattern(const struct tag_policy *policy, const char *tag, struct tag_key *key)
{
    if (!policy->takes_latest && is_latest(tag))
        return TAG_IS_LATEST;
    return policy->type->match(policy, tag, key);
}

/* A matching tag without a time matches all the same: the time may just not be known yet. */
static enum tag_match why_not_placed(const struct tag_policy *policy)
{
    if (tag_ranking_is_by_time(&policy->ranking))
        return TAG_MATCHES;
    return policy->ranking.kind == tag_ranking_semver.kind ? TAG_NOT_A_VERSION : TAG_NOT_A_NUMBER;
}

enum tag_match tag_policy_read(const struct tag_policy *policy, const struct image_info *image,
                               struct tag_key *key)
{
    strbuf_reset(&key->value);
    key->tag = image->tag;
    key->created_ms = image->details->created_ms;
    key->is_placed = false;
    key->version_of = NULL;
    char buffer[LIMIT_TAG_LENGTH + 1];
    const char *tag = as_seen(policy, image->tag, buffer);
    if (tag != image->tag && !policy->extract)
        strbuf_addstr(&key->value, tag);
    enum tag_match match = match_pattern(policy, tag, key);
    if (tag == buffer)
        key->version_of = NULL; /* it is not kept */
    if (policy->extract && (key->value.len == 0 || key->value.overflowed))
        return match == TAG_MATCHES ? TAG_NO_VALUE : match;
    tag_key_place(key, &policy->ranking);
    if (match != TAG_MATCHES || key->is_placed)
        return match;
    return why_not_placed(policy);
}

enum tag_match tag_policy_match(const struct tag_policy *policy, const char *tag)
{
    CLEANUP(tag_key_release) struct tag_key key = TAG_KEY_INIT;
    const struct image_info image = {.tag = tag, .details = &image_details_unknown};
    return tag_policy_read(policy, &image, &key);
}

const char *tag_match_name(enum tag_match match)
{
    static const char *const names[] = {
        [TAG_MATCHES] = "match",
        [TAG_DIFFERS] = "no match",
        [TAG_IS_LATEST] = "latest",
        [TAG_NOT_A_VERSION] = "not a version",
        [TAG_OVER_LIMIT] = "match limit",
        [TAG_NO_VALUE] = "no value",
        [TAG_NOT_A_NUMBER] = "not a number",
    };
    return names[match];
}

bool tag_policy_needs_created(const struct tag_policy *policy)
{
    return tag_ranking_is_by_time(&policy->ranking);
}

bool tag_policy_is_descending(const struct tag_policy *policy)
{
    return policy->ranking.is_descending;
}

const char *tag_policy_superlative(const struct tag_policy *policy)
{
    return tag_ranking_superlative(&policy->ranking);
}

const char *tag_policy_comparative(const struct tag_policy *policy)
{
    return tag_ranking_comparative(&policy->ranking);
}

int tag_policy_compare_keys(const struct tag_policy *policy, const struct tag_key *a, const struct tag_key *b)
{
    return tag_key_compare(a, b, &policy->ranking);
}

int tag_policy_compare(const struct tag_policy *policy, const struct image_info *a,
                       const struct image_info *b)
{
    CLEANUP(tag_key_release) struct tag_key x = TAG_KEY_INIT;
    CLEANUP(tag_key_release) struct tag_key y = TAG_KEY_INIT;
    (void)tag_policy_read(policy, a, &x);
    (void)tag_policy_read(policy, b, &y);
    return tag_policy_compare_keys(policy, &x, &y);
}

bool tag_policy_compare_versions(const struct tag_policy *policy, const char *candidate, const char *current,
                                 int *order)
{
    int versions;
    char buffers[2][LIMIT_TAG_LENGTH + 1];
    if (!tag_compare_versions(as_seen(policy, candidate, buffers[0]), as_seen(policy, current, buffers[1]),
                              &versions))
        return false;
    *order = policy->ranking.is_descending ? -versions : versions;
    return true;
}
