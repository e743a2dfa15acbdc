/*
 * Credentials that somebody hands out for a time: a helper program, a cloud provider. Owned text, wiped when it
 * is released; struct credential (scanner/credential.h) is the borrowed view of it.
 */
#ifndef SCANNER_CREDENTIAL_GRANT_H
#define SCANNER_CREDENTIAL_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "scanner/credential.h"

struct credential_grant {
    char *username, *password, *identity_token; /* all NULL: there are none for this host */
    char *secret, *secret_uid;                  /* as in struct credential */
    int64_t lifetime_ms;                        /* from now on; 0: the giver does not say */
};
#define CREDENTIAL_GRANT_INIT                                                                                \
    {                                                                                                        \
        .username = NULL, .password = NULL, .identity_token = NULL, .lifetime_ms = 0                         \
    }

void credential_grant_release(struct credential_grant *grant);
/* A copy that outlives the lender's; release it. */
struct credential_grant credential_grant_copy(const struct credential *credential) MUST_CHECK;
/* Borrowed from the grant. */
struct credential credential_grant_view(const struct credential_grant *grant);
bool credential_grant_is_empty(const struct credential_grant *grant);

/* Wipes the text and frees it. */
void credential_free_secret(char *text);
/* Whether the text can go into an Authorization header or a form as it is: no control characters. */
bool credential_is_clean(const char *text);

#endif
