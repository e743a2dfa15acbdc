/*
 * The key set that tokens are checked with, fetched by a thread of its own: the listener's must not wait for
 * anyone. Fetched at start, every hour, and when a token names a key that is not in it (at most once a
 * minute, for anybody can send such a token).
 *
 * From any thread.
 */
#ifndef DAEMON_WEBHOOK_CERTS_H
#define DAEMON_WEBHOOK_CERTS_H

#include "base/attr.h"
#include "base/clock.h"

struct webhook_certs;
/* `url` gives a JSON Web Key Set. Strings are borrowed, as the clock. */
struct webhook_certs *webhook_certs_new(const char *url, const struct clock *clock) MUST_CHECK;
void webhook_certs_free(struct webhook_certs *certs); /* NULL does nothing */

/* The set as JSON, or NULL while there is none. free() it. */
char *webhook_certs_get(struct webhook_certs *certs) MUST_CHECK;
/* A key is missing: fetch soon. */
void webhook_certs_refresh(struct webhook_certs *certs);

#endif
