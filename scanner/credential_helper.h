/*
 * Docker's credential helpers: programs called docker-credential-NAME that are asked on their standard input for
 * a server and answer on their standard output, {"ServerURL","Username","Secret"} in JSON (the protocol of
 * docker/docker-credential-helpers). The user name "<token>" says that the secret is an identity token. A
 * helper that has nothing says "credentials not found" and fails, which is no error here.
 *
 * The call waits for the program: not for a thread that has other work.
 */
#ifndef SCANNER_CREDENTIAL_HELPER_H
#define SCANNER_CREDENTIAL_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "scanner/credential_grant.h"

/* Helpers read a keychain, or ask a cloud, which answers in a second or two; this one has hung. */
#define CREDENTIAL_HELPER_TIMEOUT_MS 8000

/* Whether NAME may be looked up in PATH: a plain file name of letters, digits, '.', '_' and '-'. */
bool credential_helper_is_name(const char *name);

/*
 * Asks the helper for `server`. 0 with the grant (an empty one: it has none); ERROR_NOT_FOUND if there is no such
 * program, ERROR_TIMEOUT, ERROR_UNAUTHORIZED with its own words if it fails, ERROR_INVALID for an answer that
 * is none (its text repeats nothing of it, as it may hold a secret).
 */
int credential_helper_get(const char *name, const char *server, int64_t timeout_ms,
                          struct credential_grant *grant, struct error *err) MUST_CHECK;

/* What a helper's standard output says; as above. */
int credential_helper_parse(const char *text, size_t len, struct credential_grant *grant, struct error *err)
    MUST_CHECK;

#endif
