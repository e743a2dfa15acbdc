/*
 * `pawl automate`, `deautomate`, `lock`, `unlock` and `policy`: annotations of a workload, as one commit.
 */
#include <string.h>

#include "base/alloc.h"
#include "cli/command.h"
#include "cli/fluxctl_options.h"
#include "cli/job_options.h"
#include "cli/option_rows.h"
#include "daemon/policy_job.h"

static bool is_called(const struct invocation *invocation, const char *name)
{
    return !strcmp(invocation->command->name, name);
}

static int command_policy(struct invocation *invocation, struct error *err)
{
    AUTO_FREE char *user = job_user(invocation);
    const struct policy_request request = {
        .workload = invocation->workload,
        .space = invocation->space,
        .automate = invocation->automate || is_called(invocation, "automate"),
        .deautomate = invocation->deautomate || is_called(invocation, "deautomate"),
        .lock = invocation->lock || is_called(invocation, "lock"),
        .unlock = invocation->unlock || is_called(invocation, "unlock"),
        .until = invocation->until,
        .tag_all = invocation->tag_all,
        .tags = &invocation->tags,
        .set = &invocation->set,
        .unset = &invocation->unset,
        .user = user,
        .message = invocation->message,
    };
    CLEANUP(policy_job_release)
    struct policy_job *made = policy_job_new(&request, clock_wall_ms(&system_clock), err);
    if (!made)
        return command_exit_code(err);
    const struct job job = policy_job_of(made);
    CLEANUP(strvec_release) struct strvec workloads = STRVEC_INIT;
    strvec_push(&workloads, invocation->workload);
    return job_command(invocation, &job, &workloads, err);
}

/* -- options and help ------------------------------------------------------------------------------------------- */

static const struct option_row lock_options[] = {
    {.name = "until",
     .type = OPTION_STRING,
     .offset = AT(until),
     .metavar = "TIME",
     .group = COMMAND_GROUP,
     .help = "When the lock ends by itself: 2026-01-02T15:04:05Z, or how long it lasts, as in 8h or 3d"},
    {.name = NULL},
};

static const struct option_row policy_options[] = {
    {.name = "tag",
     .type = OPTION_TEXTS,
     .offset = AT(tags),
     .metavar = "CONTAINER=PATTERN",
     .group = COMMAND_GROUP,
     .help = "Tag policy of a container; may be given several times; the pattern * removes it"},
    {.name = "tag-all",
     .type = OPTION_STRING,
     .offset = AT(tag_all),
     .metavar = "PATTERN",
     .group = COMMAND_GROUP,
     .help = "Tag policy of all containers that --tag does not name"},
    {.name = "automate",
     .type = OPTION_BOOL,
     .offset = AT(automate),
     .group = COMMAND_GROUP,
     .help = "Automate the workload"},
    {.name = "deautomate",
     .type = OPTION_BOOL,
     .offset = AT(deautomate),
     .group = COMMAND_GROUP,
     .help = "Do not automate it any more"},
    {.name = "lock", .type = OPTION_BOOL, .offset = AT(lock), .group = COMMAND_GROUP, .help = "Lock it"},
    {.name = "unlock",
     .type = OPTION_BOOL,
     .offset = AT(unlock),
     .group = COMMAND_GROUP,
     .help = "Unlock it"},
    {.name = "set",
     .type = OPTION_TEXTS,
     .offset = AT(set),
     .metavar = "KEY[.CONTAINER]=VALUE",
     .group = COMMAND_GROUP,
     .help = "Any policy that an annotation pawl.dev/KEY says; may be given several times"},
    {.name = "unset",
     .type = OPTION_TEXTS,
     .offset = AT(unset),
     .metavar = "KEY[.CONTAINER]",
     .group = COMMAND_GROUP,
     .help = "Remove such a policy; may be given several times"},
    {.name = NULL},
};

static const struct option_row *const automate_tables[] = {
    job_workload_options,   job_options,         config_git_options, config_cluster_options,
    config_general_options, config_flux_options, fluxctl_options,    NULL};
static const struct option_row *const lock_tables[] = {
    job_workload_options, lock_options,           job_options,
    config_git_options,   config_cluster_options, config_general_options,
    config_flux_options,  fluxctl_options,        NULL};
static const struct option_row *const policy_tables[] = {
    job_workload_options,   policy_options,         lock_options,        job_options,     config_git_options,
    config_cluster_options, config_general_options, config_flux_options, fluxctl_options, NULL};

const struct command automate_command = {
    .name = "automate",
    .summary = "let the images of a workload follow their registries",
    .description =
        "Annotates the workload in git with fluxcd.io/automated: \"true\", as one commit that is pushed. "
        "Only the bytes of\n"
        "the annotation change. If someone else pushed first it is decided again on what is there then.\n"
        "\n"
        "Exit status: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 a dry run would change "
        "something.\n",
    .examples = "pawl automate --git-url git@github.com:org/gitops -w default:deployment/app\n",
    .tables = automate_tables,
    .needs_repository = true,
    .run = command_policy,
};

const struct command deautomate_command = {
    .name = "deautomate",
    .summary = "leave the images of a workload as they are",
    .description =
        "Removes the annotation automated from the workload in git, as one commit that is pushed.\n"
        "\n"
        "Exit status: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 a dry run would change "
        "something.\n",
    .examples = "pawl deautomate --git-url git@github.com:org/gitops -w default:deployment/app\n",
    .tables = automate_tables,
    .needs_repository = true,
    .run = command_policy,
};

const struct command lock_command = {
    .name = "lock",
    .summary = "keep a workload from being changed",
    .description = "Annotates the workload in git with fluxcd.io/locked: \"true\", who locked it and, with "
                   "-m, why. Neither automation\n"
                   "nor a release changes a locked workload.\n"
                   "\n"
                   "Exit status: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 a dry run would change "
                   "something.\n",
    .examples = "pawl lock --git-url git@github.com:org/gitops -w default:deployment/app -m 'waits for the "
                "migration'\n"
                "pawl lock --git-url git@github.com:org/gitops -w default:deployment/app --until 8h\n",
    .tables = lock_tables,
    .needs_repository = true,
    .run = command_policy,
};

const struct command unlock_command = {
    .name = "unlock",
    .summary = "let a locked workload be changed again",
    .description =
        "Removes the lock from the workload in git: locked, locked_user, locked_msg and locked-until.\n"
        "\n"
        "Exit status: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 a dry run would change "
        "something.\n",
    .examples = "pawl unlock --git-url git@github.com:org/gitops -w default:deployment/app\n",
    .tables = automate_tables,
    .needs_repository = true,
    .run = command_policy,
};

const struct command policy_command = {
    .name = "policy",
    .summary = "set the policies of a workload: tags, automation, locks and more",
    .description = "Changes the annotations of the workload in git, as one commit that is pushed. An "
                   "annotation that is there already\n"
                   "changes under the prefix it has; a new one is written as fluxcd.io/ if Flux v1 knows "
                   "it, else as pawl.dev/. A pattern\n"
                   "that cannot be read is refused before anything is written.\n"
                   "\n"
                   "Exit status: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 a dry run would change "
                   "something.\n",
    .examples = "pawl policy --git-url git@github.com:org/gitops -w default:deployment/app --tag "
                "'app=semver:>=1.2, <2'\n"
                "pawl policy --git-url git@github.com:org/gitops -w default:deployment/app --automate "
                "--tag-all 'glob:main-*'\n",
    .tables = policy_tables,
    .needs_repository = true,
    .run = command_policy,
};
