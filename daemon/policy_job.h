/*
 * The job behind `pawl automate`, `deautomate`, `lock`, `unlock` and `policy`: annotations of one workload.
 *
 * What was asked for is checked before anything is read: a pattern that does not compile is never written. What the
 * annotations then mean is checked again on the edited manifest, before it is committed.
 */
#ifndef DAEMON_POLICY_JOB_H
#define DAEMON_POLICY_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "daemon/job.h"

/* What was asked for; all borrowed, for the life of the job. */
struct policy_request {
    const char *workload; /* "namespace:kind/name" or "kind/name" */
    const char *space;    /* of a workload that names none; NULL: the repository's default */
    bool automate, deautomate, lock, unlock;
    const char *until;   /* when the lock ends: RFC 3339, or a duration from now; NULL: it does not */
    const char *tag_all; /* a pattern for all containers that `tags` does not name; NULL: none */
    const struct strvec
        *tags; /* "CONTAINER=PATTERN"; "*" or nothing as pattern removes the policy; NULL: none */
    const struct strvec *set;   /* "KEY=VALUE" or "KEY.CONTAINER=VALUE", the keys of pawl.dev/; NULL: none */
    const struct strvec *unset; /* "KEY" or "KEY.CONTAINER"; NULL: none */
    const char *user, *message; /* who, and why; NULL: not said */
};

struct policy_job;

/* ERROR_USAGE for what cannot be meant, or cannot be read: the text names the flag. ERROR_UNSUPPORTED for a key that is
 * not in this version. */
struct policy_job *policy_job_new(const struct policy_request *request, int64_t now_ms, struct error *err)
    MUST_CHECK;
void policy_job_free(struct policy_job *job);
void policy_job_release(struct policy_job **job); /* for CLEANUP */

/* The job for job_run; borrows. Its result is "success", "skipped" if all was so already, or "failed" with the reason. */
struct job policy_job_of(struct policy_job *job);

#endif
