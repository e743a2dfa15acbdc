/*
 * `pawl automate`, `deautomate`, `lock`, `unlock` and `policy`: annotations of a workload, as one commit.
 */
#include <string.h>

#include "base/alloc.h"
#include "cli/command.h"
#include "cli/job_options.h"
#include "daemon/policy_job.h"

static bool is_called(const struct invocation *invocation, const char *name)
{
    return !strcmp(invocation->command->name, name);
}

static int exit_code(const struct error *err)
{
    return err->code == ERROR_USAGE || err->code == ERROR_UNSUPPORTED ? EXIT_USAGE : EXIT_FAILED;
}

int command_policy(struct invocation *invocation, struct error *err)
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
        return exit_code(err);
    const struct job job = policy_job_of(made);
    CLEANUP(strvec_release) struct strvec workloads = STRVEC_INIT;
    strvec_push(&workloads, invocation->workload);
    return job_command(invocation, &job, &workloads, err);
}
