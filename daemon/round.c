/*
 * Read from the bottom: round_run is the sentence, the functions above it are its words.
 *
 * The commit is made from the very head that was decided on, and the push succeeds only if the branch still is
 * there. If someone else was first, everything is read and decided again: never a merge, never force.
 */
#include "daemon/round.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "updater/workload_policy.h"

/* Another pawl on the same mirror finishes its round first; a scan of slow registries may take a minute. */
#define LOCK_TIMEOUT_MS 120000

static char *message_suffix(const struct config *config)
{
    if (config->git_ci_skip_message)
        return xstrdup(config->git_ci_skip_message);
    return xstrdup(config->git_ci_skip ? "\n\n[ci skip]" : "");
}

static int commit_release(struct repository *r, const struct round_report *report, char commit[GIT_ID_SIZE],
                          struct error *err)
{
    const struct release *release = report->plan.release;
    AUTO_FREE struct commit_file *files = xcalloc(release->files_len, sizeof(*files));
    for (size_t i = 0; i < release->files_len; i++)
        files[i] = (struct commit_file){.path = release->files[i].file->path,
                                        .bytes = release->files[i].text.buf,
                                        .len = release->files[i].text.len};
    const struct commit_author author = {
        .name = r->config->git_user, .email = r->config->git_email, .when_ms = clock_wall_ms(r->clock)};
    AUTO_FREE char *suffix = message_suffix(r->config);
    AUTO_FREE char *message = release_message(release, suffix);
    return mirror_commit(r->mirror, report->head, files, release->files_len, &author, message, commit, err);
}

static int commit_and_push(struct repository *r, struct round_report *report, struct error *err)
{
    char commit[GIT_ID_SIZE];
    if (commit_release(r, report, commit, err) < 0 || mirror_push(r->mirror, commit, err) < 0)
        return -1;
    memcpy(report->commit, commit, sizeof(commit));
    return 0;
}

/* Two pawls that lost to each other should not meet again at once. */
static void pause_before_retry(int attempt)
{
    const struct timespec pause = {.tv_nsec = 20000000L * attempt +
                                              (long)(clock_monotonic_ms(&system_clock) % 17) * 1000000L};
    nanosleep(&pause, NULL);
}

static int fetch_and_decide(struct repository *r, const struct round_options *options,
                            struct round_report *report, struct error *err)
{
    plan_release(&report->plan);
    if (mirror_fetch(r->mirror, err) < 0)
        return -1;
    snprintf(report->head, sizeof(report->head), "%s", mirror_head(r->mirror));
    return plan_make(r, report->head, options->images, &report->plan, err);
}

static int update_git(struct repository *r, const struct round_options *options, struct round_report *report,
                      struct error *err)
{
    for (int attempt = 1;; attempt++) {
        if (fetch_and_decide(r, options, report, err) < 0)
            return -1;
        if (options->dry_run || !report->plan.release->files_len || commit_and_push(r, report, err) == 0)
            return 0;
        if (err->code != ERROR_CONFLICT)
            return error_wrap(err, "pushing to %s", mirror_url(r->mirror));
        if (attempt == LIMIT_PUSH_ATTEMPTS)
            return error_wrap(err, "%s changed under each of %d attempts to push", mirror_url(r->mirror),
                              attempt);
        error_clear(err);
        pause_before_retry(attempt);
    }
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

static void unlock(struct mirror **mirror)
{
    if (*mirror)
        mirror_unlock(*mirror);
}

int round_run(struct repository *r, const struct round_options *options, struct round_report *report,
              struct error *err)
{
    if (mirror_lock(r->mirror, LOCK_TIMEOUT_MS, err) < 0)
        return -1;
    CLEANUP(unlock) struct mirror *locked UNUSED = r->mirror;
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
