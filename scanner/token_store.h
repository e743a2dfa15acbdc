/*
 * Bearer tokens by what they are good for: a registry, a scope, and whose they are. In memory only; the text
 * of a token is wiped when it goes. Times are monotonic milliseconds.
 */
#ifndef SCANNER_TOKEN_STORE_H
#define SCANNER_TOKEN_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strmap.h"

struct token_store {
    struct strmap tokens;
};

void token_store_init(struct token_store *store);
void token_store_release(struct token_store *store);

/* "Bearer …", usable for at least some seconds more, or NULL; borrowed until the next call. */
const char *token_store_get(const struct token_store *store, const char *key, int64_t now_ms);

/*
 * Reads a token server's answer (docker/distribution's token specification, and its OAuth2 form: `token` or
 * `access_token`, `expires_in` seconds, 60 if missing) and keeps the token under `key`. `issued_at` is not
 * looked at: clocks differ. ERROR_INVALID for an answer without a usable token; its text repeats nothing of
 * it.
 */
int token_store_read(struct token_store *store, const char *key, const char *answer, size_t len,
                     int64_t now_ms, struct error *err) MUST_CHECK;

/* After the registry refused it. */
void token_store_forget(struct token_store *store, const char *key);

#endif
