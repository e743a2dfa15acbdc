/*
 * Registry credentials, from Docker config files. Immutable once loaded; may be shared between threads.
 *
 * Keys are matched as Docker writes them and users vary them: with or without scheme, with or without /v1/ or
 * /v2/, all spellings of Docker Hub, host with port, and host/path (the longest matching path wins). One bad
 * entry spoils only itself: it is kept with its reason and reported when it would have been used. The older layout,
 * without "auths" around the hosts (~/.dockercfg, Secrets of type kubernetes.io/dockercfg), is read too.
 *
 * What comes first, for keys that cover as much: what is written in "auths", then the host's own helper
 * (credHelpers), then the store (credsStore), which is also asked about hosts that the file does not name. The helpers
 * themselves are run by scanner/credential_source.h.
 */
#ifndef SCANNER_CREDENTIALS_H
#define SCANNER_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"

struct credentials;

struct credential {
    const char *username, *password; /* borrowed; NULL: anonymous */
    const char *identity_token;      /* a refresh token (OAuth2) instead of a password; NULL: none */
    const char *secret;              /* "namespace/name" of the pull secret it is from; NULL: of none */
    const char *secret_uid;          /* the uid of that Secret: no other in any cluster has it */
};

/* Reads one Docker config file (JSON). ERROR_NOT_FOUND if it is not there, ERROR_INVALID if it is not JSON.
 */
struct credentials *credentials_load(const char *path, struct error *err) MUST_CHECK;
/* From the text of such a file, as in a Secret of type kubernetes.io/dockerconfigjson. */
struct credentials *credentials_parse(const char *text, size_t len, const char *origin, struct error *err)
    MUST_CHECK;
void credentials_free(struct credentials *credentials);

/* What a file says about a repository. Borrowed from the credentials. */
struct credential_choice {
    struct credential credential; /* all NULL: none is written there */
    const char *helper;           /* docker-credential-`helper` is to be asked; NULL: nobody is */
    const char *server;           /* for whom, as the file's key was written; NULL: for the host */
    bool is_listed;               /* the file has an entry that covers the repository */
    size_t covered;               /* how much of the repository's name that entry covers: more is better */
};

/* What to use for a repository ("host/path", normalised): 0 with *out; -1 with ERROR_UNSUPPORTED or ERROR_INVALID if
 * the entry for it cannot be used. NULL credentials say nothing about any. */
int credentials_for(const struct credentials *credentials, const char *repository,
                    struct credential_choice *out, struct error *err) MUST_CHECK;

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
