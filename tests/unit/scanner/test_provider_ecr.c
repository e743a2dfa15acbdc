/*
 * Amazon's services are scripted here. That what curl signs is what AWS computes is checked against an implementation of
 * its own in tests/integration/test_credentials.py.
 */
#include "tests/unit/scanner/provider_fixture.h"

#define HOST "123456789012.dkr.ecr.us-east-1.amazonaws.com"
/* AWS:pass:word */
#define TOKEN "{\"authorizationData\":[{\"authorizationToken\":\"QVdTOnBhc3M6d29yZA==\"}]}"
#define KEYS                                                                                                 \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"AKROLE\",\"SecretAccessKey\":\"hidden\",\"Token\":\"session\"}"
#define STS                                                                                                  \
    "{\"AssumeRoleWithWebIdentityResponse\":{\"AssumeRoleWithWebIdentityResult\":{\"Credentials\":{"         \
    "\"AccessKeyId\":\"AKWEB\",\"SecretAccessKey\":\"hidden\",\"SessionToken\":\"session\"}}}}"
#define ECR       "AWS_ENDPOINT_URL_ECR", "@/"
#define INSTANCE  "AWS_EC2_METADATA_SERVICE_ENDPOINT", "@"
#define ROLE_LIST "GET /latest/meta-data/iam/security-credentials/"

struct ecr_case {
    const char *name;
    const char *variables[CLOUD_VARIABLES][2];
    struct cloud_row rows[CLOUD_ROWS];
    const char *signed_by; /* the key in the last request's signature; NULL: it went elsewhere */
    enum error_code code;
    const char *words;
    bool is_anonymous;
};

static const struct ecr_case cases[] = {
    {.name = "keys of the environment",
     .variables = {{"AWS_ACCESS_KEY_ID", "AKENV"}, {"AWS_SECRET_ACCESS_KEY", "hidden"}, {ECR}},
     .rows = {{"POST /", "GetAuthorizationToken", "200 OK", TOKEN}},
     .signed_by = "AKENV"},
    {.name = "with a session",
     .variables = {{"AWS_ACCESS_KEY_ID", "AKENV"},
                   {"AWS_SECRET_ACCESS_KEY", "hidden"},
                   {"AWS_SESSION_TOKEN", "session"},
                   {ECR}},
     .rows = {{"POST /", "X-Amz-Security-Token: session", "200 OK", TOKEN}},
     .signed_by = "AKENV"},
    {.name = "keys that are refused",
     .variables = {{"AWS_ACCESS_KEY_ID", "AKENV"}, {"AWS_SECRET_ACCESS_KEY", "hidden"}, {ECR}},
     .rows =
         {{"POST /", NULL, "400 Bad Request",
           "{\"__type\":\"UnrecognizedClientException\",\"message\":\"The security token\\nis invalid.\"}"}},
     .signed_by = "AKENV",
     .code = ERROR_UNAUTHORIZED,
     .words = "The security token is invalid."},
    {.name = "a service in trouble",
     .variables = {{"AWS_ACCESS_KEY_ID", "AKENV"}, {"AWS_SECRET_ACCESS_KEY", "hidden"}, {ECR}},
     .rows = {{"POST /", NULL, "503 Service Unavailable", "<html>"}},
     .signed_by = "AKENV",
     .code = ERROR_NETWORK,
     .words = "AKENV"},
    {.name = "an answer without a token",
     .variables = {{"AWS_ACCESS_KEY_ID", "AKENV"}, {"AWS_SECRET_ACCESS_KEY", "hidden"}, {ECR}},
     .rows = {{"POST /", NULL, "200 OK", "{\"authorizationData\":[]}"}},
     .signed_by = "AKENV",
     .code = ERROR_INVALID,
     .words = "authorizationToken"},
    {.name = "an endpoint that would leak",
     .variables = {{"AWS_ACCESS_KEY_ID", "AKENV"},
                   {"AWS_SECRET_ACCESS_KEY", "hidden"},
                   {"AWS_ENDPOINT_URL_ECR", "http://ecr.example"}},
     .code = ERROR_INVALID,
     .words = "AWS_ENDPOINT_URL_ECR must be an https URL"},
    {.name = "web identity",
     .variables = {{"AWS_WEB_IDENTITY_TOKEN_FILE", "FILE"},
                   {"AWS_ROLE_ARN", "arn:aws:iam::1:role/pawl"},
                   {"AWS_ENDPOINT_URL_STS", "@/sts"},
                   {ECR}},
     .rows =
         {{"POST /sts/",
           "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fpawl&"
           "RoleSessionName=pawl&WebIdentityToken=file-token",
           "200 OK", STS},
          {"POST /", "X-Amz-Security-Token: session", "200 OK", TOKEN}},
     .signed_by = "AKWEB"},
    {.name = "web identity that is refused",
     .variables = {{"AWS_WEB_IDENTITY_TOKEN_FILE", "FILE"},
                   {"AWS_ROLE_ARN", "arn:aws:iam::1:role/pawl"},
                   {"AWS_ENDPOINT_URL_STS", "@"},
                   {ECR}},
     .rows = {{"POST /", NULL, "403 Forbidden",
               "{\"Error\":{\"Code\":\"AccessDenied\",\"Message\":\"Not authorized\"}}"}},
     .code = ERROR_FORBIDDEN,
     .words = "arn:aws:iam::1:role/pawl"},
    {.name = "web identity without its file",
     .variables = {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent/token"}, {"AWS_ROLE_ARN", "r"}, {ECR}},
     .code = ERROR_NOT_FOUND,
     .words = "/nonexistent/token"},
    {.name = "a pod's identity",
     .variables = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "@/v1/credentials"},
                   {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "FILE"},
                   {ECR}},
     .rows = {{"GET /v1/credentials", "Authorization: file-token", "200 OK", KEYS},
              {"POST /", NULL, "200 OK", TOKEN}},
     .signed_by = "AKROLE"},
    {.name = "a pod's identity from a stranger",
     .variables = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.2.evil.example/"}, {ECR}},
     .code = ERROR_INVALID,
     .words = "AWS_CONTAINER_CREDENTIALS_FULL_URI"},
    {.name = "the role of the instance",
     .variables = {{INSTANCE}, {ECR}},
     .rows = {{"PUT /latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 60", "200 OK", "imds-session"},
              {ROLE_LIST "pawl-role", "X-aws-ec2-metadata-token: imds-session", "200 OK", KEYS},
              {ROLE_LIST, "X-aws-ec2-metadata-token: imds-session", "200 OK", "pawl-role\nother"},
              {"POST /", "X-Amz-Security-Token: session", "200 OK", TOKEN}},
     .signed_by = "AKROLE"},
    {.name = "an instance without a role",
     .variables = {{INSTANCE}, {ECR}},
     .rows = {{"PUT /latest/api/token", NULL, "200 OK", "imds-session"}},
     .is_anonymous = true},
    {.name = "another cloud's metadata service",
     .variables = {{INSTANCE}, {ECR}},
     .rows = {{"PUT ", NULL, "405 Method Not Allowed", ""}},
     .is_anonymous = true},
    {.name = "a metadata service in trouble",
     .variables = {{INSTANCE}, {ECR}},
     .rows = {{"PUT ", NULL, "500 Internal Server Error", ""}},
     .code = ERROR_NETWORK,
     .words = "the role of the instance"},
    {.name = "keys of the instance that are none",
     .variables = {{INSTANCE}, {ECR}},
     .rows = {{"PUT ", NULL, "200 OK", "imds-session"},
              {ROLE_LIST "r", NULL, "200 OK", "{\"Code\":\"Failed\"}"},
              {ROLE_LIST, NULL, "200 OK", "r"}},
     .code = ERROR_INVALID,
     .words = "holds no keys"},
    {.name = "no instance",
     .variables = {{"AWS_EC2_METADATA_DISABLED", "true"}, {ECR}},
     .is_anonymous = true},
};

static void check(struct cloud *cloud, const struct ecr_case *c)
{
    struct error err = ERROR_INIT;
    struct credential_grant grant;
    memcpy(cloud->rows, c->rows, sizeof(cloud->rows));
    memcpy(cloud->variables, c->variables, sizeof(cloud->variables));
    for (size_t i = 0; i < CLOUD_VARIABLES; i++) {
        if (cloud->variables[i][1] && !strcmp(cloud->variables[i][1], "FILE"))
            cloud->variables[i][1] = cloud->file;
    }
    int result = cloud_get(cloud, HOST, provider_ecr_get, &grant, &err);
    if (result != (c->code ? -1 : 0) || err.code != c->code)
        fail_msg("%s: %d, %s", c->name, result, err.text);
    if (c->words && !strstr(err.text, c->words))
        fail_msg("%s: %s", c->name, err.text);
    assert_null(strstr(err.text, "hidden"));
    assert_null(strstr(err.text, "file-token"));
    AUTO_FREE char *credential =
        xasprintf("AWS4-HMAC-SHA256 Credential=%s/", c->signed_by ? c->signed_by : "?");
    if (c->signed_by &&
        (!strstr(cloud->last_head, credential) || !strstr(cloud->last_head, "/us-east-1/ecr/aws4_request")))
        fail_msg("%s: %s", c->name, cloud->last_head);
    if (c->signed_by && strstr(cloud->last_head, "X-Amz-Security-Token") &&
        !strstr(cloud->last_head, "x-amz-security-token;x-amz-target"))
        fail_msg("%s: %s", c->name, cloud->last_head);
    bool has_grant = !c->code && !c->is_anonymous;
    if (has_grant != (grant.username != NULL))
        fail_msg("%s: user %s", c->name, grant.username ? grant.username : "(none)");
    if (has_grant) {
        assert_string_equal(grant.username, "AWS");
        assert_string_equal(grant.password, "pass:word");
        assert_true(grant.lifetime_ms >= 3600000);
    }
    credential_grant_release(&grant);
}

static void test_provider_ecr_identities(void **state)
{
    struct cloud *cloud = *state;
    cloud_write_file(cloud, "  file-token\n");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(cloud, &cases[i]);
}

static void test_an_identity_can_be_required(void **state)
{
    static const struct {
        const char *variables[CLOUD_VARIABLES][2];
        enum error_code code;
        const char *words;
    } wanted[] = {
        {{{"AWS_ACCESS_KEY_ID", "AKENV"}, {"AWS_SECRET_ACCESS_KEY", "hidden"}}, ERROR_NONE, ""},
        {{{"AWS_EC2_METADATA_DISABLED", "true"}}, ERROR_UNAUTHORIZED, "no identity at AWS"},
        {{{INSTANCE}}, ERROR_UNAUTHORIZED, "no identity at AWS"},
        {{{"AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent/token"},
          {"AWS_ROLE_ARN", "arn:aws:iam::1:role/pawl"}},
         ERROR_NOT_FOUND,
         "/nonexistent/token"},
    };
    struct cloud *cloud = *state;
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        struct error err = ERROR_INIT;
        memcpy(cloud->variables, wanted[i].variables, sizeof(cloud->variables));
        const struct provider_request request = {
            .client = cloud->client, .clock = &system_clock, .variable = cloud_variable, .context = cloud};
        int result = provider_ecr_require(&request, &err);
        if (result != (wanted[i].code ? -1 : 0) || err.code != wanted[i].code ||
            !strstr(err.text, wanted[i].words))
            fail_msg("%zu: %d, %s", i, result, err.text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_provider_ecr_identities, cloud_set_up, cloud_tear_down),
        cmocka_unit_test_setup_teardown(test_an_identity_can_be_required, cloud_set_up, cloud_tear_down),
    };
    return cmocka_run_group_tests_name("provider_ecr", tests, NULL, NULL);
}
