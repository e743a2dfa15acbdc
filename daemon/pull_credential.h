/*
 * A log-in out of a pull secret, as demands carry it from a round to the scanner's thread: immutable, counted by
 * reference, wiped with the last one.
 */
#ifndef DAEMON_PULL_CREDENTIAL_H
#define DAEMON_PULL_CREDENTIAL_H

#include "base/attr.h"
#include "scanner/credential.h"
#include "scanner/credential_grant.h"

#define PULL_FINGERPRINT_SIZE 65 /* hexadecimal, with its NUL */

struct pull_credential {
    int references; /* atomic */
    struct credential_grant grant;
    struct credential credential; /* the grant, to look at */
    /* The same for the same user, password and token, whatever Secret they are in; a hash under a key that this
     * process made up. In memory only: it is never written or shown. */
    char fingerprint[PULL_FINGERPRINT_SIZE];
};

/* A copy; one reference. */
struct pull_credential *pull_credential_new(const struct credential *credential) MUST_CHECK;
struct pull_credential *pull_credential_ref(struct pull_credential *credential); /* NULL gives NULL */
void pull_credential_unref(struct pull_credential *credential);                  /* NULL does nothing */
void pull_credential_release(struct pull_credential **credential);               /* for CLEANUP */

#endif
