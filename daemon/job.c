#include "daemon/job.h"

#include "base/alloc.h"
#include "daemon/manifest_loader.h"

/* Another pawl on the same mirror finishes its round first. */
#define LOCK_TIMEOUT_MS 120000

struct running {
    const struct job *job;
    struct job_report *report;
    struct manifest_set *manifests; /* of the head last decided on */
};

void job_report_release(struct job_report *report)
{
    result_list_release(&report->results);
    *report = (struct job_report)JOB_REPORT_INIT;
}

static int decide(struct repository *r, const char *head, struct proposal *proposal, void *context,
                  struct error *err)
{
    struct running *running = context;
    result_list_release(&running->report->results);
    manifest_set_free(running->manifests);
    running->manifests = manifest_loader_load(r->loader, r->mirror, head, &r->settings->paths, err);
    if (!running->manifests)
        return -1;
    const struct job *job = running->job;
    int status =
        job->decide(r, head, running->manifests, proposal, &running->report->results, job->context, err);
    result_list_sort(&running->report->results);
    return status;
}

static void unlock(struct mirror **mirror)
{
    if (*mirror)
        mirror_unlock(*mirror);
}

static void release_running(struct running *running)
{
    manifest_set_free(running->manifests);
}

int job_run(struct repository *r, const struct job *job, bool dry_run, struct job_report *report,
            struct error *err)
{
    if (r->settings->readonly && !dry_run)
        return error_set(err, ERROR_FORBIDDEN,
                         "%s is read-only (--git-readonly): nothing may be written to it", r->settings->name);
    if (mirror_lock(r->mirror, LOCK_TIMEOUT_MS, err) < 0)
        return -1;
    CLEANUP(unlock) struct mirror *locked UNUSED = r->mirror;
    CLEANUP(release_running) struct running running = {.job = job, .report = report};
    const struct publication publication = {.decide = decide, .context = &running, .dry_run = dry_run};
    return publish(r, &publication, report->head, report->commit, err);
}
