/*
 * The workloads in git, their images and policies, and what is wrong with them: the answer to `pawl list-workloads`.
 *
 * Nothing is asked but git. What only a cluster can tell (the state of a rollout) is "unknown".
 */
#ifndef DAEMON_WORKLOAD_LISTING_H
#define DAEMON_WORKLOAD_LISTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/config.h"
#include "model/manifest.h"
#include "updater/workload_policy.h"

/* What a cluster would say. */
#define WORKLOAD_STATUS_UNKNOWN "unknown"

struct workload_listing_options {
    const char *space; /* of the workloads; NULL: the one that objects have which name none */
    bool all_spaces;   /* then `space` says nothing */
    const char
        *container; /* only workloads that have a container of this name, and only that one; NULL: all */
};

struct listed_workload {
    char *id;
    struct workload_policy *policy;
    const struct container **containers; /* those to be shown */
    size_t *indices;                     /* of each among the workload's */
    size_t containers_len;
    bool is_locked; /* now */
    char *flags;    /* "automated,locked", sorted */
    char *problem;  /* why nothing may be done to it, or what looks like a slip; NULL: nothing */
};

/* Of one repository in git. */
struct workload_listing {
    struct manifest_set *manifests;
    struct listed_workload *workloads; /* sorted by id; one that is defined twice is there twice */
    size_t len;
    struct manifest_problem
        *problems; /* of files, documents and policies; without those of workloads not shown */
    size_t problems_len, problems_capacity;
    bool is_readonly;
};
#define WORKLOAD_LISTING_INIT                                                                                \
    {                                                                                                        \
        .manifests = NULL                                                                                    \
    }

/* What repository_open and git say. Release it in any case. */
int workload_listing_make(const struct config *config, const struct repository_config *settings,
                          const struct workload_listing_options *options, struct workload_listing *listing,
                          struct error *err) MUST_CHECK;
void workload_listing_release(struct workload_listing *listing);

/* The image of a container as it is written; "" if there is none. Borrowed. */
const char *listed_image(const struct container *container);
/* The tag policy of the i-th container shown, as text; "" if it cannot be read, or is none but the default. */
const char *listed_policy(const struct listed_workload *workload, size_t i);
/* Why that container is left out; NULL: it is not. Borrowed. */
const char *listed_problem(const struct listed_workload *workload, size_t i);

/* Adds the workloads to a JSON array, as Flux v1's API gave them (docs/interface.md). */
void workload_listing_add_json(const struct workload_listing *listing, json_t *list);

#endif
