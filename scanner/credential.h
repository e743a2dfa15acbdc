/*
 * One log-in to a registry, as it is used: what goes into a header, and who it is to a cache. A borrowed view: the Docker
 * config file (scanner/credentials.h) or a grant (scanner/credential_grant.h) owns the text.
 */
#ifndef SCANNER_CREDENTIAL_H
#define SCANNER_CREDENTIAL_H

#include "base/attr.h"

struct credential {
    const char *username, *password; /* borrowed; NULL: anonymous */
    const char *identity_token;      /* a refresh token (OAuth2) instead of a password; NULL: none */
    const char *secret;              /* "namespace/name" of the pull secret it is from; NULL: of none */
    const char *secret_uid;          /* the uid of that Secret: no other in any cluster has it */
};

/* "Basic …" for an Authorization header; NULL without a user name. Wipe and free() it. */
char *credential_basic(const struct credential *credential) MUST_CHECK;

/* Whose answer it is, without being a secret: "" for anonymous, else made from the user name and, for a token, from a
 * hash of it, or of its issuer and subject where it says so (a JWT, which is another one each time it is renewed).
 * The log-in of a pull secret is that of this one Secret, by its uid: another Secret's answer is never taken for its
 * own, not even with the same user name (whose password may be wrong) or under the same name in another cluster; a new
 * password in the same Secret keeps what is known. Nothing here is made from a password. For keys of caches. free() it.
 */
char *credential_identity(const struct credential *credential) MUST_CHECK;

#endif
