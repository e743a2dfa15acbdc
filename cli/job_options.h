/*
 * What the commands share that change a repository because a person asks (automate, lock, policy, release, rollback,
 * promote): their flags, and the way from a job to its results and exit code.
 *
 *     static const struct option_row *const lock_tables[] = {lock_options, job_workload_options, job_options,
 *         config_git_options, config_cluster_options, config_general_options, config_flux_options, NULL};
 *
 * Flags are fluxctl's; --repository and --dry-run join them.
 */
#ifndef CLI_JOB_OPTIONS_H
#define CLI_JOB_OPTIONS_H

#include "base/attr.h"
#include "base/error.h"
#include "base/option.h"
#include "base/strbuf.h"
#include "cli/command.h"
#include "cli/result_table.h"
#include "daemon/job.h"

/* -n, --repository, -m, --user, -v, --dry-run, -o, --no-headers: into the fields of struct invocation. */
extern const struct option_row job_options[];
/* -w and its old name -c, for commands that take one workload. */
extern const struct option_row job_workload_options[];

/* --user, or what git's configuration has; NULL: nobody. free() it. */
char *job_user(const struct invocation *invocation) MUST_CHECK;

/*
 * Runs the job on the repository that is meant (daemon/job_repository.h; `workloads` NULL: no workload tells it), prints
 * the results (with --dry-run the diff below them), and gives the command's exit code: EXIT_FOUND for a dry run that
 * would change something, EXIT_FAILED if any result is a failure or the job is one (then `err` is set), EXIT_USAGE.
 */
int job_command(struct invocation *invocation, const struct job *job, const struct strvec *workloads,
                struct error *err);

/* Decides and prints nothing: the results of a dry run, for who asks about them first. Exit code as above. */
int job_plan(struct invocation *invocation, const struct job *job, const struct strvec *workloads,
             struct job_report *report, struct error *err);
/* What kept the results from being whole, on stderr. */
void job_say_failures(const struct result_list *results);
/* How the results are to be shown. */
struct result_format job_result_format(const struct invocation *invocation);

#endif
