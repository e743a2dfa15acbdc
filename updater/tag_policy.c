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
    bool takes_latest;
};

struct type {
    const char *prefix;
    int (*compile)(struct tag_policy *policy, struct error *err);
    enum tag_match (*match)(const struct tag_policy *policy, const char *tag);
    bool is_by_created;
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

static enum tag_match match_glob(const struct tag_policy *policy, const char *tag)
{
    return glob_match(policy->pattern, tag) ? TAG_MATCHES : TAG_DIFFERS;
}

static int compile_semver(struct tag_policy *policy, struct error *err)
{
    policy->constraint = semver_constraint_new(policy->pattern, err);
    return policy->constraint ? 0 : -1;
}

static enum tag_match match_semver(const struct tag_policy *policy, const char *tag)
{
    struct semver version;
    if (!semver_parse(tag, &version))
        return TAG_NOT_A_VERSION;
    return semver_constraint_check(policy->constraint, &version) ? TAG_MATCHES : TAG_DIFFERS;
}

static int compile_regexp(struct tag_policy *policy, struct error *err)
{
    if (refuse_empty(policy, err) < 0)
        return -1;
    policy->regexp = regexp_new(policy->pattern, err);
    return policy->regexp ? 0 : -1;
}

static enum tag_match match_regexp(const struct tag_policy *policy, const char *tag)
{
    static const enum tag_match results[] = {
        [REGEXP_MATCHES] = TAG_MATCHES,
        [REGEXP_DIFFERS] = TAG_DIFFERS,
        [REGEXP_OVER_LIMIT] = TAG_OVER_LIMIT,
    };
    return results[regexp_match(policy->regexp, tag)];
}

static const struct type glob_type = {"glob:", compile_glob, match_glob, true};
static const struct type semver_type = {"semver:", compile_semver, match_semver, false};
static const struct type regexp_type = {"regexp:", compile_regexp, match_regexp, true};

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
    free(policy->text);
    free(policy);
}

const char *tag_policy_text(const struct tag_policy *policy)
{
    return policy->text;
}

enum tag_match tag_policy_match(const struct tag_policy *policy, const char *tag)
{
    if (!policy->takes_latest && strcasecmp(tag, "latest") == 0)
        return TAG_IS_LATEST;
    return policy->type->match(policy, tag);
}

const char *tag_match_name(enum tag_match match)
{
    static const char *const names[] = {
        [TAG_MATCHES] = "match",          [TAG_DIFFERS] = "no match",
        [TAG_IS_LATEST] = "latest",       [TAG_NOT_A_VERSION] = "not a version",
        [TAG_OVER_LIMIT] = "match limit",
    };
    return names[match];
}

bool tag_policy_needs_created(const struct tag_policy *policy)
{
    return policy->type->is_by_created;
}

static int compare_versions(const char *a, const char *b)
{
    struct semver x, y;
    bool a_is_version = semver_parse(a, &x), b_is_version = semver_parse(b, &y);
    if (!a_is_version || !b_is_version)
        return a_is_version - b_is_version;
    return semver_compare(&x, &y);
}

int tag_policy_compare(const struct tag_policy *policy, const struct image_info *a,
                       const struct image_info *b)
{
    int64_t a_ms = a->details->created_ms, b_ms = b->details->created_ms;
    int order =
        policy->type->is_by_created ? (a_ms > b_ms) - (a_ms < b_ms) : compare_versions(a->tag, b->tag);
    return order ? order : tag_compare_natural(a->tag, b->tag);
}
