/*
 * Azure Container Registry: an access token of Microsoft Entra is exchanged at the registry for a refresh token of its
 * own (/oauth2/exchange), which is an identity token as Docker knows it. Who we are says the first of these:
 *
 *     AZURE_FEDERATED_TOKEN_FILE with AZURE_CLIENT_ID and AZURE_TENANT_ID     (workload identity)
 *     AZURE_CLIENT_SECRET with the same two                                   (service principal)
 *     the managed identity of the machine, from its metadata service; AZURE_CLIENT_ID picks one of several
 *
 * AZURE_AUTHORITY_HOST and AZURE_POD_IDENTITY_AUTHORITY_HOST point elsewhere.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "scanner/provider_call.h"

/* The name that stands for all who come with a token. */
#define USERNAME "00000000-0000-0000-0000-000000000000"
/* Refresh tokens are good for three hours; an hour less than that is safe with any clock. */
#define LIFETIME_MS      INT64_C(7200000)
#define METADATA_SERVICE "http://169.254.169.254"
#define METADATA_HOST    "AZURE_POD_IDENTITY_AUTHORITY_HOST"
#define ASSERTION_TYPE   "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

static const struct azure_cloud {
    const char *suffix;    /* of the registries' names */
    const char *authority; /* that knows the identities */
    const char *resource;  /* that the token is for */
} clouds[] = {
    {".azurecr.io", "https://login.microsoftonline.com", "https://management.azure.com/"},
    {".azurecr.cn", "https://login.chinacloudapi.cn", "https://management.chinacloudapi.cn/"},
    {".azurecr.us", "https://login.microsoftonline.us", "https://management.usgovcloudapi.net/"},
};

static const struct azure_cloud *cloud_of(const char *host)
{
    for (size_t i = 0; i < ARRAY_LEN(clouds); i++) {
        if (str_ends_with(host, clouds[i].suffix))
            return &clouds[i];
    }
    return NULL;
}

bool provider_acr_owns(const char *host)
{
    return cloud_of(host) != NULL;
}

/* A string of an answer, owned. */
static char *take_text(const json_t *answer, const char *key, struct error *err)
{
    const char *text = json_string_at(answer, key);
    if (answer && (!text || !*text))
        error_set(err, ERROR_INVALID, "the answer holds no %s", key);
    return text && *text ? xstrdup(text) : NULL;
}

/* -- an access token ----------------------------------------------------------------------------------------- */

/* By client credentials (RFC 6749 section 4.4), proved by a secret or by an assertion (RFC 7523). */
static char *from_authority(const struct provider_request *request, const struct azure_cloud *cloud,
                            const char *secret, const char *assertion, struct error *err)
{
    AUTO_FREE char *authority = provider_endpoint(request, "AZURE_AUTHORITY_HOST", cloud->authority, err);
    if (!authority)
        return NULL;
    CLEANUP(strbuf_release) struct strbuf form = STRBUF_INIT, url = STRBUF_INIT;
    AUTO_FREE char *scope = xasprintf("%s.default", cloud->resource);
    strbuf_addf(&url, "%s/", authority);
    strbuf_add_urlencoded(&url, provider_setting(request, "AZURE_TENANT_ID"), "");
    strbuf_addstr(&url, "/oauth2/v2.0/token");
    provider_add_field(&form, "grant_type", "client_credentials");
    provider_add_field(&form, "client_id", provider_setting(request, "AZURE_CLIENT_ID"));
    provider_add_field(&form, "scope", scope);
    provider_add_field(&form, "client_secret", secret);
    provider_add_field(&form, "client_assertion_type", assertion ? ASSERTION_TYPE : NULL);
    provider_add_field(&form, "client_assertion", assertion);
    AUTO_JSON json_t *answer = provider_post_form(request, url.buf, &form, err);
    return take_text(answer, "access_token", err);
}

static char *from_workload(const struct provider_request *request, const struct azure_cloud *cloud,
                           struct error *err)
{
    char *assertion = provider_read_secret(provider_setting(request, "AZURE_FEDERATED_TOKEN_FILE"), err);
    char *token = assertion ? from_authority(request, cloud, NULL, assertion, err) : NULL;
    credential_free_secret(assertion);
    if (!token)
        error_wrap(err, "the workload identity AZURE_CLIENT_ID=%s",
                   provider_setting(request, "AZURE_CLIENT_ID"));
    return token;
}

static char *from_secret(const struct provider_request *request, const struct azure_cloud *cloud,
                         struct error *err)
{
    char *token = from_authority(request, cloud, provider_setting(request, "AZURE_CLIENT_SECRET"), NULL, err);
    if (!token)
        error_wrap(err, "the service principal AZURE_CLIENT_ID=%s",
                   provider_setting(request, "AZURE_CLIENT_ID"));
    return token;
}

/* 404: no Azure machine; 400: one without an identity, unless a certain one was asked for. */
static char *read_metadata(const struct provider_request *request, struct http_response *response,
                           struct error *err)
{
    bool is_none =
        response->status == 404 || (response->status == 400 && !provider_setting(request, "AZURE_CLIENT_ID"));
    if (is_none)
        return NULL;
    if (response->status / 100 != 2) {
        provider_refused(response, err);
        return NULL;
    }
    AUTO_JSON json_t *answer = json_read(response->body.buf, response->body.len, NULL);
    explicit_bzero(response->body.buf, response->body.len);
    if (!answer)
        error_set(err, ERROR_INVALID, "its answer is not JSON");
    return take_text(answer, "access_token", err);
}

/* NULL with ERROR_NONE: there is no such service here, or no identity. */
static char *from_metadata(const struct provider_request *request, const struct azure_cloud *cloud,
                           struct error *err)
{
    static const struct http_header headers[] = {{"Metadata", "true"}, {NULL, NULL}};
    CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
    AUTO_FREE char *base = provider_endpoint(request, METADATA_HOST, METADATA_SERVICE, err);
    if (!base)
        return NULL;
    CLEANUP(strbuf_release) struct strbuf url = STRBUF_INIT, query = STRBUF_INIT;
    provider_add_field(&query, "api-version", "2018-02-01");
    provider_add_field(&query, "resource", cloud->resource);
    provider_add_field(&query, "client_id", provider_setting(request, "AZURE_CLIENT_ID"));
    strbuf_addf(&url, "%s/metadata/identity/oauth2/token?%s", base, query.buf);
    const struct http_request http = {
        .url = url.buf, .headers = headers, .timeout_ms = PROVIDER_METADATA_TIMEOUT_MS, .is_direct = true};
    char *token = NULL;
    if (provider_send(request, &http, &response, err) == 0)
        token = read_metadata(request, &response, err);
    else if (provider_is_absent(err) && !provider_setting(request, METADATA_HOST))
        error_clear(err);
    if (!token && err->code != ERROR_NONE)
        error_wrap(err, "the managed identity");
    return token;
}

static char *get_access_token(const struct provider_request *request, const struct azure_cloud *cloud,
                              struct error *err)
{
    bool has_principal =
        provider_setting(request, "AZURE_CLIENT_ID") && provider_setting(request, "AZURE_TENANT_ID");
    if (has_principal && provider_setting(request, "AZURE_FEDERATED_TOKEN_FILE"))
        return from_workload(request, cloud, err);
    if (has_principal && provider_setting(request, "AZURE_CLIENT_SECRET"))
        return from_secret(request, cloud, err);
    return from_metadata(request, cloud, err);
}

/* -- the registry's own ---------------------------------------------------------------------------------------- */

static char *exchange(const struct provider_request *request, const char *access_token, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf form = STRBUF_INIT;
    AUTO_FREE char *url = xasprintf("%s/oauth2/exchange", request->registry_url);
    provider_add_field(&form, "grant_type", "access_token");
    provider_add_field(&form, "service", request->host);
    provider_add_field(&form, "access_token", access_token);
    AUTO_JSON json_t *answer = provider_post_form(request, url, &form, err);
    return take_text(answer, "refresh_token", err);
}

int provider_acr_get(const struct provider_request *request, struct credential_grant *grant,
                     struct error *err)
{
    struct error problem = ERROR_INIT;
    const struct azure_cloud *cloud = cloud_of(request->host);
    if (!cloud)
        return error_set(err, ERROR_INVALID, "%s is no host of ACR", request->host);
    *grant = (struct credential_grant){.lifetime_ms = LIFETIME_MS};
    char *access_token = get_access_token(request, cloud, &problem);
    if (!access_token)
        return problem.code ? error_set(err, problem.code, "%s", problem.text) : 0;
    char *refresh_token = exchange(request, access_token, err);
    credential_free_secret(access_token);
    if (!refresh_token)
        return error_wrap(err, "exchanging the identity's token (does it have the role AcrPull on %s?)",
                          request->host);
    grant->username = xstrdup(USERNAME);
    grant->identity_token = refresh_token;
    return 0;
}
