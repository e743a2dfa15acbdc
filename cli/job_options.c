#include "cli/job_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/option_rows.h"
#include "cli/result_table.h"
#include "cli/say.h"
#include "daemon/job_repository.h"
#include "daemon/job_user.h"

const struct option_row job_options[] = {
    SPACE_ROW("Namespace of workloads that name none; the one of objects that name none if not given"),
    REPOSITORY_ROW("change"),
    {.name = "message",
     .letter = 'm',
     .type = OPTION_STRING,
     .offset = AT(message),
     .metavar = "TEXT",
     .group = COMMAND_GROUP,
     .help = "Message of the commit"},
    {.name = "user",
     .type = OPTION_STRING,
     .offset = AT(user),
     .metavar = "TEXT",
     .group = COMMAND_GROUP,
     .help = "Who asks for the change; what git's configuration has if not given"},
    {.name = "verbose",
     .letter = 'v',
     .type = OPTION_COUNT,
     .offset = AT(verbosity),
     .group = COMMAND_GROUP,
     .help = "Also show what was skipped; twice: and what was not meant"},
    DRY_RUN_ROW("Show the results and the diff; push nothing"),
    OUTPUT_ROW(COMMAND_GROUP, "table|tab|json", "Form of the output"),
    NO_HEADERS_ROW(COMMAND_GROUP),
    {.name = NULL},
};

const struct option_row job_workload_options[] = {
    WORKLOAD_ROWS("The workload: namespace:kind/name or kind/name"),
    {.name = NULL},
};

char *job_user(const struct invocation *invocation)
{
    return invocation->user ? xstrdup(invocation->user) : job_user_default();
}

/* Of what was named it is known why. */
static void say_nothing(const struct result_list *results, const struct result_format *format,
                        const struct strvec *named)
{
    bool is_told = named && named->len;
    size_t skipped = is_told ? 0 : result_count_hidden(results, format, RESULT_SKIPPED);
    size_t ignored = is_told ? 0 : result_count_hidden(results, format, RESULT_IGNORED);
    if (skipped)
        say(stderr, "Nothing to do; %zu skipped, -v shows why\n", skipped);
    else if (ignored)
        say(stderr, "Nothing to do; %zu were not meant, -vv shows why\n", ignored);
    else
        say(stderr, "Nothing to do\n");
}

struct result_format job_result_format(const struct invocation *invocation)
{
    return (struct result_format){.is_json = !strcmp(invocation->output, "json"),
                                  .no_headers = invocation->no_headers,
                                  .verbosity = invocation->verbosity};
}

void job_say_failures(const struct result_list *results)
{
    for (size_t i = 0; i < results->failures.len; i++)
        say(stderr, "pawl: %s\n", results->failures.items[i]);
}

static void print_report(const struct invocation *invocation, const struct job_report *report,
                         const struct strvec *named)
{
    const struct result_format format = job_result_format(invocation);
    result_print(&report->results, &format);
    if (invocation->dry_run && !format.is_json)
        fwrite(report->diff.buf, 1, report->diff.len, stdout);
    fflush(stdout);
    if (report->commit[0])
        say(stderr, "Commit pushed:\t%.7s\n", report->commit);
    else if (!report->is_changed && !result_list_is_failure(&report->results))
        say_nothing(&report->results, &format, named);
    job_say_failures(&report->results);
}

/* On the repository that is meant. */
static int run(struct invocation *invocation, const struct job *job, const struct strvec *workloads,
               bool dry_run, struct job_report *report, struct error *err)
{
    const struct job_place place = {
        .repository = invocation->repository, .space = invocation->space, .workloads = workloads};
    CLEANUP(repository_release)
    struct repository *r = job_repository_open(&invocation->config, &place, &system_clock, err);
    AUTO_FREE char *user = job_user(invocation);
    struct job with_user = *job;
    with_user.user = user;
    with_user.message = invocation->message;
    return r && job_run(r, &with_user, dry_run, report, err) == 0 ? EXIT_DONE : command_exit_code(err);
}

int job_plan(struct invocation *invocation, const struct job *job, const struct strvec *workloads,
             struct job_report *report, struct error *err)
{
    return run(invocation, job, workloads, true, report, err);
}

int job_command(struct invocation *invocation, const struct job *job, const struct strvec *workloads,
                struct error *err)
{
    CLEANUP(job_report_release) struct job_report report = JOB_REPORT_INIT;
    int code = run(invocation, job, workloads, invocation->dry_run, &report, err);
    if (code != EXIT_DONE)
        return code;
    print_report(invocation, &report, workloads);
    if (result_list_is_failure(&report.results))
        return EXIT_FAILED;
    return invocation->dry_run && report.is_changed ? EXIT_FOUND : EXIT_DONE;
}
