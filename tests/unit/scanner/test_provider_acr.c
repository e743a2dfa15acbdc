/* Microsoft's services and the registry are scripted here. */
#include "tests/unit/scanner/provider_fixture.h"

#define PRINCIPAL                                                                                            \
    {"AZURE_CLIENT_ID", "me"}, {"AZURE_TENANT_ID", "ten/ant"},                                               \
    {                                                                                                        \
        "AZURE_AUTHORITY_HOST", "@/login/"                                                                   \
    }
#define METADATA "AZURE_POD_IDENTITY_AUTHORITY_HOST", "@/"
#define ACCESS   "{\"access_token\":\"hidden-access\",\"expires_in\":\"3599\"}"
#define EXCHANGE                                                                                             \
    {                                                                                                        \
        "POST /oauth2/exchange",                                                                             \
            "grant_type=access_token&service=team.azurecr.io&access_token=hidden-access", "200 OK",          \
            "{\"refresh_token\":\"refresh\"}"                                                                \
    }

struct acr_case {
    const char *name;
    const char *variables[CLOUD_VARIABLES][2];
    struct cloud_row rows[CLOUD_ROWS];
    enum error_code code;
    const char *words;
    bool is_anonymous;
};

static const struct acr_case cases[] = {
    {.name = "service principal",
     .variables = {PRINCIPAL, {"AZURE_CLIENT_SECRET", "hidden&secret"}},
     .rows =
         {{"POST /login/ten%2Fant/oauth2/v2.0/token",
           "grant_type=client_credentials&client_id=me&scope=https%3A%2F%2Fmanagement.azure.com%2F.default&"
           "client_secret=hidden%26secret",
           "200 OK", ACCESS},
          EXCHANGE}},
    {.name = "service principal that is refused",
     .variables = {PRINCIPAL, {"AZURE_CLIENT_SECRET", "hidden"}},
     .rows =
         {{"POST /login/", NULL, "401 Unauthorized",
           "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client secret\"}"}},
     .code = ERROR_UNAUTHORIZED,
     .words = "the service principal AZURE_CLIENT_ID=me"},
    {.name = "workload identity",
     .variables = {PRINCIPAL, {"AZURE_FEDERATED_TOKEN_FILE", "FILE"}, {"AZURE_CLIENT_SECRET", "unused"}},
     .rows = {{"POST /login/ten%2Fant/oauth2/v2.0/token",
               "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&"
               "client_assertion=file-token",
               "200 OK", ACCESS},
              EXCHANGE}},
    {.name = "workload identity without its file",
     .variables = {PRINCIPAL, {"AZURE_FEDERATED_TOKEN_FILE", "/nonexistent/token"}},
     .code = ERROR_NOT_FOUND,
     .words = "/nonexistent/token"},
    {.name = "managed identity",
     .variables = {{METADATA}},
     .rows = {{"GET "
               "/metadata/identity/oauth2/"
               "token?api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com%2F ",
               "Metadata: true", "200 OK", ACCESS},
              {"GET "
               "/metadata/identity/oauth2/"
               "token?api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com%2F",
               "Metadata: true", "200 OK", ACCESS},
              EXCHANGE}},
    {.name = "one of several",
     .variables = {{METADATA}, {"AZURE_CLIENT_ID", "me"}},
     .rows = {{"GET /metadata/identity/oauth2/token", "&client_id=me", "200 OK", ACCESS}, EXCHANGE}},
    {.name = "a machine without an identity",
     .variables = {{METADATA}},
     .rows = {{"GET /metadata/", NULL, "400 Bad Request", "{\"error\":\"invalid_request\"}"}},
     .is_anonymous = true},
    {.name = "the one that is not there",
     .variables = {{METADATA}, {"AZURE_CLIENT_ID", "me"}},
     .rows = {{"GET /metadata/", NULL, "400 Bad Request",
               "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}"}},
     .code = ERROR_UNAUTHORIZED,
     .words = "Identity not found"},
    {.name = "another cloud's metadata service", .variables = {{METADATA}}, .is_anonymous = true},
    {.name = "an identity without the role",
     .variables = {{METADATA}},
     .rows = {{"GET /metadata/", NULL, "200 OK", ACCESS},
              {"POST /oauth2/exchange", NULL, "403 Forbidden", "{\"errors\":[{\"code\":\"DENIED\"}]}"}},
     .code = ERROR_FORBIDDEN,
     .words = "AcrPull on team.azurecr.io"},
    {.name = "an exchange that gives nothing",
     .variables = {{METADATA}},
     .rows = {{"GET /metadata/", NULL, "200 OK", ACCESS}, {"POST /oauth2/exchange", NULL, "200 OK", "{}"}},
     .code = ERROR_INVALID,
     .words = "holds no refresh_token"},
    {.name = "metadata that is none",
     .variables = {{METADATA}},
     .rows = {{"GET /metadata/", NULL, "200 OK", "<html>"}},
     .code = ERROR_INVALID,
     .words = "the managed identity"},
    {.name = "an authority that would leak",
     .variables = {{"AZURE_CLIENT_ID", "me"},
                   {"AZURE_TENANT_ID", "t"},
                   {"AZURE_CLIENT_SECRET", "hidden"},
                   {"AZURE_AUTHORITY_HOST", "http://login.example"}},
     .code = ERROR_INVALID,
     .words = "AZURE_AUTHORITY_HOST must be an https URL"},
};

static void check(struct cloud *cloud, const struct acr_case *c)
{
    struct error err = ERROR_INIT;
    struct credential_grant grant;
    memcpy(cloud->rows, c->rows, sizeof(cloud->rows));
    memcpy(cloud->variables, c->variables, sizeof(cloud->variables));
    for (size_t i = 0; i < CLOUD_VARIABLES; i++) {
        if (cloud->variables[i][1] && !strcmp(cloud->variables[i][1], "FILE"))
            cloud->variables[i][1] = cloud->file;
    }
    int result = cloud_get(cloud, "team.azurecr.io", provider_acr_get, &grant, &err);
    if (result != (c->code ? -1 : 0) || err.code != c->code)
        fail_msg("%s: %d, %s", c->name, result, err.text);
    if (c->words && !strstr(err.text, c->words))
        fail_msg("%s: %s", c->name, err.text);
    assert_null(strstr(err.text, "hidden"));
    assert_null(strstr(err.text, "file-token"));
    bool has_grant = !c->code && !c->is_anonymous;
    if (has_grant != (grant.identity_token != NULL))
        fail_msg("%s", c->name);
    if (has_grant) {
        assert_string_equal(grant.username, "00000000-0000-0000-0000-000000000000");
        assert_string_equal(grant.identity_token, "refresh");
        assert_true(grant.lifetime_ms >= 3600000);
    }
    credential_grant_release(&grant);
}

static void test_provider_acr_identities(void **state)
{
    struct cloud *cloud = *state;
    cloud_write_file(cloud, "file-token");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(cloud, &cases[i]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_provider_acr_identities, cloud_set_up, cloud_tear_down),
    };
    return cmocka_run_group_tests_name("provider_acr", tests, NULL, NULL);
}
