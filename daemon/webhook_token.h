/*
 * The OpenID token that Google's Pub/Sub sends with a push: a JSON Web Token (RFC 7519) signed RS256 (RFC 7518 section
 * 3.3) with one of the keys that Google publishes as a JSON Web Key Set (RFC 7517).
 *
 * Whoever has a Google account can have a token made for any audience, so the audience alone proves little: the
 * account that the subscription uses can be asked for too.
 */
#ifndef DAEMON_WEBHOOK_TOKEN_H
#define DAEMON_WEBHOOK_TOKEN_H

#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct webhook_token_rules {
    const char *audience; /* "aud" is it, or has it in its list */
    const char *issuer;   /* "iss", with or without "https://" */
    const char *account;  /* "email", which must be verified; NULL: anyone's */
};

/* Clocks may differ by this. */
#define WEBHOOK_TOKEN_SKEW_S 60

/* 0 if the token is good at `now_ms`. -1: ERROR_NOT_FOUND if the keys have none of the token's name (they change
 * every few days: fetch them again), else ERROR_UNAUTHORIZED, with the reason. `keys` is the set as JSON. */
int webhook_token_verify(const char *token, const char *keys, const struct webhook_token_rules *rules,
                         int64_t now_ms, struct error *err) MUST_CHECK;

#endif
