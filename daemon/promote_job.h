/*
 * `pawl promote FROM TO`: the images of one path of a repository for the workloads of another (updater/promotion.h), as
 * a job (daemon/job.h). Asks no registry: what runs at FROM is there.
 */
#ifndef DAEMON_PROMOTE_JOB_H
#define DAEMON_PROMOTE_JOB_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "daemon/job.h"
#include "updater/release_spec.h"
#include "updater/target_list.h"

/* As it was given; all borrowed. */
struct promote_request {
    const char *from, *to;          /* paths in the repository */
    const char *space;              /* of ids that name none; NULL: the repository's default */
    const struct strvec *workloads; /* ids, of TO; empty: all */
    const struct strvec *excludes;
    bool force;          /* breaks the locks of the workloads that are named */
    bool with_names;     /* an image of another repository comes over with its name */
    const char *message; /* of the commit; NULL or "": what the promotion itself says */
};

struct promote_job {
    struct promote_request request;

    /* What was decided last; for promote_job.c alone. */
    struct manifest_set *from, *to;
    struct release_spec spec;
    struct workload_selection selection;
    struct target_list targets;
    struct release *release;
};
void promote_job_release(struct promote_job *job);

/* ERROR_USAGE for paths that are one in the other, or forced locks of nobody. */
int promote_request_check(const struct promote_request *request, struct error *err) MUST_CHECK;

/* The job, valid as long as `promotion`. It fails with ERROR_NOT_FOUND for a path that is not there or has no
 * workloads at FROM, ERROR_USAGE for an id that is none, ERROR_FORBIDDEN where TO is outside of --git-path. */
struct job promote_job(struct promote_job *promotion);

#endif
