/*
 * Cloud providers whose registries are logged in to with the identity that the machine, the pod or the environment
 * has: one row in the table of provider.c and one file each.
 *
 *     ECR  <account>.dkr.ecr.<region>.amazonaws.com, …     keys of the environment, web identity, instance role
 *     GCP  gcr.io, *.gcr.io, *.pkg.dev                     service account key, metadata server (workload identity)
 *     ACR  *.azurecr.io, .cn, .us                          workload identity, service principal, managed identity
 *
 * A provider is asked only for hosts that are its own. Where there is no identity at all, it gives an empty grant:
 * the registry is then asked anonymously. The calls wait for the network: not for a thread that has other work.
 */
#ifndef SCANNER_PROVIDER_H
#define SCANNER_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/http.h"
#include "scanner/credential_grant.h"

struct provider_request {
    const char *host;           /* of the registry */
    const char *registry_url;   /* scheme and host of its API, without a slash at the end */
    struct http_client *client; /* with no other requests */
    const struct clock *clock;
    const char *(*variable)(const char *name, void *context); /* of the environment; NULL: not set */
    void *context;
};

struct provider {
    const char *name; /* for messages */
    bool (*owns)(const char *host);
    int (*get)(const struct provider_request *request, struct credential_grant *grant, struct error *err);
};

/* The provider that the host belongs to, or NULL. */
const struct provider *provider_of(const char *host);

/*
 * Gets credentials for a host of its own; lifetime_ms is always set. The environment and the clock are the machine's.
 * 0 with the grant (an empty one: no identity was found); ERROR_UNAUTHORIZED or ERROR_FORBIDDEN if the identity is
 * refused, ERROR_INVALID for settings or answers that make no sense, ERROR_NETWORK, ERROR_TIMEOUT, ERROR_TLS.
 */
int provider_get(const struct provider *provider, const char *host, struct credential_grant *grant,
                 struct error *err) MUST_CHECK;

/* Whether there is an identity at all at a provider, by its short name as in --registry-require: "ecr". 0, or -1 with
 * ERROR_UNAUTHORIZED if there is none, else as provider_get. */
int provider_require(const char *name, struct error *err) MUST_CHECK;

/* -- the rows ---------------------------------------------------------------------------------------------- */

bool provider_ecr_owns(const char *host);
int provider_ecr_get(const struct provider_request *request, struct credential_grant *grant,
                     struct error *err) MUST_CHECK;
/* -1 if no identity is found; in no particular registry: `host` is not looked at. */
int provider_ecr_require(const struct provider_request *request, struct error *err) MUST_CHECK;
bool provider_gcp_owns(const char *host);
int provider_gcp_get(const struct provider_request *request, struct credential_grant *grant,
                     struct error *err) MUST_CHECK;
bool provider_acr_owns(const char *host);
int provider_acr_get(const struct provider_request *request, struct credential_grant *grant,
                     struct error *err) MUST_CHECK;

#endif
