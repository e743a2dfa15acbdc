#include "scanner/aws_identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "scanner/provider_call.h"

#define METADATA_SERVICE "http://169.254.169.254"
#define ROLE_PATH        "/latest/meta-data/iam/security-credentials/"
/* ECS keeps its own at this address; EKS Pod Identity at the two others. Plain http there is AWS's own design. */
static const char *const container_hosts[] = {"http://169.254.170.2/", "http://169.254.170.23/",
                                              "http://[fd00:ec2::23]/"};

void aws_identity_release(struct aws_identity *identity)
{
    free(identity->key_id);
    credential_free_secret(identity->secret);
    credential_free_secret(identity->session_token);
    *identity = (struct aws_identity)AWS_IDENTITY_INIT;
}

static char *clean_copy(const json_t *object, const char *key)
{
    const char *text = json_string_at(object, key);
    return text && *text && credential_is_clean(text) ? xstrdup(text) : NULL;
}

/* STS calls the third one SessionToken, the metadata services Token. */
static int take_keys(const json_t *keys, const char *token_key, const char *whose,
                     struct aws_identity *identity, struct error *err)
{
    identity->key_id = clean_copy(keys, "AccessKeyId");
    identity->secret = clean_copy(keys, "SecretAccessKey");
    identity->session_token = clean_copy(keys, token_key);
    if (identity->key_id && identity->secret && identity->session_token)
        return 0;
    aws_identity_release(identity);
    return error_set(err, ERROR_INVALID, "the answer of %s holds no keys", whose);
}

/* -- the environment --------------------------------------------------------------------------------------- */

static bool take_environment(const struct provider_request *request, struct aws_identity *identity)
{
    const char *key_id = provider_setting(request, "AWS_ACCESS_KEY_ID");
    const char *secret = provider_setting(request, "AWS_SECRET_ACCESS_KEY");
    if (!key_id || !secret)
        return false;
    *identity = (struct aws_identity){xstrdup(key_id), xstrdup(secret),
                                      xstrdup(provider_setting(request, "AWS_SESSION_TOKEN"))};
    return true;
}

/* -- web identity ------------------------------------------------------------------------------------------ */

static json_t *assume_role(const struct provider_request *request, const char *region, const char *domain,
                           const char *token, struct error *err)
{
    const char *session = provider_setting(request, "AWS_ROLE_SESSION_NAME");
    AUTO_FREE char *usual = xasprintf("https://sts.%s.%s", region, domain);
    AUTO_FREE char *endpoint = provider_endpoint(request, "AWS_ENDPOINT_URL_STS", usual, err);
    CLEANUP(strbuf_release) struct strbuf form = STRBUF_INIT;
    if (!endpoint)
        return NULL;
    provider_add_field(&form, "Action", "AssumeRoleWithWebIdentity");
    provider_add_field(&form, "Version", "2011-06-15");
    provider_add_field(&form, "RoleArn", provider_setting(request, "AWS_ROLE_ARN"));
    provider_add_field(&form, "RoleSessionName", session ? session : "pawl");
    provider_add_field(&form, "WebIdentityToken", token);
    AUTO_FREE char *url = xasprintf("%s/", endpoint);
    return provider_post_form(request, url, &form, err);
}

static int take_web_identity(const struct provider_request *request, const char *region, const char *domain,
                             struct aws_identity *identity, struct error *err)
{
    char *token = provider_read_secret(provider_setting(request, "AWS_WEB_IDENTITY_TOKEN_FILE"), err);
    if (!token)
        return error_wrap(err, "AWS_WEB_IDENTITY_TOKEN_FILE");
    AUTO_JSON json_t *answer = assume_role(request, region, domain, token, err);
    credential_free_secret(token);
    if (!answer)
        return error_wrap(err, "assuming the role %s (check its trust policy)",
                          provider_setting(request, "AWS_ROLE_ARN"));
    const json_t *result = json_object_get(json_object_get(answer, "AssumeRoleWithWebIdentityResponse"),
                                           "AssumeRoleWithWebIdentityResult");
    return take_keys(json_object_get(result, "Credentials"), "SessionToken", "STS", identity, err);
}

/* -- containers -------------------------------------------------------------------------------------------- */

static bool is_container_host(const char *url)
{
    for (size_t i = 0; i < ARRAY_LEN(container_hosts); i++) {
        if (str_starts_with(url, container_hosts[i]))
            return true;
    }
    return false;
}

/* NULL with ERROR_NONE: the container has none. */
static char *container_url(const struct provider_request *request, struct error *err)
{
    const char *full = provider_setting(request, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *relative = provider_setting(request, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    if (relative && *relative == '/')
        return xasprintf("http://169.254.170.2%s", relative);
    if (!full)
        return NULL;
    if (!is_container_host(full) && provider_check_url(full, "AWS_CONTAINER_CREDENTIALS_FULL_URI", err) < 0)
        return NULL;
    return xstrdup(full);
}

static int take_container(const struct provider_request *request, const char *url,
                          struct aws_identity *identity, struct error *err)
{
    const char *path = provider_setting(request, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    char *token = path ? provider_read_secret(path, err)
                       : xstrdup(provider_setting(request, "AWS_CONTAINER_AUTHORIZATION_TOKEN"));
    if (path && !token)
        return error_wrap(err, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    AUTO_JSON json_t *answer = provider_ask(
        request, &(struct http_request){.url = url, .authorization = token, .is_direct = true}, err);
    credential_free_secret(token);
    return answer ? take_keys(answer, "Token", "the container's credential service", identity, err)
                  : error_wrap(err, "the container's credential service");
}

/* -- the instance ------------------------------------------------------------------------------------------ */

static int metadata_get(const struct provider_request *request, const char *base, const char *path,
                        const char *session, struct http_response *response, struct error *err)
{
    AUTO_FREE char *url = xasprintf("%s%s", base, path);
    const struct http_header headers[] = {{"X-aws-ec2-metadata-token", session}, {NULL, NULL}};
    return provider_send(
        request,
        &(struct http_request){
            .url = url, .headers = headers, .timeout_ms = PROVIDER_METADATA_TIMEOUT_MS, .is_direct = true},
        response, err);
}

/* A session token of the metadata service; NULL with ERROR_NONE: there is no such service here. */
static char *metadata_session(const struct provider_request *request, const char *base, bool is_usual,
                              struct error *err)
{
    static const struct http_header headers[] = {{"X-aws-ec2-metadata-token-ttl-seconds", "60"},
                                                 {NULL, NULL}};
    CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
    AUTO_FREE char *url = xasprintf("%s/latest/api/token", base);
    const struct http_request http = {.method = "PUT",
                                      .url = url,
                                      .headers = headers,
                                      .timeout_ms = PROVIDER_METADATA_TIMEOUT_MS,
                                      .is_direct = true};
    if (provider_send(request, &http, &response, err) < 0) {
        if (is_usual && provider_is_absent(err))
            error_clear(err);
        return NULL;
    }
    if (response.status == 200 && response.body.len && credential_is_clean(response.body.buf))
        return strbuf_detach(&response.body, NULL);
    if (response.status / 100 != 4) /* a refusal is the answer of another cloud's service */
        provider_refused(&response, err);
    return NULL;
}

static int take_role(const struct provider_request *request, const char *base, const char *session,
                     struct aws_identity *identity, struct error *err)
{
    CLEANUP(http_response_release) struct http_response list = HTTP_RESPONSE_INIT;
    CLEANUP(http_response_release) struct http_response keys = HTTP_RESPONSE_INIT;
    if (metadata_get(request, base, ROLE_PATH, session, &list, err) < 0)
        return -1;
    if (list.status == 404) /* an instance without a role */
        return 0;
    if (list.status != 200)
        return provider_refused(&list, err);
    AUTO_FREE char *role = xmemdupz(list.body.buf, strcspn(list.body.buf, "\r\n"));
    AUTO_FREE char *path = xasprintf(ROLE_PATH "%s", role);
    if (metadata_get(request, base, path, session, &keys, err) < 0)
        return -1;
    if (keys.status != 200)
        return provider_refused(&keys, err);
    AUTO_JSON json_t *answer = json_read(keys.body.buf, keys.body.len, NULL);
    explicit_bzero(keys.body.buf, keys.body.len);
    return take_keys(answer, "Token", "the instance's metadata service", identity, err);
}

static int take_instance(const struct provider_request *request, struct aws_identity *identity,
                         struct error *err)
{
    static const char variable[] = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
    const char *disabled = provider_setting(request, "AWS_EC2_METADATA_DISABLED");
    if (disabled && !strcmp(disabled, "true"))
        return 0;
    struct error problem = ERROR_INIT;
    AUTO_FREE char *base = provider_endpoint(request, variable, METADATA_SERVICE, &problem);
    char *session =
        base ? metadata_session(request, base, !provider_setting(request, variable), &problem) : NULL;
    int status = session ? take_role(request, base, session, identity, &problem) : 0;
    bool failed = status < 0 || (!session && problem.code != ERROR_NONE);
    credential_free_secret(session);
    return failed ? error_set(err, problem.code, "the role of the instance: %s", problem.text) : 0;
}

int aws_identity_find(const struct provider_request *request, const char *region, const char *domain,
                      struct aws_identity *identity, struct error *err)
{
    struct error problem = ERROR_INIT;
    *identity = (struct aws_identity)AWS_IDENTITY_INIT;
    if (take_environment(request, identity))
        return 0;
    if (provider_setting(request, "AWS_WEB_IDENTITY_TOKEN_FILE") && provider_setting(request, "AWS_ROLE_ARN"))
        return take_web_identity(request, region, domain, identity, err);
    AUTO_FREE char *url = container_url(request, &problem);
    if (url)
        return take_container(request, url, identity, err);
    if (problem.code != ERROR_NONE)
        return error_set(err, problem.code, "%s", problem.text);
    return take_instance(request, identity, err);
}
