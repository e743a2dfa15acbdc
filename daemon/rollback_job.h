/*
 * `pawl rollback`: a workload's containers back on images that they had before, as a job (daemon/job.h).
 *
 * Today's manifests are edited, so nothing else that changed since comes back, and there is nothing to conflict.
 * Where to:
 *
 *   nothing said   the image that a container had before it first got the present one; without names, of the containers
 *                  that got theirs with the newest such commit: the last release of the workload
 *   a commit       what the containers had there (4 to 40 hex digits of its id)
 *   an image       that one, for the containers of its repository
 *
 * If somebody's push comes first it is decided again, but not without a place to go to where the containers have got other
 * images by that: the result is then a failure.
 *
 * The commit's message ends with a trailer for each container,
 * "Pawl-Rollback: default:deployment/app app example.test/app:2 -> example.test/app:1". It is what holds the image that
 * was left (daemon/revert_hold.h), so automation may stay on: it goes on with the next newer tag.
 */
#ifndef DAEMON_ROLLBACK_JOB_H
#define DAEMON_ROLLBACK_JOB_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "base/strmap.h"
#include "daemon/job.h"
#include "updater/target_list.h"

/* As it was given; all borrowed. */
struct rollback_request {
    const char *space;               /* of an id that names none; NULL: the repository's default */
    const char *workload;            /* id */
    const char *to;                  /* a commit or an image; NULL: the previous image */
    const struct strvec *containers; /* names; empty: as said above */
    bool force;                      /* also where the workload is locked */
    const char *message;             /* of the commit; NULL or "": one that says what is done */
};

struct rollback_job {
    struct rollback_request request;

    /* What was decided last; for rollback_job.c alone. */
    struct target_list targets;
    struct release *release;
    struct strmap images; /* container -> what it had when this was first decided */
};
void rollback_job_release(struct rollback_job *job);

/* The job, valid as long as `rollback`. ERROR_USAGE for an id that is none; ERROR_NOT_FOUND for a commit that is not
 * there, and for a workload that is not in it. */
struct job rollback_job(struct rollback_job *rollback);

#endif
