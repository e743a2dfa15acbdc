/*
 * Gets bearer tokens from the realm that a registry names (docker/distribution's token specification: GET
 * with service, scope and basic credentials; OAuth2 POST for an identity token), one request for all who wait
 * for the same token. Its requests go through the queue of the registry's host and count against its budget.
 */
#ifndef SCANNER_TOKEN_SOURCE_H
#define SCANNER_TOKEN_SOURCE_H

#include <stdint.h>

#include "base/clock.h"
#include "base/http.h"
#include "base/strmap.h"
#include "scanner/credential.h"
#include "scanner/registry_host.h"
#include "scanner/token_store.h"

struct token_source {
    struct http_client *const *client; /* borrowed; looked at for each request */
    const struct clock *clock;
    int64_t timeout_ms;
    struct token_store store;
    struct strmap fetches; /* key -> the one under way */
};

void token_source_init(struct token_source *source, struct http_client *const *client,
                       const struct clock *clock, int64_t timeout_ms);
void token_source_release(struct token_source *source);

struct token_waiter {
    struct token_waiter *next;
    /* The token is in the store, or `err` says why not. */
    void (*ready)(struct token_waiter *waiter, const struct error *err);
};

struct token_request {
    struct registry_host *host; /* whose challenge names realm and service */
    const char *repository;     /* for messages; borrowed until the waiter is called */
    const struct credential *credential;
    const char *key;   /* in the store; copied */
    const char *scope; /* copied */
    unsigned *requests;
};

/*
 * Calls the waiter, later, when the token is there or cannot be had: ERROR_FORBIDDEN for a realm that must
 * not be asked (registry.h says which), ERROR_UNAUTHORIZED where the credentials are refused,
 * ERROR_RATE_LIMITED, …
 */
void token_source_want(struct token_source *source, const struct token_request *request,
                       struct token_waiter *waiter);

#endif
