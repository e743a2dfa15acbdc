/*
 * A job: one change to a repository that a person asked for (a release, a lock, a rollback), as one commit.
 *
 * It is decided on the manifests at the branch's head and pushed like an automatic update (daemon/publish.h): if
 * someone else was first it is decided again on what is there then. Whoever asks gets a result per workload. Nothing
 * is applied here: whoever syncs the repository does that with the commit.
 */
#ifndef DAEMON_JOB_H
#define DAEMON_JOB_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "daemon/publish.h"
#include "daemon/repository.h"
#include "model/manifest.h"
#include "updater/workload_result.h"

struct job {
    /*
     * Decides what to do with the manifests of the head and fills the proposal (no commit: nothing is to be done) and
     * the results, both of which are empty. -1 for what ends the job as a whole; what concerns one workload is its
     * result. What the proposal borrows must stay until job_run returns or this is called again.
     */
    int (*decide)(struct repository *r, const char *head, const struct manifest_set *manifests,
                  struct proposal *proposal, struct result_list *results, void *context, struct error *err);
    void *context;
    const char *user;    /* who asks for it; NULL: nobody in particular */
    const char *message; /* and with which words; NULL: none */
};

struct job_report {
    char head[GIT_ID_SIZE];   /* what it was decided on; "" if git could not be read */
    char commit[GIT_ID_SIZE]; /* what was pushed; "": nothing, or a dry run */
    struct result_list results;
    bool is_changed;    /* something was to be written; in a dry run it was not */
    struct strbuf diff; /* of a dry run: all that would change, as unified diffs */
};
#define JOB_REPORT_INIT                                                                                      \
    {                                                                                                        \
        .head = "", .commit = "", .results = {.items = NULL}, .is_changed = false, .diff = STRBUF_INIT       \
    }
void job_report_release(struct job_report *report);

/* ERROR_FORBIDDEN for a repository that is read-only (unless `dry_run`); what `decide` and publish say. */
int job_run(struct repository *r, const struct job *job, bool dry_run, struct job_report *report,
            struct error *err) MUST_CHECK;

#endif
