/*
 * The keys of webhooks: --hook-key-file, a line each.
 *
 *     KEY [SECRET]
 *
 * KEY stands in the URL. SECRET is what signatures and tokens are made with; without one it is the key itself.
 * Several lines let keys be replaced one by one. Empty lines and those that begin with "#" are passed over. A file that
 * is missing when serve starts is made with mode 0600 and one line of random values; later changes are read as
 * daemon/webhook_key_file.h says.
 *
 * Comparing takes the same time whatever is given.
 */
#ifndef DAEMON_WEBHOOK_KEYS_H
#define DAEMON_WEBHOOK_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"

/* Shorter ones can be guessed. */
#define WEBHOOK_KEY_LEAST 16

struct webhook_key {
    char *key, *secret;
    bool has_secret; /* of its own: `secret` is not the key */
};

struct webhook_keys {
    struct webhook_key *items;
    size_t len, capacity;
    bool was_created; /* the file was missing */
};
#define WEBHOOK_KEYS_INIT                                                                                    \
    {                                                                                                        \
        .items = NULL, .len = 0, .capacity = 0, .was_created = false                                         \
    }

/* Reads the file, or makes it. ERROR_USAGE for a file without keys, or with one that is too short or has characters that a URL has not; what
 * base/file.h says. */
int webhook_keys_load(const char *path, struct webhook_keys *keys, struct error *err) MUST_CHECK;
/* The same of a file that must be there: ERROR_NOT_FOUND. */
int webhook_keys_read(const char *path, struct webhook_keys *keys, struct error *err) MUST_CHECK;
void webhook_keys_release(struct webhook_keys *keys);

/* NULL if it is none of them. */
const struct webhook_key *webhook_keys_find(const struct webhook_keys *keys, const char *key);

/* In constant time for texts of one length; the length itself is no secret. */
bool webhook_is_same(const char *a, const char *b);
/* Whether `signature` is "sha256=" and the HMAC-SHA256 of the bytes under the secret, in hexadecimal. NULL is not. */
bool webhook_is_signed(const char *secret, const char *bytes, size_t len, const char *signature);
/* Whether it is the HMAC-SHA1 of the body in hexadecimal, of the bytes as they came or of the JSON without white space,
 * which is what Nexus's manual says is signed. Under HMAC SHA-1 is still sound. */
bool webhook_is_signed_by_nexus(const char *secret, const char *body, size_t len, const char *signature);

#endif
