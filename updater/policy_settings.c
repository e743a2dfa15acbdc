#include "updater/policy_settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "updater/policy_key.h"

static void add(struct policy_settings *settings, const struct annotation *annotation,
                policy_conflict conflict, void *context)
{
    CLEANUP(policy_key_release) struct policy_key key = {.policy = NULL};
    if (!policy_key_parse(annotation->key, &key))
        return;
    settings->has_own = settings->has_own || key.rank == 0;
    struct policy_setting *other = strmap_get(&settings->by_policy, key.policy);
    if (!other) {
        other = xcalloc(1, sizeof(*other));
        *other = (struct policy_setting){.annotation = annotation, .rank = key.rank};
        strmap_set(&settings->by_policy, key.policy, other);
        return;
    }
    const struct annotation *loser = annotation;
    if (key.rank < other->rank) {
        loser = other->annotation;
        *other = (struct policy_setting){.annotation = annotation, .rank = key.rank};
    }
    if (conflict && strcmp(other->annotation->value, loser->value) != 0)
        conflict(other->annotation, loser, context);
}

void policy_settings_read(struct policy_settings *settings, const struct resource *resource,
                          policy_conflict conflict, void *context)
{
    *settings = (struct policy_settings){.by_policy = {.free_value = free}};
    for (size_t i = 0; i < resource->annotations_len; i++)
        add(settings, &resource->annotations[i], conflict, context);
}

void policy_settings_release(struct policy_settings *settings)
{
    strmap_release(&settings->by_policy);
}

const struct annotation *policy_settings_find(const struct policy_settings *settings, const char *policy)
{
    const struct policy_setting *setting = strmap_get(&settings->by_policy, policy);
    return setting ? setting->annotation : NULL;
}
