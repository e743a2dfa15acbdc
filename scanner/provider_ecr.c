/*
 * Amazon ECR: GetAuthorizationToken of its API (version 2015-09-21) gives user and password for twelve hours, good for
 * all that the identity may read in the region. The answer's own date is not looked at: clocks differ.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "scanner/aws_identity.h"
#include "scanner/ecr_host.h"
#include "scanner/provider_call.h"

#define LIFETIME_MS INT64_C(43200000)
#define TARGET      "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"

bool provider_ecr_owns(const char *host)
{
    struct ecr_host parsed;
    return ecr_host_parse(host, &parsed);
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
    if (!ecr_host_parse(request->host, &host))
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

int provider_ecr_require(const struct provider_request *request, struct error *err)
{
    const char *region = provider_setting(request, "AWS_REGION");
    if (!region)
        region = provider_setting(request, "AWS_DEFAULT_REGION");
    CLEANUP(aws_identity_release) struct aws_identity identity = AWS_IDENTITY_INIT;
    if (aws_identity_find(request, region ? region : "us-east-1", "amazonaws.com", &identity, err) < 0)
        return -1;
    return identity.key_id
               ? 0
               : error_set(
                     err, ERROR_UNAUTHORIZED,
                     "there is no identity at AWS: no keys in the environment, no role of a pod, and no "
                     "instance metadata service that answers");
}
