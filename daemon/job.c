#include "daemon/job.h"

#include <string.h>

#include "base/alloc.h"
#include "daemon/commit_note.h"
#include "daemon/manifest_loader.h"
#include "updater/diff.h"

struct running {
    const struct job *job;
    struct job_report *report;
    struct manifest_set *manifests; /* of the head last decided on */
    bool dry_run;
};

void job_report_release(struct job_report *report)
{
    result_list_release(&report->results);
    strbuf_release(&report->diff);
    *report = (struct job_report)JOB_REPORT_INIT;
}

static const struct manifest_file *find_file(const struct manifest_set *set, const char *path)
{
    for (size_t i = 0; i < set->files_len; i++) {
        if (!strcmp(set->files[i]->path, path))
            return set->files[i];
    }
    return NULL;
}

/* What a later commit of the proposal makes of the file. */
static bool is_changed_again(const struct proposal *proposal, size_t after, const char *path)
{
    for (size_t i = after + 1; i < proposal->len; i++) {
        for (size_t k = 0; k < proposal->commits[i].files_len; k++) {
            if (!strcmp(proposal->commits[i].files[k].path, path))
                return true;
        }
    }
    return false;
}

static void add_diffs(const struct manifest_set *manifests, const struct proposal *proposal,
                      struct strbuf *out)
{
    for (size_t i = 0; i < proposal->len; i++) {
        for (size_t k = 0; k < proposal->commits[i].files_len; k++) {
            const struct commit_file *new = &proposal->commits[i].files[k];
            const struct manifest_file *old = find_file(manifests, new->path);
            if (old && !is_changed_again(proposal, i, new->path))
                diff_add_unified(out, new->path, old->text, old->len, new->bytes, new->len);
        }
    }
}

/* On the last commit: what was asked for is asked for once. */
static void add_note(const struct running *running, struct proposal *proposal)
{
    struct proposed_commit *last = &proposal->commits[proposal->len - 1];
    if (!last->note)
        last->note = commit_note_of_job(&running->report->results, running->job->user, running->job->message);
}

static int decide(struct repository *r, const char *head, struct proposal *proposal, void *context,
                  struct error *err)
{
    struct running *running = context;
    result_list_release(&running->report->results);
    strbuf_reset(&running->report->diff);
    manifest_set_free(running->manifests);
    running->manifests = manifest_loader_load(r->loader, r->mirror, head, &r->settings->paths, err);
    if (!running->manifests)
        return -1;
    const struct job *job = running->job;
    int status =
        job->decide(r, head, running->manifests, proposal, &running->report->results, job->context, err);
    result_list_sort(&running->report->results);
    running->report->is_changed = status == 0 && proposal->len > 0;
    if (running->report->is_changed)
        add_note(running, proposal);
    if (status == 0 && running->dry_run)
        add_diffs(running->manifests, proposal, &running->report->diff);
    return status;
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
    CLEANUP(repository_unlock) struct mirror *locked = NULL;
    if (repository_lock(r, &locked, err) < 0)
        return -1;
    CLEANUP(release_running) struct running running = {.job = job, .report = report, .dry_run = dry_run};
    const struct publication publication = {
        .decide = decide, .context = &running, .dry_run = dry_run, .user = job->user};
    return publish(r, &publication, report->head, report->commit, err);
}
