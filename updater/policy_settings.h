/*
 * The policy annotations of an object, by policy: of several keys that name the same policy (updater/policy_key.h) the one
 * that counts.
 */
#ifndef UPDATER_POLICY_SETTINGS_H
#define UPDATER_POLICY_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strmap.h"
#include "model/manifest.h"

struct policy_setting {
    const struct annotation *annotation; /* borrowed from the resource */
    size_t rank;
};

struct policy_settings {
    struct strmap by_policy; /* -> struct policy_setting, in the order of the annotations */
    bool has_own;            /* there are some under pawl.dev/ among them */
};

/* Two annotations say different things of one policy, and the first counts. */
typedef void (*policy_conflict)(const struct annotation *winner, const struct annotation *loser,
                                void *context);

/* Keys that are no policies are passed over. `conflict` NULL: nobody wants to know. */
void policy_settings_read(struct policy_settings *settings, const struct resource *resource,
                          policy_conflict conflict, void *context);
void policy_settings_release(struct policy_settings *settings);
/* The annotation that counts for the policy; NULL: there is none. */
const struct annotation *policy_settings_find(const struct policy_settings *settings, const char *policy);

#endif
