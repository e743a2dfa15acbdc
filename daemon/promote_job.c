#include "daemon/promote_job.h"

#include <string.h>

#include "base/alloc.h"
#include "daemon/manifest_loader.h"
#include "daemon/release_proposal.h"
#include "model/manifest_chart.h"
#include "updater/promotion.h"

/* Without "./" before and "/" after: "" is the whole repository. free() it. */
static char *clean_path(const char *path)
{
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    size_t len = strlen(path);
    while (len > 0 && path[len - 1] == '/')
        len--;
    return len == 1 && path[0] == '.' ? xstrdup("") : xmemdupz(path, len);
}

static bool is_within(const char *path, const char *directory)
{
    size_t len = strlen(directory);
    return !len || (!strncmp(path, directory, len) && (path[len] == '/' || !path[len]));
}

int promote_request_check(const struct promote_request *request, struct error *err)
{
    AUTO_FREE char *from = clean_path(request->from);
    AUTO_FREE char *to = clean_path(request->to);
    if (request->from[0] == '/' || request->to[0] == '/')
        return error_set(err, ERROR_USAGE, "%s: paths are those in the repository, without a leading /",
                         request->from[0] == '/' ? request->from : request->to);
    if (is_within(from, to) || is_within(to, from))
        return error_set(err, ERROR_USAGE, "%s and %s must be two places, neither within the other",
                         request->from, request->to);
    if (request->force && !request->workloads->len)
        return error_set(
            err, ERROR_USAGE,
            "--force breaks the locks of workloads that are named: supply --workload=<workload>");
    return 0;
}

static struct manifest_set *load(struct repository *r, const char *head, const char *given, struct error *err)
{
    CLEANUP(strvec_release) struct strvec paths = STRVEC_INIT;
    strvec_push_owned(&paths, clean_path(given));
    return manifest_loader_load(r->loader, r->mirror, head, &paths, err);
}

/* Two sets: a workload that both places have is no duplicate. */
static int load_both(struct promote_job *job, struct repository *r, const char *head, struct error *err)
{
    job->from = load(r, head, job->request.from, err);
    job->to = job->from ? load(r, head, job->request.to, err) : NULL;
    if (!job->to)
        return -1;
    for (size_t i = 0; i < job->from->resources_len; i++) {
        if (job->from->resources[i]->is_workload)
            return 0;
    }
    return error_set(err, ERROR_NOT_FOUND, "there are no workloads in %s", job->request.from);
}

static void clear(struct promote_job *job)
{
    release_free(steal(&job->release));
    target_list_release(&job->targets);
    workload_selection_release(&job->selection);
    release_spec_release(&job->spec);
    manifest_set_free(steal(&job->from));
    manifest_set_free(steal(&job->to));
}

void promote_job_release(struct promote_job *job)
{
    clear(job);
}

static bool has_file(const struct manifest_set *manifests, const char *path)
{
    for (size_t i = 0; i < manifests->files_len; i++) {
        if (!strcmp(manifests->files[i]->path, path))
            return true;
    }
    return false;
}

/* What is outside of the configured paths is not ours to write. */
static int check_paths(const struct release *release, const struct manifest_set *manifests, struct error *err)
{
    for (size_t i = 0; i < release->files_len; i++) {
        const char *path = release->files[i].file->path;
        if (!has_file(manifests, path))
            return error_set(err, ERROR_FORBIDDEN, "%s is outside of --git-path", path);
    }
    return 0;
}

static int decide(struct repository *r, const char *head, const struct manifest_set *manifests,
                  struct proposal *proposal, struct result_list *results, void *context, struct error *err)
{
    struct promote_job *job = context;
    const struct promote_request *request = &job->request;
    clear(job);
    const char *space = request->space ? request->space : r->default_space;
    job->spec.force = request->force;
    job->spec.now_ms = clock_wall_ms(r->clock);
    if (release_spec_add_ids(request->workloads, space, &job->spec.workloads, err) < 0 ||
        release_spec_add_ids(request->excludes, space, &job->spec.excludes, err) < 0 ||
        load_both(job, r, head, err) < 0)
        return -1;
    manifest_charts_resolve_from(job->from, manifests);
    manifest_charts_resolve_from(job->to, manifests);
    release_select(&job->spec, job->to, &job->selection, results);
    AUTO_FREE char *from_path = clean_path(request->from);
    AUTO_FREE char *to_path = clean_path(request->to);
    const struct promotion promotion = {
        .from = job->from, .from_path = from_path, .to_path = to_path, .with_names = request->with_names};
    promotion_targets(&promotion, &job->selection, &job->targets, results);
    job->release = target_list_make(&job->targets, results);
    result_list_mark_named(results, &job->spec.workloads);
    if (!job->release->files_len)
        return 0;
    if (check_paths(job->release, manifests, err) < 0)
        return -1;
    const char *message = request->message;
    proposal_add_release(proposal, job->release,
                         message && *message ? xstrdup(message)
                                             : promotion_message(request->from, request->to, results));
    return 0;
}

struct job promote_job(struct promote_job *promotion)
{
    return (struct job){.decide = decide, .context = promotion};
}
