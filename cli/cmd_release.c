/*
 * `pawl release` and `pawl promote`: images that a person wants, as a commit.
 */
#include <stdio.h>

#include "cli/command.h"
#include "cli/job_options.h"
#include "cli/progress.h"
#include "cli/say.h"
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

static int run(struct invocation *invocation, struct release_job *release, struct error *err)
{
    say(stderr, invocation->dry_run ? "Submitting dry-run release ...\n" : "Submitting release ...\n");
    const struct job job = release_job(release);
    return job_command(invocation, &job, invocation->all ? NULL : &invocation->workloads, err);
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
