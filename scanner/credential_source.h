/*
 * Credentials as scans ask for them: out of the Docker config file, or from where they must be got first, which
 * is a helper program that the file names (scanner/credential_helper.h), or the cloud provider that the host belongs to
 * (scanner/provider.h) if the file has nothing for it.
 *
 * What must be got is got by a thread of its own for each host, at most CREDENTIAL_THREADS at a time, so that a
 * helper that hangs or a provider that does not answer keeps only the repositories waiting that need it. It is got
 * once for all who wait and kept in memory: a scan of a thousand repositories asks once per host. That there is
 * nothing is kept, too, and so is a failure, for a shorter time. What a provider gives is renewed when a quarter of its
 * life is left; if that fails, the old is used to its end.
 *
 * A source belongs to one thread, its owner; only `wake` is called from others.
 */
#ifndef SCANNER_CREDENTIAL_SOURCE_H
#define SCANNER_CREDENTIAL_SOURCE_H

#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "scanner/credentials.h"

#define CREDENTIAL_THREADS 8
/* Of a helper, which does not say how long; and of the finding that there is nothing. */
#define CREDENTIAL_KEEP_MS 600000
/* After a failure. Providers count refused calls, and what they lack is seldom there a minute later. */
#define CREDENTIAL_EMBARGO_MS          60000
#define CREDENTIAL_PROVIDER_EMBARGO_MS 600000

struct credential_source;

struct credential_source_options {
    const struct credentials *credentials; /* borrowed; NULL: no file */
    const struct clock *clock;             /* borrowed */
    /* Called from another thread when credential_source_collect has something to do. */
    void (*wake)(void *context);
    void *context;
};

struct credential_source *credential_source_new(const struct credential_source_options *options);
/* Takes other credentials from now on, in the place of those in the options. */
void credential_source_replace(struct credential_source *source, const struct credentials *credentials);
/* Nobody may wait: credential_source_cancel first. Waits for what is under way, which has its deadlines. */
void credential_source_free(struct credential_source *source);

/* Called once, with the credential to use (all NULL: anonymous; borrowed, copy what you keep), or with the
 * reason why there is none: those of credentials_for, credential_helper_get and provider_get. */
typedef void (*credential_done)(const struct credential *credential, const struct error *err, void *context);

/* Calls `done` within this call if the answer is known, else from credential_source_collect. */
void credential_source_want(struct credential_source *source, const char *repository, credential_done done,
                            void *context);
/* The registry refused what was given for the repository: it is got anew for the next who wants it, unless it was got
 * within the last CREDENTIAL_EMBARGO_MS, when asking again would give the same. */
void credential_source_refused(struct credential_source *source, const char *repository);
/* Tells those whose credentials were got since the last call. */
void credential_source_collect(struct credential_source *source);
/* Tells all who wait ERROR_CANCELLED. */
void credential_source_cancel(struct credential_source *source);

#endif
