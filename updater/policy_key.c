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

/* Whether a key may end in ".CONTAINER". */
enum key_scope {
    KEY_OF_WORKLOAD,
    KEY_OF_CONTAINER, /* it must */
    KEY_OF_EITHER,    /* without it, the key is for all containers that have none of their own */
};

static const struct own_key {
    const char *name;
    enum key_scope scope;
    bool is_flux; /* under Flux's prefixes too */
} own_keys[] = {
    {"automated", KEY_OF_WORKLOAD, true},     {"locked", KEY_OF_WORKLOAD, true},
    {"ignore", KEY_OF_WORKLOAD, true},        {"locked_user", KEY_OF_WORKLOAD, true},
    {"locked_msg", KEY_OF_WORKLOAD, true},    {"tag", KEY_OF_CONTAINER, true},
    {"order", KEY_OF_EITHER, false},          {"extract", KEY_OF_EITHER, false},
    {"digest", KEY_OF_EITHER, false},         {"platforms", KEY_OF_EITHER, false},
    {"min-age", KEY_OF_EITHER, false},        {"allow-downgrade", KEY_OF_EITHER, false},
    {"locked-until", KEY_OF_WORKLOAD, false}, {"window", KEY_OF_WORKLOAD, false},
};

/* The key that a policy's name begins with, where the rest of the name fits it; or NULL. */
static const struct own_key *find_own_key(const char *name)
{
    size_t len = strcspn(name, ".");
    for (size_t i = 0; i < ARRAY_LEN(own_keys); i++) {
        const struct own_key *key = &own_keys[i];
        bool fits = name[len] == '\0' || key->scope != KEY_OF_WORKLOAD;
        if (fits && strncmp(name, key->name, len) == 0 && key->name[len] == '\0')
            return key;
    }
    return NULL;
}

static bool lacks_container(const struct own_key *key, const char *name)
{
    return key->scope == KEY_OF_CONTAINER && !strchr(name, '.');
}

static bool is_policy(const char *name, bool is_own)
{
    const struct own_key *key = find_own_key(name);
    return key && (is_own || key->is_flux) && !lacks_container(key, name);
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
                         nearest->name, nearest->scope == KEY_OF_WORKLOAD ? "" : name + strlen(word));
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
    if (lacks_container(key, name))
        return error_set(err, ERROR_INVALID, "%s needs the name of a container: pawl.dev/tag.CONTAINER",
                         annotation);
    return 0;
}
