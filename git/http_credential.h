/*
 * The user and password for a git host over HTTP: from the URL, else once from git's own credential helpers
 * (`git credential fill`, gitcredentials(7)), which is where people keep them. Nobody is asked: terminal and
 * graphical prompts are off; a GIT_ASKPASS program that the user set is used, as it may answer by itself.
 */
#ifndef GIT_HTTP_CREDENTIAL_H
#define GIT_HTTP_CREDENTIAL_H

#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "git/remote_url.h"

/* The value of an Authorization header ("Basic …", RFC 7617) from the URL's user and password; NULL if it
 * holds no password. free() it, after explicit_bzero. */
char *http_credential_of_url(const struct remote_url *url) MUST_CHECK;

/* The same from the credential helpers. ERROR_UNAUTHORIZED if they know none, ERROR_TIMEOUT. */
char *http_credential_of_helpers(const struct remote_url *url, int64_t timeout_ms, struct error *err)
    MUST_CHECK;

#endif
