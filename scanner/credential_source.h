/*
 * Credentials as scans ask for them: out of the Docker config file, or from where they must be got first, which
 * is a helper program (scanner/credential_helper.h).
 *
 * What must be got is got by a thread of its own for each host, at most CREDENTIAL_THREADS at a time, so that a
 * helper that hangs keeps only the repositories waiting that need it. It is got once for all who wait, kept in
 * memory for CREDENTIAL_KEEP_MS (that there is nothing, too), and a failure is kept for CREDENTIAL_EMBARGO_MS: a
 * scan of a thousand repositories asks once per host.
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

#define CREDENTIAL_THREADS    8
#define CREDENTIAL_KEEP_MS    600000
#define CREDENTIAL_EMBARGO_MS 60000

struct credential_source;

struct credential_source_options {
    const struct credentials *credentials; /* borrowed; NULL: no file */
    const struct clock *clock;             /* borrowed */
    /* Called from another thread when credential_source_collect has something to do. */
    void (*wake)(void *context);
    void *context;
};

struct credential_source *credential_source_new(const struct credential_source_options *options);
/* Nobody may wait: credential_source_cancel first. Waits for helpers under way, each of which has its deadline. */
void credential_source_free(struct credential_source *source);

/* Called once, with the credential to use (all NULL: anonymous; borrowed, copy what you keep), or with the
 * reason why there is none: those of credentials_for and credential_helper_get. */
typedef void (*credential_done)(const struct credential *credential, const struct error *err, void *context);

/* Calls `done` within this call if the answer is known, else from credential_source_collect. */
void credential_source_want(struct credential_source *source, const char *repository, credential_done done,
                            void *context);
/* Tells those whose credentials were got since the last call. */
void credential_source_collect(struct credential_source *source);
/* Tells all who wait ERROR_CANCELLED. */
void credential_source_cancel(struct credential_source *source);

#endif
