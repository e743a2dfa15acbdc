/*
 * Which of the configured repositories a job is for: the one that is named, the only one there is, or the one that
 * defines the workloads.
 */
#ifndef DAEMON_JOB_REPOSITORY_H
#define DAEMON_JOB_REPOSITORY_H

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "daemon/config.h"
#include "daemon/repository.h"
#include "model/manifest.h"

/* What tells the repository; all borrowed. */
struct job_place {
    const char *repository;         /* its name, as --repository gives it; NULL: not given */
    const char *space;              /* of workloads that name none; NULL: the repository's default */
    const struct strvec *workloads; /* ids as they were given; NULL or empty: none in particular */
};

/*
 * Opens it. Only where several are configured and none is named does it ask the remotes. ERROR_USAGE for a name that is
 * not configured (with the nearest), for an id that is none, and where the repository has to be named: nothing says
 * which, or several have the workload. ERROR_NOT_FOUND if none has it. What repository_open and git say.
 */
struct repository *job_repository_open(const struct config *config, const struct job_place *place,
                                       const struct clock *clock, struct error *err) MUST_CHECK;

/* The manifests at the branch's head, fetched now. Takes and leaves the mirror's lock. */
struct manifest_set *repository_load_head(struct repository *r, struct error *err) MUST_CHECK;

#endif
