/*
 * Google Artifact Registry and Container Registry: an OAuth2 access token is the password of "oauth2accesstoken".
 * It comes for the key of a service account (GOOGLE_APPLICATION_CREDENTIALS; RFC 7523), else from the metadata
 * server, which in a pod with workload identity speaks for the pod's account. GCE_METADATA_HOST names another one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "scanner/jwt.h"
#include "scanner/provider_call.h"

#define USERNAME        "oauth2accesstoken"
#define SCOPE           "https://www.googleapis.com/auth/cloud-platform"
#define TOKEN_URI       "https://oauth2.googleapis.com/token"
#define METADATA_SERVER "http://metadata.google.internal"
#define TOKEN_PATH      "/computeMetadata/v1/instance/service-accounts/default/token"
#define KEY_FILE        "GOOGLE_APPLICATION_CREDENTIALS"
#define ASSERTION_S     3600 /* the longest that Google takes */
#define USUAL_LIFE_S    INT64_C(300)

bool provider_gcp_owns(const char *host)
{
    return !strcmp(host, "gcr.io") || str_ends_with(host, ".gcr.io") || str_ends_with(host, ".pkg.dev");
}

static int take_token(const json_t *answer, struct credential_grant *grant, struct error *err)
{
    const char *token = json_string_at(answer, "access_token");
    if (!token || !*token)
        return error_set(err, ERROR_INVALID, "the answer holds no access_token");
    *grant = (struct credential_grant){
        .username = xstrdup(USERNAME),
        .password = xstrdup(token),
        .lifetime_ms = provider_lifetime_ms(json_object_get(answer, "expires_in"), USUAL_LIFE_S)};
    return 0;
}

/* -- the key of a service account -------------------------------------------------------------------------- */

static char *make_assertion(const struct provider_request *request, const json_t *account, const char *uri,
                            struct error *err)
{
    const char *email = json_string_at(account, "client_email"),
               *key = json_string_at(account, "private_key");
    if (!email || !key) {
        error_set(err, ERROR_INVALID, "client_email and private_key are expected in it");
        return NULL;
    }
    json_int_t now_s = clock_wall_ms(request->clock) / 1000;
    AUTO_JSON json_t *claims = json_pack("{ss ss ss sI sI}", "iss", email, "scope", SCOPE, "aud", uri, "iat",
                                         now_s, "exp", now_s + ASSERTION_S);
    return jwt_sign_rs256(claims, json_string_at(account, "private_key_id"), key, err);
}

static int use_account(const struct provider_request *request, const json_t *account,
                       struct credential_grant *grant, struct error *err)
{
    const char *type = json_string_at(account, "type"), *uri = json_string_at(account, "token_uri");
    if (!type || strcmp(type, "service_account") != 0)
        return error_set(err, ERROR_UNSUPPORTED,
                         "it is of type %.40s; only the key of a service_account is supported",
                         type ? type : "(none)");
    uri = uri ? uri : TOKEN_URI;
    if (provider_check_url(uri, "token_uri", err) < 0)
        return -1;
    char *assertion = make_assertion(request, account, uri, err);
    if (!assertion)
        return -1;
    CLEANUP(strbuf_release) struct strbuf form = STRBUF_INIT;
    provider_add_field(&form, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    provider_add_field(&form, "assertion", assertion);
    credential_free_secret(assertion);
    AUTO_JSON json_t *answer = provider_post_form(request, uri, &form, err);
    return answer ? take_token(answer, grant, err) : -1;
}

static int use_key_file(const struct provider_request *request, const char *path,
                        struct credential_grant *grant, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (file_read(path, LIMIT_TOKEN_BYTES, &text, err) < 0)
        return error_wrap(err, KEY_FILE);
    AUTO_JSON json_t *account = json_read(text.buf, text.len, NULL);
    explicit_bzero(text.buf, text.len);
    if (!json_is_object(account))
        return error_set(err, ERROR_INVALID, KEY_FILE ": %s: not JSON", path);
    return use_account(request, account, grant, err) < 0 ? error_wrap(err, KEY_FILE ": %s", path) : 0;
}

/* -- the metadata server ----------------------------------------------------------------------------------- */

/* GCE_METADATA_HOST is HOST[:PORT], as Google's own libraries read it. */
static char *metadata_server(const struct provider_request *request, struct error *err)
{
    const char *host = provider_setting(request, "GCE_METADATA_HOST");
    AUTO_FREE char *url = host ? xasprintf("http://%s", host) : xstrdup(METADATA_SERVER);
    bool is_usual = !strcmp(url, METADATA_SERVER) || !strcmp(url, "http://169.254.169.254");
    if (!is_usual && provider_check_url(url, "GCE_METADATA_HOST", err) < 0)
        return NULL;
    return steal(&url);
}

static int use_metadata(const struct provider_request *request, struct credential_grant *grant,
                        struct error *err)
{
    static const struct http_header headers[] = {{"Metadata-Flavor", "Google"}, {NULL, NULL}};
    CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
    AUTO_FREE char *server = metadata_server(request, err);
    if (!server)
        return -1;
    AUTO_FREE char *url = xasprintf("%s" TOKEN_PATH, server);
    struct error problem = ERROR_INIT;
    const struct http_request http = {
        .url = url, .headers = headers, .timeout_ms = PROVIDER_METADATA_TIMEOUT_MS, .is_direct = true};
    *grant = (struct credential_grant){.lifetime_ms = USUAL_LIFE_S * 1000};
    if (provider_send(request, &http, &response, &problem) < 0) {
        bool is_nowhere = provider_is_absent(&problem) && !provider_setting(request, "GCE_METADATA_HOST");
        return is_nowhere ? 0 : error_set(err, problem.code, "the metadata server: %s", problem.text);
    }
    if (response.status == 404) /* a machine without a service account, or of another cloud */
        return 0;
    if (response.status / 100 != 2)
        return provider_refused(&response, err);
    AUTO_JSON json_t *answer = json_read(response.body.buf, response.body.len, NULL);
    explicit_bzero(response.body.buf, response.body.len);
    return take_token(answer, grant, err) < 0 ? error_wrap(err, "the metadata server") : 0;
}

int provider_gcp_get(const struct provider_request *request, struct credential_grant *grant,
                     struct error *err)
{
    const char *path = provider_setting(request, KEY_FILE);
    return path ? use_key_file(request, path, grant, err) : use_metadata(request, grant, err);
}
