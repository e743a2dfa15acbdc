/*
 * `pawl history` and `pawl rollback`: what a workload ran, and back to it.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/fluxctl_options.h"
#include "cli/job_options.h"
#include "cli/option_rows.h"
#include "cli/say.h"
#include "cli/table.h"
#include "daemon/job_repository.h"
#include "daemon/rollback_job.h"
#include "daemon/workload_log.h"

#define SHORT_ID 7

static int command_rollback(struct invocation *invocation, struct error *err)
{
    CLEANUP(rollback_job_release)
    struct rollback_job rollback = {.request = {.space = invocation->space,
                                                .workload = invocation->operands.items[0],
                                                .to = invocation->rollback_to,
                                                .containers = &invocation->containers,
                                                .force = invocation->force,
                                                .message = invocation->message}};
    const struct job job = rollback_job(&rollback);
    return job_command(invocation, &job, &invocation->operands, err);
}

static char *first_line(const char *text)
{
    return xmemdupz(text, strcspn(text, "\r\n"));
}

/* The user as the note has it, else the author; with -o wide with the address. free() it. */
static char *who_of(const struct log_entry *entry, bool is_wide)
{
    if (entry->is_automatic && !is_wide)
        return xstrdup("automation");
    if (entry->user)
        return xstrdup(entry->user);
    return is_wide ? xasprintf("%s <%s>", entry->info.author, entry->info.email)
                   : xstrdup(entry->info.author);
}

static void add_entry(struct table *table, const struct log_entry *entry, bool is_wide)
{
    char time[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339(entry->info.when_ms, time);
    AUTO_FREE char *commit = is_wide ? xstrdup(entry->commit) : xmemdupz(entry->commit, SHORT_ID);
    AUTO_FREE char *subject = first_line(entry->info.message);
    AUTO_FREE char *who = who_of(entry, is_wide);
    for (size_t i = 0; i < entry->changes_len; i++) {
        const struct log_change *change = &entry->changes[i];
        AUTO_FREE char *images =
            xasprintf("%s: %s -> %s", change->container, change->from ? change->from : "(none)",
                      change->to ? change->to : "(none)");
        const char *cells[] = {i ? "" : commit,
                               i ? "" : time,
                               i ? "" : who,
                               images,
                               change->reason ? change->reason : (i ? "" : subject),
                               i ? "" : subject};
        table_add(table, cells);
    }
}

static void print_table(const struct workload_log *log, bool no_headers, bool is_wide)
{
    const char *const headings[] = {"COMMIT", "TIME", "BY", "IMAGES", "REASON", is_wide ? "MESSAGE" : NULL,
                                    NULL};
    struct table *table = table_new(headings, no_headers);
    for (size_t i = 0; i < log->len; i++)
        add_entry(table, &log->entries[i], is_wide);
    table_print(table);
}

static void print_names(const struct workload_log *log)
{
    for (size_t i = 0; i < log->len; i++)
        puts(log->entries[i].commit);
}

static void print_json(const struct workload_log *log)
{
    AUTO_JSON json_t *json = workload_log_json(log);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_write(&text, json, 2);
    puts(text.buf);
}

/* What a table cannot show; JSON has "complete". */
static void say_what_is_missing(const struct workload_log *log, uint64_t limit)
{
    if (!log->len)
        say(stderr, "No commit that is looked at has changed an image of %s\n", log->workload);
    else if (!log->is_complete && limit)
        say(stderr, "There may be older ones; -l 0 shows all that can be seen\n");
    else if (!log->is_complete)
        say(stderr, "There may be older ones, in commits that are not looked at\n");
}

static int command_history(struct invocation *invocation, struct error *err)
{
    const struct job_place place = {
        .repository = invocation->repository, .space = invocation->space, .workloads = &invocation->operands};
    CLEANUP(repository_release)
    struct repository *r = job_repository_open(&invocation->config, &place, &system_clock, err);
    CLEANUP(workload_log_release) struct workload_log log = {.entries = NULL};
    if (!r || workload_log_read(r, invocation->operands.items[0], invocation->space,
                                (size_t)invocation->limit, &log, err) < 0)
        return command_exit_code(err);
    if (!strcmp(invocation->output, "json"))
        print_json(&log);
    else if (!strcmp(invocation->output, "name"))
        print_names(&log);
    else
        print_table(&log, invocation->no_headers, !strcmp(invocation->output, "wide"));
    fflush(stdout);
    say_what_is_missing(&log, (uint64_t)invocation->limit);
    return EXIT_DONE;
}

/* -- options and help ------------------------------------------------------------------------------------------- */

static const struct option_row history_options[] = {
    SPACE_ROW("Namespace of a workload that names none; the one of objects that name none if not given"),
    REPOSITORY_ROW("read"),
    LIMIT_ROW("Commits to show, the newest first; 0 shows all"),
    OUTPUT_ROW(COMMAND_GROUP, "table|tab|json|wide|name", "Form of the output"),
    NO_HEADERS_ROW(COMMAND_GROUP),
    {.name = NULL},
};

static const struct option_row rollback_options[] = {
    {.name = "to",
     .type = OPTION_STRING,
     .offset = AT(rollback_to),
     .metavar = "COMMIT|IMAGE",
     .group = COMMAND_GROUP,
     .help = "Back to what a commit has, or to this image; to the previous image if not given"},
    {.name = "container",
     .type = OPTION_LIST,
     .offset = AT(containers),
     .metavar = "NAME",
     .group = COMMAND_GROUP,
     .help = "Only this container; may be repeated"},
    {.name = "force",
     .letter = 'f',
     .type = OPTION_BOOL,
     .offset = AT(force),
     .group = COMMAND_GROUP,
     .help = "Also if the workload is locked"},
    {.name = NULL},
};

static const struct option_row *const history_tables[] = {history_options,
                                                          config_git_options,
                                                          config_cluster_options,
                                                          config_general_options,
                                                          config_flux_options,
                                                          fluxctl_options,
                                                          NULL};
static const struct option_row *const rollback_tables[] = {
    rollback_options,       job_options,         config_git_options, config_cluster_options,
    config_general_options, config_flux_options, fluxctl_options,    NULL};

const struct command history_command = {
    .name = "history",
    .operands = "WORKLOAD",
    .summary = "the images that a workload had, from the commits that changed them",
    .description = "Lists the commits that changed images of WORKLOAD (namespace:kind/name or kind/name), "
                   "the newest first: who\n"
                   "made them, from which image to which, and why. Read from git alone, from the last 5,000 "
                   "commits of the branch\n"
                   "and the last 200 of the file; it is followed from file to file. Changes nothing.\n"
                   "\n"
                   "Exit status: 0 done, 1 failed, 2 wrong usage.\n",
    .examples = "pawl history default:deployment/app --git-url git@github.com:org/gitops\n"
                "pawl history deployment/app -n shop --git-url /srv/gitops.git --limit 0 -o json\n",
    .tables = history_tables,
    .operands_least = 1,
    .operands_most = 1,
    .needs_repository = true,
    .run = command_history,
};

const struct command rollback_command = {
    .name = "rollback",
    .operands = "WORKLOAD",
    .summary = "put a workload back on images that it had, and hold those that it leaves",
    .description = "Writes earlier images of WORKLOAD (namespace:kind/name or kind/name) into its manifest "
                   "as it is now, and pushes\n"
                   "that as one commit. Nothing else comes back, so nothing can conflict. Without --to: the "
                   "image that each container\n"
                   "had before it got the present one, for the containers of the last release; --container "
                   "names others.\n"
                   "\n"
                   "What is left is held: automation does not go to that image again, and takes the next "
                   "newer one. Setting it again\n"
                   "(pawl release, or by hand), an unlock of the workload or another tag policy ends that.\n"
                   "\n"
                   "Exit status: 0 done or nothing to do, 1 something failed, 2 wrong usage, 3 a dry run "
                   "would change something.\n",
    .examples =
        "pawl rollback default:deployment/app --git-url git@github.com:org/gitops -m 'errors since 1.4.0'\n"
        "pawl rollback deployment/app --git-url /srv/gitops.git --to 1a2b3c4 --dry-run\n"
        "pawl rollback deployment/app --git-url /srv/gitops.git --to ghcr.io/org/app:1.3.9\n",
    .tables = rollback_tables,
    .operands_least = 1,
    .operands_most = 1,
    .needs_repository = true,
    .run = command_rollback,
};
