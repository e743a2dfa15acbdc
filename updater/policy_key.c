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
    bool is_flux;       /* is a policy under Flux's prefixes too */
} own_keys[] = {
    {"automated", true, false, true},     {"locked", true, false, true},
    {"ignore", true, false, true},        {"locked_user", true, false, true},
    {"locked_msg", true, false, true},    {"tag", true, true, true},
    {"order", true, true, false},         {"extract", true, true, false},
    {"digest", false, true, false},       {"platforms", false, true, false},
    {"min-age", false, true, false},      {"allow-downgrade", false, true, false},
    {"locked-until", false, true, false}, {"window", false, true, false},
};

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

static bool is_policy(const char *name, bool is_ours)
{
    const struct own_key *key = find_own_key(name);
    if (!key || !key->is_supported || strcmp(name, "tag") == 0)
        return false;
    return is_ours || key->is_flux;
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
        if (!is_policy(policy, i == 0))
            return false;
        *out = (struct policy_key){.rank = i, .policy = steal(&policy)};
        return true;
    }
    return false;
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
    if (!is_policy(name, true))
        return error_set(err, ERROR_INVALID, "%s needs the name of a container: pawl.dev/tag.CONTAINER",
                         annotation);
    return 0;
}
