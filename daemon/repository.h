/*
 * One repository that pawl works on, with what stays open from round to round: its mirror, where its commits
 * go, the parsed manifests of the last commit. Belongs to the thread that runs its rounds.
 */
#ifndef DAEMON_REPOSITORY_H
#define DAEMON_REPOSITORY_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "daemon/config.h"
#include "daemon/first_seen.h"
#include "daemon/manifest_loader.h"
#include "daemon/pull_secrets.h"
#include "daemon/revert_hold.h"
#include "daemon/tag_wants.h"
#include "deploy/target.h"
#include "git/history.h"
#include "git/mirror.h"

struct plan;

struct repository {
    const struct config *config;              /* borrowed */
    const struct repository_config *settings; /* borrowed */
    const struct clock *clock;                /* borrowed */
    struct first_seen
        *first_seen;        /* borrowed, set by who opened it; NULL: nothing is old enough for a min-age */
    struct tag_wants wants; /* what the last plan had to know of single tags */
    struct mirror *mirror;
    struct deploy_target *target;      /* NULL: commits are applied nowhere */
    struct pull_secrets *pull_secrets; /* of the target's cluster; NULL: it is none */
    char *default_space;               /* of objects that name none */
    struct manifest_loader *loader;
    struct history *history;     /* of the mirror */
    struct revert_hold *reverts; /* what its history holds */
    struct plan *kept;           /* of the last round, for the next one (round_keep); NULL: none */
    char applied[GIT_ID_SIZE];   /* the commit last applied without a failure; "" none */
};

/* Opens the mirror and the target; asks nothing of any network. */
struct repository *repository_open(const struct config *config, const struct repository_config *settings,
                                   const struct clock *clock, struct error *err) MUST_CHECK;
void repository_free(struct repository *repository);
void repository_release(struct repository **repository); /* for CLEANUP */

/* Locks the mirror, waiting for another pawl on it to finish its round, which a scan of slow registries may make a
 * minute; gives it back in `locked`, for CLEANUP(repository_unlock). */
int repository_lock(struct repository *repository, struct mirror **locked, struct error *err) MUST_CHECK;
void repository_unlock(struct mirror **locked); /* NULL does nothing */

#endif
