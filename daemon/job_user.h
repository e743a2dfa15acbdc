/*
 * Who asks for a job, where --user does not say: what git's configuration has, as fluxctl took it.
 */
#ifndef DAEMON_JOB_USER_H
#define DAEMON_JOB_USER_H

#include "base/attr.h"

/* "name <email>", else the email, else the name that `git config` gives here; NULL if there is neither, or no git.
 * free() it. */
char *job_user_default(void) MUST_CHECK;

#endif
