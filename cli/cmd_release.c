/*
 * `pawl release` and `pawl promote`: images that a person wants, as a commit.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "cli/command.h"
#include "cli/job_options.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/update_menu.h"
#include "daemon/promote_job.h"
#include "daemon/release_job.h"
#include "daemon/session.h"

static void warn(const struct release_request *request)
{
    if (request->force && request->all)
        say(stderr, "Warning: with --all, --force breaks no locks; name the workloads with --workload\n");
    if (request->force && request->all_images)
        say(stderr, "Warning: with --update-all-images, --force does not take tags that the policies "
                    "leave out\n");
}

static int run_at_once(struct invocation *invocation, struct release_job *release, struct error *err)
{
    say(stderr, invocation->dry_run ? "Submitting dry-run release ...\n" : "Submitting release ...\n");
    const struct job job = release_job(release);
    return job_command(invocation, &job, invocation->all ? NULL : &invocation->workloads, err);
}

/* What was picked. */
struct picks {
    struct release_choice *items;
    size_t len;
};

static void release_picks(struct picks *picks)
{
    free(picks->items);
}

static void collect_picks(const struct update_menu *menu, const struct result_list *results,
                          struct picks *picks)
{
    picks->items = xcalloc(update_menu_count(menu), sizeof(*picks->items));
    for (size_t i = 0; i < results->len; i++) {
        const struct workload_result *result = &results->items[i];
        for (size_t k = 0; k < result->updates_len; k++) {
            if (update_menu_is_picked(menu, i, k))
                picks->items[picks->len++] =
                    (struct release_choice){.workload = result->workload,
                                            .container = result->updates[k].container,
                                            .current = result->updates[k].current,
                                            .target = result->updates[k].target};
        }
    }
}

/* Lets a person pick from the plan. Nothing picked is nothing to do. */
static int pick(const struct invocation *invocation, const struct result_list *results, struct picks *picks,
                struct error *err)
{
    enum menu_state state = MENU_ABORTED;
    const struct result_format format = job_result_format(invocation);
    CLEANUP(update_menu_release) struct update_menu *menu = update_menu_new(results, &format);
    if (!update_menu_count(menu)) {
        result_print(results, &format);
        say(stderr, "No changes found.\n");
        return EXIT_DONE;
    }
    if (update_menu_run(menu, &state, err) < 0)
        return EXIT_USAGE;
    collect_picks(menu, results, picks);
    picks->len = state == MENU_SUBMITTED ? picks->len : 0;
    if (!picks->len)
        say(stderr, "Aborted.\n");
    return EXIT_DONE;
}

/* Plans, asks, and releases what was picked, container by container. */
static int run_interactively(struct invocation *invocation, struct release_job *release, struct error *err)
{
    CLEANUP(job_report_release) struct job_report report = JOB_REPORT_INIT;
    CLEANUP(release_picks) struct picks picks = {.items = NULL};
    const struct job job = release_job(release);
    const struct strvec *workloads = invocation->all ? NULL : &invocation->workloads;
    say(stderr, "Submitting dry-run release ...\n");
    int code = job_plan(invocation, &job, workloads, &report, err);
    code = code == EXIT_DONE ? pick(invocation, &report.results, &picks, err) : code;
    if (code != EXIT_DONE || !picks.len)
        return code;
    release->request.choices = picks.items;
    release->request.choices_len = picks.len;
    say(stderr, "Submitting selected release ...\n");
    return job_command(invocation, &job, workloads, err);
}

static int run(struct invocation *invocation, struct release_job *release, struct error *err)
{
    return invocation->interactive ? run_interactively(invocation, release, err)
                                   : run_at_once(invocation, release, err);
}

/* The line goes away with the last answer: results come next. */
static void step(size_t done, size_t total, void *context)
{
    if (done < total)
        progress_step(done, total, context);
    else
        progress_end(context);
}

int command_release(struct invocation *invocation, struct error *err)
{
    CLEANUP(release_job_release)
    struct release_job release = {.request = {.space = invocation->space,
                                              .workloads = &invocation->workloads,
                                              .excludes = &invocation->excludes,
                                              .assignments = &invocation->assignments,
                                              .image = invocation->image,
                                              .all_images = invocation->all_images,
                                              .all = invocation->all,
                                              .force = invocation->force,
                                              .message = invocation->message},
                                  .spec = RELEASE_SPEC_INIT};
    if (release_request_check(&release.request, err) < 0)
        return EXIT_USAGE;
    if (invocation->interactive && invocation->dry_run) {
        error_set(err, ERROR_USAGE, "--interactive shows the updates first; --dry-run would release none");
        return EXIT_USAGE;
    }
    warn(&release.request);
    if (invocation->assignments.len)
        return run(invocation, &release, err);
    CLEANUP(session_close) struct session session = SESSION_INIT;
    if (session_open(&session, &invocation->config, &system_clock, err) < 0)
        return err->code == ERROR_USAGE ? EXIT_USAGE : EXIT_FAILED;
    CLEANUP(progress_end) struct progress progress;
    progress_begin(&progress, "asking registries");
    release.scanner = session.scanner;
    release.progress = step;
    release.progress_context = &progress;
    return run(invocation, &release, err);
}

int command_promote(struct invocation *invocation, struct error *err)
{
    CLEANUP(promote_job_release)
    struct promote_job promotion = {.request = {.from = invocation->operands.items[0],
                                                .to = invocation->operands.items[1],
                                                .space = invocation->space,
                                                .workloads = &invocation->workloads,
                                                .excludes = &invocation->excludes,
                                                .force = invocation->force,
                                                .with_names = invocation->with_name,
                                                .message = invocation->message},
                                    .spec = RELEASE_SPEC_INIT};
    if (promote_request_check(&promotion.request, err) < 0)
        return EXIT_USAGE;
    const struct job job = promote_job(&promotion);
    return job_command(invocation, &job, &invocation->workloads, err);
}
