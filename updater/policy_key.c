#include "updater/policy_key.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

static const struct prefix {
    const char *text;
    const char *policy; /* what comes before the rest of the key in the policy's name */
} prefixes[] = {
    {"pawl.dev/", ""}, {"fluxcd.io/", ""}, {"filter.fluxcd.io/", "tag."}, {"flux.weave.works/", ""}};

static const struct own_key {
    const char *name;
    bool is_supported;
    bool has_container; /* may be followed by ".CONTAINER" */
} own_keys[] = {
    {"automated", true, false},    {"locked", true, false},     {"ignore", true, false},
    {"locked_user", true, false},  {"locked_msg", true, false}, {"tag", true, true},
    {"order", false, true},        {"extract", false, true},    {"digest", false, true},
    {"platforms", false, true},    {"min-age", false, true},    {"allow-downgrade", false, true},
    {"locked-until", false, true}, {"window", false, true},
};

static bool is_policy(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(own_keys); i++) {
        const struct own_key *key = &own_keys[i];
        if (key->is_supported && !key->has_container && strcmp(name, key->name) == 0)
            return true;
    }
    return str_starts_with(name, "tag.");
}

void policy_key_release(struct policy_key *key)
{
    free(key->policy);
    key->policy = NULL;
}

bool policy_key_parse(const char *annotation, struct policy_key *out)
{
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (!str_starts_with(annotation, prefixes[i].text))
            continue;
        AUTO_FREE char *policy = xasprintf("%s%s", prefixes[i].policy, annotation + strlen(prefixes[i].text));
        if (!is_policy(policy))
            return false;
        *out = (struct policy_key){.rank = i, .policy = steal(&policy)};
        return true;
    }
    return false;
}

static const struct own_key *find_own_key(const char *name)
{
    size_t len = strcspn(name, ".");
    for (size_t i = 0; i < ARRAY_LEN(own_keys); i++) {
        const struct own_key *key = &own_keys[i];
        bool fits = name[len] == '\0' || key->has_container;
        if (fits && strncmp(name, key->name, len) == 0 && key->name[len] == '\0')
            return key;
    }
    return NULL;
}

static int refuse_unknown(const char *name, struct error *err)
{
    AUTO_FREE char *word = xmemdupz(name, strcspn(name, "."));
    const struct own_key *nearest = NULL;
    size_t least = 3; /* more than two slips is another word */
    for (size_t i = 0; i < ARRAY_LEN(own_keys); i++) {
        size_t distance = str_distance(word, own_keys[i].name);
        if (distance < least) {
            least = distance;
            nearest = &own_keys[i];
        }
    }
    if (nearest)
        return error_set(err, ERROR_INVALID, "there is no pawl.dev/%s; did you mean pawl.dev/%s%s?", name,
                         nearest->name, nearest->has_container ? name + strlen(word) : "");
    return error_set(err, ERROR_INVALID, "there is no pawl.dev/%s", name);
}

int policy_key_check(const char *annotation, struct error *err)
{
    if (!str_starts_with(annotation, prefixes[0].text))
        return 0;
    const char *name = annotation + strlen(prefixes[0].text);
    const struct own_key *key = find_own_key(name);
    if (!key)
        return refuse_unknown(name, err);
    if (!key->is_supported)
        return error_set(err, ERROR_UNSUPPORTED, "%s is not in this version of pawl", annotation);
    if (!is_policy(name))
        return error_set(err, ERROR_INVALID, "%s needs the name of a container: pawl.dev/tag.CONTAINER",
                         annotation);
    return 0;
}
