/*
 * WWW-Authenticate: what a registry wants to see before it answers (RFC 9110 section 11.6.1; for Bearer, the
 * token specification of docker/distribution: realm, service, scope, error).
 *
 * The field may hold several challenges, and several fields may be joined by commas; parameters are tokens or
 * quoted strings. A challenge of a scheme that we do not speak is passed over.
 */
#ifndef SCANNER_AUTH_CHALLENGE_H
#define SCANNER_AUTH_CHALLENGE_H

#include <stdbool.h>

enum auth_scheme { AUTH_NONE, AUTH_BASIC, AUTH_BEARER };

struct auth_challenge {
    enum auth_scheme scheme;
    char *realm, *service, *scope; /* of Bearer; NULL if missing */
    char *error;                   /* "invalid_token", "insufficient_scope"; NULL if missing */
};
#define AUTH_CHALLENGE_INIT                                                                                  \
    {                                                                                                        \
        .scheme = AUTH_NONE, .realm = NULL, .service = NULL, .scope = NULL, .error = NULL                    \
    }

/* The challenge to answer: the first Bearer that has a realm, else the first Basic; AUTH_NONE if there is
 * neither or the field (NULL: missing) is malformed before one. Release it. */
void auth_challenge_parse(const char *field, struct auth_challenge *out);
void auth_challenge_release(struct auth_challenge *challenge);

#endif
