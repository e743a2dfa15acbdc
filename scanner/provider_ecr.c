/*
 * Amazon ECR: GetAuthorizationToken of its API (version 2015-09-21) gives user and password for twelve hours, good for
 * all that the identity may read in the region. The answer's own date is not looked at: clocks differ.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "scanner/aws_identity.h"
#include "scanner/provider_call.h"

#define ACCOUNT_DIGITS 12
#define LIFETIME_MS    INT64_C(43200000)
#define TARGET         "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"

/* The names of a registry are ACCOUNT, `service`, REGION and `suffix`; that of the API is `api`, REGION and `api_suffix`.
 * Those with "dkr-ecr" are the dual-stack ones. STS has `sts_domain`. */
static const struct ecr_form {
    const char *service, *suffix, *api, *api_suffix, *sts_domain;
} forms[] = {
    {".dkr.ecr.", ".amazonaws.com", "api.ecr.", ".amazonaws.com", "amazonaws.com"},
    {".dkr.ecr-fips.", ".amazonaws.com", "ecr-fips.", ".amazonaws.com", "amazonaws.com"},
    {".dkr-ecr.", ".on.aws", "ecr.", ".api.aws", "amazonaws.com"},
    {".dkr-ecr-fips.", ".on.aws", "ecr-fips.", ".api.aws", "amazonaws.com"},
    {".dkr.ecr.", ".amazonaws.com.cn", "api.ecr.", ".amazonaws.com.cn", "amazonaws.com.cn"},
    {".dkr-ecr.", ".on.amazonwebservices.com.cn", "ecr.", ".api.amazonwebservices.com.cn",
     "amazonaws.com.cn"},
    {".dkr.ecr.", ".amazonaws.eu", "api.ecr.", ".amazonaws.eu", "amazonaws.eu"},
};

struct ecr_host {
    char region[33];
    const struct ecr_form *form;
};

static bool has_form(const char *host, const struct ecr_form *form, struct ecr_host *out)
{
    const char *service = host + strspn(host, "0123456789");
    if (service - host != ACCOUNT_DIGITS || !str_starts_with(service, form->service))
        return false;
    const char *region = service + strlen(form->service);
    size_t len = strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-");
    if (!len || len >= sizeof(out->region) || strcmp(region + len, form->suffix) != 0)
        return false;
    memcpy(out->region, region, len);
    out->region[len] = '\0';
    out->form = form;
    return true;
}

static bool parse_host(const char *host, struct ecr_host *out)
{
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (has_form(host, &forms[i], out))
            return true;
    }
    return false;
}

bool provider_ecr_owns(const char *host)
{
    struct ecr_host parsed;
    return parse_host(host, &parsed);
}

static json_t *ask_token(const struct provider_request *request, const struct ecr_host *host,
                         const struct aws_identity *identity, struct error *err)
{
    AUTO_FREE char *usual =
        xasprintf("https://%s%s%s", host->form->api, host->region, host->form->api_suffix);
    AUTO_FREE char *endpoint = provider_endpoint(request, "AWS_ENDPOINT_URL_ECR", usual, err);
    if (!endpoint)
        return NULL;
    AUTO_FREE char *url = xasprintf("%s/", endpoint);
    const struct http_header headers[] = {{"Content-Type", "application/x-amz-json-1.1"},
                                          {"X-Amz-Security-Token", identity->session_token},
                                          {"X-Amz-Target", TARGET},
                                          {NULL, NULL}};
    const struct http_aws_sigv4 signature = {
        .region = host->region, .service = "ecr", .key_id = identity->key_id, .secret = identity->secret};
    return provider_ask(request,
                        &(struct http_request){.method = "POST",
                                               .url = url,
                                               .headers = headers,
                                               .aws_sigv4 = &signature,
                                               .body = "{}",
                                               .body_len = 2},
                        err);
}

/* base64 of "AWS:password" */
static int read_token(const json_t *answer, struct credential_grant *grant, struct error *err)
{
    const json_t *first = json_array_get(json_object_get(answer, "authorizationData"), 0);
    const char *encoded = json_string_at(first, "authorizationToken");
    CLEANUP(strbuf_release) struct strbuf plain = STRBUF_INIT;
    bool is_read = encoded && strbuf_add_base64_decoded(&plain, encoded, strlen(encoded)) == 0;
    const char *colon = is_read ? strchr(plain.buf, ':') : NULL;
    if (colon) {
        *grant = (struct credential_grant){.username = xmemdupz(plain.buf, (size_t)(colon - plain.buf)),
                                           .password = xstrdup(colon + 1),
                                           .lifetime_ms = LIFETIME_MS};
    }
    explicit_bzero(plain.buf, plain.len);
    return colon ? 0 : error_set(err, ERROR_INVALID, "the answer of ECR holds no authorizationToken");
}

int provider_ecr_get(const struct provider_request *request, struct credential_grant *grant,
                     struct error *err)
{
    struct ecr_host host;
    if (!parse_host(request->host, &host))
        return error_set(err, ERROR_INVALID, "%s is no host of ECR", request->host);
    CLEANUP(aws_identity_release) struct aws_identity identity = AWS_IDENTITY_INIT;
    if (aws_identity_find(request, host.region, host.form->sts_domain, &identity, err) < 0)
        return -1;
    *grant = (struct credential_grant){.lifetime_ms = LIFETIME_MS};
    if (!identity.key_id)
        return 0;
    AUTO_JSON json_t *answer = ask_token(request, &host, &identity, err);
    if (!answer)
        return error_wrap(
            err, "ecr:GetAuthorizationToken with the key %s (is it allowed to, and is the clock right?)",
            identity.key_id);
    return read_token(answer, grant, err);
}
