/*
 * Signed claims (JWT, RFC 7519) by which a service account proves who it is: RS256 (RFC 7518 section 3.3).
 */
#ifndef SCANNER_JWT_H
#define SCANNER_JWT_H

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"

/* header.claims.signature; `key_id` may be NULL. ERROR_INVALID if the text is no RSA private key in PEM. Wipe and free()
 * it. */
char *jwt_sign_rs256(const json_t *claims, const char *key_id, const char *key_pem, struct error *err)
    MUST_CHECK;

#endif
