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

/* Where registries are (ACCOUNT INFIX[-fips].REGION SUFFIX), and the API of theirs: API.REGION.DOMAIN. */
static const struct ecr_family {
    const char *infix, *suffix, *api, *domain;
} families[] = {
    {".dkr.ecr", ".amazonaws.com", "api.ecr", "amazonaws.com"},
    {".dkr.ecr", ".amazonaws.com.cn", "api.ecr", "amazonaws.com.cn"},
    {".dkr.ecr", ".amazonaws.eu", "api.ecr", "amazonaws.eu"},
    /* over IPv6, too */
    {".dkr-ecr", ".on.aws", "ecr", "api.aws"},
    {".dkr-ecr", ".on.amazonwebservices.com.cn", "ecr", "api.amazonwebservices.com.cn"},
};

struct ecr_host {
    const struct ecr_family *family;
    char region[33];
    bool is_fips;
};

static const char *after(const char *text, const char *prefix)
{
    return text && str_starts_with(text, prefix) ? text + strlen(prefix) : NULL;
}

/* `rest` is what is behind the account. */
static bool parse_rest(const char *rest, const struct ecr_family *family, struct ecr_host *out)
{
    const char *dot = after(rest, family->infix), *fips = after(dot, "-fips");
    const char *region = after(fips ? fips : dot, ".");
    size_t len = region ? strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;
    if (!len || len >= sizeof(out->region) || strcmp(region + len, family->suffix) != 0)
        return false;
    *out = (struct ecr_host){.family = family, .is_fips = fips != NULL};
    memcpy(out->region, region, len);
    return true;
}

static bool parse_host(const char *host, struct ecr_host *out)
{
    size_t digits = strspn(host, "0123456789");
    for (size_t i = 0; digits == ACCOUNT_DIGITS && i < ARRAY_LEN(families); i++) {
        if (parse_rest(host + digits, &families[i], out))
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
    AUTO_FREE char *usual = xasprintf("https://%s.%s.%s", host->is_fips ? "ecr-fips" : host->family->api,
                                      host->region, host->family->domain);
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
    if (aws_identity_find(request, host.region, host.family->domain, &identity, err) < 0)
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
