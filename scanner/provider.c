#include "scanner/provider.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const struct provider providers[] = {
    {"Amazon ECR", provider_ecr_owns, provider_ecr_get},
    {"Google Artifact Registry", provider_gcp_owns, provider_gcp_get},
    {"Azure Container Registry", provider_acr_owns, provider_acr_get},
};

const struct provider *provider_of(const char *host)
{
    for (size_t i = 0; i < ARRAY_LEN(providers); i++) {
        if (providers[i].owns(host))
            return &providers[i];
    }
    return NULL;
}

static const char *environment(const char *name, void *context UNUSED)
{
    return getenv(name);
}

int provider_require(const char *name, struct error *err)
{
    if (strcmp(name, "ecr") != 0)
        return error_set(err, ERROR_USAGE, "there is no provider \"%s\"; ecr is one", name);
    struct http_client *client = http_client_new(NULL);
    const struct provider_request request = {
        .client = client, .clock = &system_clock, .variable = environment};
    int status = provider_ecr_require(&request, err);
    http_client_free(client);
    return status;
}

int provider_get(const struct provider *provider, const char *host, struct credential_grant *grant,
                 struct error *err)
{
    AUTO_FREE char *url = xasprintf("https://%s", host);
    struct http_client *client = http_client_new(NULL);
    const struct provider_request request = {
        .host = host, .registry_url = url, .client = client, .clock = &system_clock, .variable = environment};
    int status = provider->get(&request, grant, err);
    http_client_free(client);
    return status < 0 ? error_wrap(err, "getting credentials from %s", provider->name) : 0;
}
