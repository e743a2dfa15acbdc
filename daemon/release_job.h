/*
 * `pawl release`: images that a person wants for workloads, as a job (daemon/job.h).
 *
 * There is no cluster in it: the containers, their images and their locks are those in git. Registries are asked anew,
 * with the pull secrets of the workloads where the repository has a cluster. For one image that is one HEAD, whether
 * --registry-exclude-image leaves its repository out or not: somebody named it.
 */
#ifndef DAEMON_RELEASE_JOB_H
#define DAEMON_RELEASE_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "daemon/first_seen.h"
#include "daemon/job.h"
#include "scanner/scanner.h"
#include "updater/release_spec.h"
#include "updater/target_list.h"

/* One update that was picked from a plan; all borrowed. */
struct release_choice {
    const char *workload, *container; /* the workload's id */
    const char *current, *target; /* references; it is done only where the container still has `current` */
};

/* As it was given; all borrowed. */
struct release_request {
    const char *space;                /* of ids that name none; NULL: the repository's default */
    const struct strvec *workloads;   /* ids; exactly one of these and `all` */
    const struct strvec *excludes;    /* ids */
    const struct strvec *assignments; /* CONTAINER=IMAGE, for one workload; exactly one of these, */
    const char *image;                /* this (NULL: not given), */
    bool all_images;                  /* and this */
    const struct release_choice
        *choices; /* what was picked of what those give: these and nothing else; NULL: all */
    size_t choices_len;
    bool all, force;
    const char *message; /* of the commit, word for word; NULL or "": what the release itself says */
};

/* ERROR_USAGE for what does not go together, with the words of fluxctl. */
int release_request_check(const struct release_request *request, struct error *err) MUST_CHECK;

struct release_job {
    struct release_request request;
    struct scanner *scanner;       /* borrowed; NULL for assignments, which ask no registry */
    struct first_seen *first_seen; /* borrowed; the same */
    void (*progress)(size_t done, size_t total, void *context); /* NULL: none */
    void *progress_context;

    /* What was decided last; for release_job.c alone. */
    struct release_spec spec;
    struct workload_selection selection;
    struct target_list targets;
    struct release *release;
};
void release_job_release(struct release_job *job);

/*
 * The job, valid as long as `release`. Beside what is a workload's own it fails with ERROR_USAGE for an id that is
 * none, ERROR_NOT_FOUND if the image does not exist, and what a registry says that cannot be asked for it.
 */
struct job release_job(struct release_job *release);

#endif
