/*
 * `pawl once`: a round for each repository, one after the other. One that fails does not stop the next; wrong
 * configuration of any is found before the first begins.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/command.h"
#include "cli/option_rows.h"
#include "cli/progress.h"
#include "cli/round_text.h"
#include "cli/say.h"
#include "daemon/round.h"
#include "daemon/round_json.h"
#include "daemon/session.h"

struct once {
    const struct invocation *invocation;
    struct image_source *images;
    struct first_seen *first_seen;
    struct progress *progress;
    json_t *list; /* with -o json: the repositories' reports */
    bool failed, found_update;
};

static void show(struct once *once, const struct repository_config *settings,
                 const struct repository *repository, const struct round_report *report,
                 const struct error *failure)
{
    if (once->list)
        json_array_append_new(once->list, round_to_json(settings->name, report, failure));
    else if (repository)
        round_print(repository, report, once->invocation->dry_run);
    fflush(stdout);
    round_print_problems(report);
    if (failure->code)
        say(stderr, "pawl: %s: %s\n", settings->name, failure->text);
}

/* A repository of the configuration, opened, or why it could not be. */
struct opened {
    struct repository *repository;
    struct error failure;
};

struct opened_list {
    struct opened *items;
    size_t len;
};

static void close_all(struct opened_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        repository_free(list->items[i].repository);
    free(list->items);
}

/* -1 only for what is wrong with the configuration. */
static int open_all(const struct config *config, struct opened_list *list, struct error *err)
{
    list->items = xcalloc(config->repositories_len, sizeof(*list->items));
    for (; list->len < config->repositories_len; list->len++) {
        const struct repository_config *settings = &config->repositories[list->len];
        struct opened *each = &list->items[list->len];
        each->repository = repository_open(config, settings, &system_clock, &each->failure);
        if (each->failure.code == ERROR_USAGE || each->failure.code == ERROR_UNSUPPORTED) {
            *err = each->failure;
            return error_wrap(err, "repository %s", settings->name);
        }
    }
    return 0;
}

static void run_repository(struct once *once, const struct repository_config *settings, struct opened *opened)
{
    struct error err = opened->failure;
    CLEANUP(round_report_release) struct round_report report = ROUND_REPORT_INIT;
    CLEANUP(repository_release) struct repository *repository = steal(&opened->repository);
    const struct round_options options = {
        .images = once->images, .dry_run = once->invocation->dry_run, .apply_again = true};
    if (repository)
        repository->first_seen = once->first_seen;
    bool finished = repository && round_run(repository, &options, &report, &err) == 0;
    progress_end(once->progress);
    show(once, settings, repository, &report, &err);
    once->failed = once->failed || !finished || !round_was_complete(&report);
    once->found_update = once->found_update || (report.plan.release && report.plan.release->changes_len);
    round_report_release(&report); /* before the repository, whose manifests it shares */
}

static void print_json(json_t *list)
{
    AUTO_JSON json_t *root = json_object();
    json_object_set(root, "repositories", list);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_write(&text, root, 2);
    puts(text.buf);
}

static int command_once(struct invocation *invocation, struct error *err)
{
    CLEANUP(session_close) struct session session = SESSION_INIT;
    CLEANUP(close_all) struct opened_list opened = {.len = 0};
    if (session_open(&session, &invocation->config, &system_clock, err) < 0 ||
        open_all(&invocation->config, &opened, err) < 0)
        return command_exit_code(err);
    CLEANUP(progress_end) struct progress progress;
    progress_begin(&progress, "asking registries");
    AUTO_FREE struct image_source *images = image_source_direct(session.scanner, progress_step, &progress);
    AUTO_JSON json_t *list = strcmp(invocation->output, "json") ? NULL : json_array();
    struct once once = {.invocation = invocation,
                        .images = images,
                        .first_seen = session.first_seen,
                        .progress = &progress,
                        .list = list};
    for (size_t i = 0; i < invocation->config.repositories_len; i++)
        run_repository(&once, &invocation->config.repositories[i], &opened.items[i]);
    if (list)
        print_json(list);
    const char *problem = cache_problem(session.cache);
    if (problem)
        say(stderr, "pawl: the cache saved fewer requests than it could: %s\n", problem);
    if (once.failed)
        return EXIT_FAILED;
    return invocation->dry_run && once.found_update ? EXIT_FOUND : EXIT_DONE;
}

/* -- options and help ------------------------------------------------------------------------------------------- */

static const struct option_row once_options[] = {
    DRY_RUN_ROW("Show the decisions and the diff; push and apply nothing"),
    OUTPUT_ROW(COMMAND_GROUP, "table|json", "Form of the output"),
    {.name = NULL},
};

static const struct option_row *const once_tables[] = {
    once_options,           config_git_options,     config_registry_options, config_cache_options,
    config_cluster_options, config_general_options, config_flux_options,     NULL};

const struct command once_command = {
    .name = "once",
    .summary = "one round for every repository, then exit",
    .description = "Reads the manifests at the head of the branch, asks the registries for the images of "
                   "the workloads\n"
                   "that are annotated fluxcd.io/automated: \"true\", chooses by their policies, and edits, "
                   "commits, pushes\n"
                   "and applies what follows. Prints what changed and why. With --dry-run it prints the "
                   "same and the diff,\n"
                   "and pushes and applies nothing.\n"
                   "\n"
                   "Exit status: 0 done or nothing to do, 1 something failed, 2 wrong usage, 3 a dry run "
                   "found an update.\n",
    .examples = "pawl once --dry-run --git-url git@github.com:org/gitops --git-path releases/staging\n"
                "pawl once --git-url /srv/gitops.git --deploy-to dir:/var/lib/rancher/k3s/server/manifests\n",
    .tables = once_tables,
    .needs_repository = true,
    .run = command_once,
};
