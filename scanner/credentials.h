/*
 * Registry credentials, from Docker config files. Immutable once loaded; may be shared between threads.
 *
 * Keys are matched as Docker writes them and users vary them: with or without scheme, with or without /v1/ or
 * /v2/, all spellings of Docker Hub, host with port, and host/path (the longest matching path wins). One bad
 * entry spoils only itself: it is kept with its reason and reported when it would have been used. Entries
 * that need a helper program (credsStore, credHelpers) are such entries in this version.
 */
#ifndef SCANNER_CREDENTIALS_H
#define SCANNER_CREDENTIALS_H

#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"

struct credentials;

struct credential {
    const char *username, *password; /* borrowed; NULL: anonymous */
    const char *identity_token;      /* a refresh token (OAuth2) instead of a password; NULL: none */
};

/* Reads one Docker config file (JSON). ERROR_NOT_FOUND if it is not there, ERROR_INVALID if it is not JSON.
 */
struct credentials *credentials_load(const char *path, struct error *err) MUST_CHECK;
/* From the text of such a file, as in a Secret of type kubernetes.io/dockerconfigjson. */
struct credentials *credentials_parse(const char *text, size_t len, const char *origin, struct error *err)
    MUST_CHECK;
void credentials_free(struct credentials *credentials);

/* What to use for a repository ("host/path", normalised): 0 with *out (all NULL: anonymous); -1 with
 * ERROR_UNSUPPORTED or ERROR_INVALID if the entry for it cannot be used. NULL credentials are anonymous. */
int credentials_for(const struct credentials *credentials, const char *repository, struct credential *out,
                    struct error *err) MUST_CHECK;

/* "Basic …" for an Authorization header; NULL without a user name. Wipe and free() it. */
char *credential_basic(const struct credential *credential) MUST_CHECK;

/* Whose answer it is, without being a secret: "" for anonymous, else made from the user name or, for a token
 * without one, from its hash. For keys of caches. free() it. */
char *credential_identity(const struct credential *credential) MUST_CHECK;

#endif
