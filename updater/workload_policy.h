/*
 * What a workload's annotations ask for: automated or not, locked, ignored, and a tag policy per container, with its order and
 * what it extracts.
 *
 * Which key is which policy, and which of two counts, is in updater/policy_key.h. Booleans hold only when
 * the value is exactly "true", as in Flux v1; ignore: sync_only is no ignore here. A pawl.dev/ key that this
 * version does not know blocks the workload, since passing over it could mean an update that its owner
 * forbade, and so does a value of one that cannot be read: it blocks its container, or the workload where it is for all
 * of it. A marker (model/manifest_markers.h) automates its container and is its policy; locks and ignore hold it as all
 * others, and an annotation that says something else is a warning. What looks like a slip is a warning: two prefixes
 * that disagree, a boolean that is neither true
 * nor false, a policy for a container that is not there.
 */
#ifndef UPDATER_WORKLOAD_POLICY_H
#define UPDATER_WORKLOAD_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/manifest.h"
#include "updater/policy_value.h"
#include "updater/tag_policy.h"
#include "updater/update_window.h"

struct container_policy {
    const struct container *container; /* borrowed */
    struct tag_policy *policy;         /* glob:* if none is given; NULL if it does not compile */
    char *problem;                     /* why it does not: "policy semver:foo: …", or another annotation */
    int line;                          /* of the annotation or marker; of the object if there is none */
    bool has_tag_policy;               /* one is given */
    bool allows_downgrade;
    enum digest_mode digest;
    struct strvec platforms; /* that an image must have; empty: any will do */
    int64_t min_age_ms;      /* of an image; 0: none */
    /* Of an image that does not say its own: the tag of the workload below; NULL: none. Borrowed. */
    const char *base_tag;
    char *overridden; /* the place of the kustomization's entry that replaces this image; NULL: none */
};

struct workload_policy {
    const struct resource *resource; /* borrowed, as the next */
    const struct resource
        *origin; /* whose annotations and pull secrets these are: the resource itself, or the workload
                                      behind a kustomization's entry */
    bool automated, locked, ignored;
    const char *locked_user, *locked_message; /* borrowed; NULL if not given */
    int64_t locked_until_ms;                  /* when the lock ends by itself; 0: it does not */
    struct update_window *window;             /* when updates may be made; NULL: always */
    const char *window_text;                  /* borrowed; NULL if not given */
    char *blocked;                            /* why nothing may be done to the workload; NULL: nothing */
    int blocked_line;
    bool has_bad_value;   /* blocked by a value, not by a key that is not known */
    bool is_blocked_here; /* because of two workloads behind one entry (updater/kustomize_policies.h) */
    char *warning;        /* what looks like slips, joined by "; "; NULL: nothing */
    int warning_line;     /* of the first */
    struct container_policy *containers; /* one per container of the resource, in its order */
    size_t containers_len;
};

/* Never fails: what cannot be read blocks, and says why. */
struct workload_policy *workload_policy_new(const struct resource *resource);
void workload_policy_free(struct workload_policy *policy);

/* Drops all containers but the index-th, which is then the first and only one. Borrowed. */
struct container_policy *workload_policy_keep(struct workload_policy *policy, size_t index);

/* Drops that container, if there is a policy for it. */
void workload_policy_drop(struct workload_policy *policy, const struct container *container);

/* True if the index-th container is automated, by the workload's annotation or by a marker of its own. */
bool workload_policy_automates(const struct workload_policy *policy, size_t index);
/* True if any of its containers is. */
bool workload_policy_is_active(const struct workload_policy *policy);

/* Whether a lock is in force. One that has ended is no lock, whatever `locked` says; one that is given by its end alone
 * is one until then. */
bool workload_policy_is_locked(const struct workload_policy *policy, int64_t now_ms);

/* True if the object is marked to be left alone altogether: not edited, not applied. */
bool resource_is_ignored(const struct resource *resource);

#endif
