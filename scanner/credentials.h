/*
 * Registry credentials, from Docker config files. Immutable once loaded; may be shared between threads.
 *
 * Keys are matched as Docker writes them and users vary them: with or without scheme, with or without /v1/ or
 * /v2/, all spellings of Docker Hub, host with port, and host/path (the longest matching path wins). A "*" in the host
 * stands for what is between two dots, or a part of it, as for the kubelet; any key without one goes before. One bad
 * entry spoils only itself: it is kept with its reason and reported when it would have been used. The older layout,
 * without "auths" around the hosts (~/.dockercfg, Secrets of type kubernetes.io/dockercfg), is read too.
 *
 * What comes first, for keys that cover as much: what is written in "auths", then the host's own helper
 * (credHelpers), then the store (credsStore), which is also asked about hosts that the file does not name; among those of
 * one kind the key as `docker login` writes it, which is the first that Docker looks for. The helpers themselves are run by scanner/credential_source.h.
 */
#ifndef SCANNER_CREDENTIALS_H
#define SCANNER_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "scanner/credential.h"

struct credentials;

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

#endif
