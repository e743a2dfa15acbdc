/*
 * `pawl release` and `pawl promote`: images that a person wants, as a commit.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "cli/command.h"
#include "cli/fluxctl_options.h"
#include "cli/job_options.h"
#include "cli/option_rows.h"
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
        return result_list_is_failure(results) ? EXIT_FAILED : EXIT_DONE;
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
    job_say_failures(&report.results);
    code = code == EXIT_DONE ? pick(invocation, &report.results, &picks, err) : code;
    if (code != EXIT_DONE || !picks.len)
        return code;
    release->request.choices = picks.items;
    release->request.choices_len = picks.len;
    say(stderr, "Submitting selected release ...\n");
    code = job_command(invocation, &job, workloads, err);
    return code == EXIT_DONE && result_list_is_failure(&report.results) ? EXIT_FAILED : code;
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

static int command_release(struct invocation *invocation, struct error *err)
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
    release.first_seen = session.first_seen;
    release.progress = step;
    release.progress_context = &progress;
    return run(invocation, &release, err);
}

static int command_promote(struct invocation *invocation, struct error *err)
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

/* -- options and help ------------------------------------------------------------------------------------------- */

/* Which workloads: a list, as fluxctl has it for releases. */
#define WORKLOAD_LIST_ROW(short_name)                                                                        \
    {                                                                                                        \
        .name = "workload", .letter = (short_name), .type = OPTION_LIST, .offset = AT(workloads),            \
        .metavar = "ID,...", .group = COMMAND_GROUP, .help = "Workloads: namespace:kind/name or kind/name"   \
    }
#define EXCLUDE_ROW                                                                                          \
    {                                                                                                        \
        .name = "exclude", .type = OPTION_LIST, .offset = AT(excludes), .metavar = "ID,...",                 \
        .group = COMMAND_GROUP, .help = "Workloads to leave as they are"                                     \
    }

static const struct option_row release_options[] = {
    WORKLOAD_LIST_ROW(0),
    {.name = "controller", .letter = 'c', .type = OPTION_LIST, .offset = AT(workloads), .metavar = "ID,..."},
    {.name = "all",
     .type = OPTION_BOOL,
     .offset = AT(all),
     .group = COMMAND_GROUP,
     .help = "All workloads of the repository"},
    EXCLUDE_ROW,
    {.name = "update-image",
     .letter = 'i',
     .type = OPTION_STRING,
     .offset = AT(image),
     .metavar = "IMAGE:TAG",
     .group = COMMAND_GROUP,
     .help = "The image to release, to all containers of its repository"},
    {.name = "update-all-images",
     .type = OPTION_BOOL,
     .offset = AT(all_images),
     .group = COMMAND_GROUP,
     .help = "For each container the best image that its policy takes"},
    {.name = "set",
     .type = OPTION_TEXTS,
     .offset = AT(assignments),
     .metavar = "CONTAINER=IMAGE",
     .group = COMMAND_GROUP,
     .help = "For one container of one workload this image, whatever its policy; may be given again"},
    {.name = "force",
     .letter = 'f',
     .type = OPTION_BOOL,
     .offset = AT(force),
     .group = COMMAND_GROUP,
     .help =
         "Also workloads that are locked or ignored, if they are named; an image that is named also where "
         "the policy does not take its tag"},
    {.name = "interactive",
     .type = OPTION_BOOL,
     .offset = AT(interactive),
     .group = COMMAND_GROUP,
     .help = "Show the updates first, and release those that you pick"},
    {.name = "watch",
     .letter = 'w',
     .type = OPTION_NONE,
     .refusal =
         "is not in this version of pawl, which releases to git; watch the cluster with `kubectl rollout "
         "status`"},
    {.name = NULL},
};

static const struct option_row promote_options[] = {
    WORKLOAD_LIST_ROW('w'),
    EXCLUDE_ROW,
    {.name = "with-name",
     .type = OPTION_BOOL,
     .offset = AT(with_name),
     .group = COMMAND_GROUP,
     .help = "Also images of another repository, with their names"},
    {.name = "force",
     .letter = 'f',
     .type = OPTION_BOOL,
     .offset = AT(force),
     .group = COMMAND_GROUP,
     .help = "Also workloads that are locked or ignored, if they are named"},
    {.name = NULL},
};

static const struct option_row *const release_tables[] = {release_options,        job_options,
                                                          config_git_options,     config_registry_options,
                                                          config_cache_options,   config_cluster_options,
                                                          config_general_options, config_flux_options,
                                                          fluxctl_options,        NULL};
static const struct option_row *const promote_tables[] = {
    promote_options,        job_options,         config_git_options, config_cluster_options,
    config_general_options, config_flux_options, fluxctl_options,    NULL};

const struct command release_command = {
    .name = "release",
    .summary = "release images to workloads: a commit with the images that you name",
    .description =
        "Writes images into the manifests at the head of the branch, and pushes that as one commit. Works "
        "on "
        "the repository\n"
        "itself: containers, images and locks are those in git, no cluster is asked, and nothing is "
        "applied; "
        "whoever syncs\n"
        "the repository does that.\n"
        "\n"
        "--update-image releases one tag to all containers of its repository; it must be there, and the "
        "policy of a\n"
        "container must take it, unless --force is given. --update-all-images takes for each container the "
        "best that its\n"
        "policy takes, automated or not, also where that is older than what it has. --set names the image "
        "of "
        "a container,\n"
        "and asks nobody. Locked and ignored workloads are skipped; --force takes those that are named with "
        "--workload.\n"
        "\n"
        "--interactive shows the updates first: space picks one or leaves it out, up and down move, Enter "
        "releases what is\n"
        "picked, q leaves. What somebody else has changed meanwhile is not overwritten.\n"
        "\n"
        "Exit status: 0 done or nothing to do, 1 something failed, 2 wrong usage, 3 a dry run would change "
        "something.\n",
    .examples = "pawl release --git-url git@github.com:org/gitops --workload default:deployment/app "
                "--update-image ghcr.io/org/app:1.2.4\n"
                "pawl release --git-url /srv/gitops.git --all --update-all-images --exclude "
                "default:deployment/db --dry-run\n"
                "pawl release --git-url /srv/gitops.git --workload deployment/app --set "
                "app=ghcr.io/org/app:1.2.3 -m 'back to 1.2.3'\n",
    .tables = release_tables,
    .needs_repository = true,
    .run = command_release,
};

const struct command promote_command = {
    .name = "promote",
    .operands = "FROM TO",
    .summary = "give the workloads of one path the images of another",
    .description =
        "FROM and TO are paths of one repository, such as staging and production. Each workload at TO gets "
        "the tags and\n"
        "digests that the workload of the same kind and name has at FROM, container by container; "
        "namespaces "
        "may differ.\n"
        "Names of images stay as they are written at TO; an image of another repository is left alone "
        "unless "
        "--with-name is\n"
        "given. Everything else stays. No registry is asked. Locked and ignored workloads are skipped; "
        "--force takes those\n"
        "that are named with --workload.\n"
        "\n"
        "Exit status: 0 done or nothing to do, 1 something failed, 2 wrong usage, 3 a dry run would change "
        "something.\n",
    .examples = "pawl promote staging production --git-url git@github.com:org/gitops --dry-run\n"
                "pawl promote staging production --git-url /srv/gitops.git -w shop:deployment/web\n",
    .tables = promote_tables,
    .operands_least = 2,
    .operands_most = 2,
    .needs_repository = true,
    .run = command_promote,
};
