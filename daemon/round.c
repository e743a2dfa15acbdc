/* Read from the bottom: round_run is the sentence, the functions above it are its words. */
#include "daemon/round.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/change_labels.h"
#include "daemon/commit_split.h"
#include "daemon/publish.h"
#include "updater/workload_policy.h"

/* What the publication decides, and with what. */
struct deciding {
    const struct round_options *options;
    struct round_report *report;
    struct release_list parts; /* what the commits' files are of */
};

/* True if the last round's plan is that of this round. */
static bool renew_kept(struct repository *r, const char *head, struct image_source *images, struct plan *plan)
{
    if (!r->kept)
        return false;
    *plan = *r->kept;
    free(steal(&r->kept));
    if (plan_renew(plan, r, head, images))
        return true;
    plan_release(plan);
    return false;
}

static int decide(struct repository *r, const char *head, struct proposal *proposal, void *context,
                  struct error *err)
{
    struct deciding *deciding = context;
    struct plan *plan = &deciding->report->plan;
    plan_release(plan);
    if (!renew_kept(r, head, deciding->options->images, plan) &&
        plan_make(r, head, deciding->options->images, NULL, plan, err) < 0)
        return -1;
    const struct split_form form = {
        .message = {.template = r->config->commit_template, .has_trailers = r->config->git_trailers},
        .per_workload = !strcmp(r->config->commit_per, "workload"),
        .now_ms = clock_wall_ms(r->clock)};
    if (!deciding->options->dry_run && form.message.template &&
        commit_template_uses_labels(form.message.template))
        change_labels_read(plan, deciding->options->images);
    propose_round(plan, &form, &deciding->parts, proposal);
    return 0;
}

static int update_git(struct repository *r, const struct round_options *options, struct round_report *report,
                      struct error *err)
{
    struct deciding deciding = {.options = options, .report = report};
    const struct publication publication = {
        .decide = decide, .context = &deciding, .dry_run = options->dry_run};
    int result = publish(r, &publication, report->head, report->commit, err);
    release_list_release(&deciding.parts);
    return result;
}

/* The target wants the paths ended by NULL. */
static const char **path_list(const struct strvec *paths)
{
    const char **list = xcalloc(paths->len + 1, sizeof(*list));
    for (size_t i = 0; i < paths->len; i++)
        list[i] = paths->items[i];
    return list;
}

static int apply_commit(struct repository *r, const char *commit, struct round_report *report,
                        struct error *err)
{
    if (report->commit[0]) {
        report->manifests = manifest_loader_load(r->loader, r->mirror, commit, &r->settings->paths, err);
        if (!report->manifests)
            return -1;
    }
    AUTO_FREE const char **paths = path_list(&r->settings->paths);
    const struct apply_request request = {.manifests =
                                              report->manifests ? report->manifests : report->plan.manifests,
                                          .leave_alone = resource_is_ignored,
                                          .paths = paths};
    report->was_applied = true;
    r->applied[0] = '\0';
    if (deploy_target_apply(r->target, &request, &report->applied, err) < 0)
        return error_wrap(err, "applying %.7s to %s", commit, r->target->description);
    if (!report->applied.failed)
        memcpy(r->applied, commit, GIT_ID_SIZE);
    return 0;
}

static int apply_head(struct repository *r, const struct round_options *options, struct round_report *report,
                      struct error *err)
{
    const char *commit = report->commit[0] ? report->commit : report->head;
    if (options->dry_run || !r->target || (!options->apply_again && !strcmp(commit, r->applied)))
        return 0;
    return apply_commit(r, commit, report, err);
}

int round_run(struct repository *r, const struct round_options *options, struct round_report *report,
              struct error *err)
{
    CLEANUP(repository_unlock) struct mirror *locked = NULL;
    if (repository_lock(r, &locked, err) < 0)
        return -1;
    int64_t started_ms = clock_monotonic_ms(r->clock);
    int updated = update_git(r, options, report, err);
    report->update_ms = clock_monotonic_ms(r->clock) - started_ms;
    if (updated < 0 && !report->plan.release)
        return -1; /* git could not be read */
    /* What is in git is applied even where our own commit was refused. */
    struct error second = ERROR_INIT;
    int applied = apply_head(r, options, report, updated < 0 ? &second : err);
    return updated < 0 || applied < 0 ? -1 : 0;
}

void round_keep(struct repository *r, struct round_report *report)
{
    if (!report->plan.release || report->commit[0])
        return;
    r->kept = xmalloc(sizeof(*r->kept));
    *r->kept = report->plan;
    report->plan = (struct plan)PLAN_INIT;
}

bool round_was_complete(const struct round_report *report)
{
    return !report->plan.has_unreachable && !report->applied.failed;
}

void round_report_release(struct round_report *report)
{
    plan_release(&report->plan);
    apply_report_release(&report->applied);
    manifest_set_free(report->manifests);
    *report = (struct round_report)ROUND_REPORT_INIT;
}
