/* Google's services are scripted here; the key of the service account is a real one, made for the test. */
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/json.h"
#include "tests/unit/scanner/provider_fixture.h"

#define HOST  "europe-docker.pkg.dev"
#define TOKEN "{\"access_token\":\"hidden-token\",\"expires_in\":3599,\"token_type\":\"Bearer\"}"

/* As with real servers the variable names host and port alone. */
static void set_metadata_host(struct cloud *cloud)
{
    cloud->variables[0][0] = "GCE_METADATA_HOST";
    cloud->variables[0][1] = cloud->url + strlen("http://");
}

static void test_provider_gcp_metadata(void **state)
{
    static const char path[] = "GET /computeMetadata/v1/instance/service-accounts/default/token";
    static const struct {
        const char *status, *body;
        enum error_code code;
        int64_t lifetime_ms;
    } cases[] = {
        {"200 OK", TOKEN, ERROR_NONE, 3599000},
        {"200 OK", "{\"access_token\":\"hidden-token\"}", ERROR_NONE, 300000},
        {"200 OK", "{\"access_token\":\"hidden-token\",\"expires_in\":-1}", ERROR_NONE, 300000},
        {"404 Not Found", "", ERROR_NONE, 0},
        {"200 OK", "<html>", ERROR_INVALID, 0},
        {"200 OK", "{\"access_token\":17}", ERROR_INVALID, 0},
        {"403 Forbidden", "{\"error\":{\"message\":\"no\"}}", ERROR_FORBIDDEN, 0},
        {"500 Internal Server Error", "", ERROR_NETWORK, 0},
    };
    struct cloud *cloud = *state;
    set_metadata_host(cloud);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct credential_grant grant;
        struct error err;
        cloud->rows[0] = (struct cloud_row){path, "Metadata-Flavor: Google", cases[i].status, cases[i].body};
        int result = cloud_get(cloud, HOST, provider_gcp_get, &grant, &err);
        if (result != (cases[i].code ? -1 : 0) || err.code != cases[i].code)
            fail_msg("case %zu: %s", i, err.text);
        assert_int_equal(grant.username != NULL, cases[i].lifetime_ms != 0);
        if (grant.username) {
            assert_string_equal(grant.username, "oauth2accesstoken");
            assert_string_equal(grant.password, "hidden-token");
            assert_int_equal(grant.lifetime_ms, cases[i].lifetime_ms);
        }
        credential_grant_release(&grant);
    }
}

static void test_provider_gcp_metadata_elsewhere(void **state)
{
    struct cloud *cloud = *state;
    struct credential_grant grant;
    struct error err;
    cloud->variables[0][0] = "GCE_METADATA_HOST";
    cloud->variables[0][1] = "metadata.evil.example";
    assert_int_equal(cloud_get(cloud, HOST, provider_gcp_get, &grant, &err), -1);
    assert_non_null(strstr(err.text, "GCE_METADATA_HOST"));
    /* one that was named and is not there is an error, other than the usual one */
    cloud->variables[0][1] = "127.0.0.1:1";
    assert_int_equal(cloud_get(cloud, HOST, provider_gcp_get, &grant, &err), -1);
    assert_int_equal(err.code, ERROR_NETWORK);
}

static char *make_key(void)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);
    char *pem = xmemdupz(bytes, (size_t)len);
    BIO_free(bio);
    EVP_PKEY_free(key);
    return pem;
}

static void use_account(struct cloud *cloud, const char *type, const char *key, const char *uri)
{
    AUTO_JSON json_t *account = json_pack("{ss ss ss ss ss}", "type", type, "client_email", "me@project",
                                          "private_key", key, "private_key_id", "k1", "token_uri", uri);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_write(&text, account, 2);
    cloud_write_file(cloud, text.buf);
    cloud->variables[0][0] = "GOOGLE_APPLICATION_CREDENTIALS";
    cloud->variables[0][1] = cloud->file;
}

static void test_provider_gcp_key_is_used(void **state)
{
    struct cloud *cloud = *state;
    struct credential_grant grant;
    struct error err;
    AUTO_FREE char *key = make_key(), *uri = xasprintf("%s/token", cloud->url);
    cloud->rows[0] = (struct cloud_row){
        "POST /token",
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=", "200 OK", TOKEN};
    use_account(cloud, "service_account", key, uri);
    if (cloud_get(cloud, HOST, provider_gcp_get, &grant, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(grant.password, "hidden-token");
    credential_grant_release(&grant);
    const char *assertion = strstr(cloud->last_body, "assertion=") + strlen("assertion=");
    const char *payload = strchr(assertion, '.') + 1;
    CLEANUP(strbuf_release) struct strbuf claims = STRBUF_INIT;
    assert_int_equal(strbuf_add_base64_decoded(&claims, payload, strcspn(payload, ".")), 0);
    AUTO_FREE char *expected =
        xasprintf("{\"iss\":\"me@project\",\"scope\":\"https://www.googleapis.com/auth/cloud-platform\","
                  "\"aud\":\"%s\",\"iat\":1700000000,\"exp\":1700003600}",
                  uri);
    assert_string_equal(claims.buf, expected);
}

static void test_provider_gcp_keys_that_are_none(void **state)
{
    struct cloud *cloud = *state;
    AUTO_FREE char *key = make_key(), *uri = xasprintf("%s/token", cloud->url);
    const struct {
        const char *type, *key, *uri;
        enum error_code code;
        const char *words;
    } cases[] = {
        {"authorized_user", key, uri, ERROR_UNSUPPORTED, "authorized_user"},
        {"external_account", key, uri, ERROR_UNSUPPORTED, "external_account"},
        {"service_account", "hidden-token", uri, ERROR_INVALID, "RSA private key"},
        {"service_account", key, "http://oauth.example/token", ERROR_INVALID,
         "token_uri must be an https URL"},
        {"service_account", key, uri, ERROR_UNAUTHORIZED, "Invalid JWT Signature."},
    };
    cloud->rows[0] =
        (struct cloud_row){"POST /token", NULL, "400 Bad Request",
                           "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}"};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct credential_grant grant;
        struct error err;
        use_account(cloud, cases[i].type, cases[i].key, cases[i].uri);
        assert_int_equal(cloud_get(cloud, HOST, provider_gcp_get, &grant, &err), -1);
        if (err.code != cases[i].code || !strstr(err.text, cases[i].words) || !strstr(err.text, cloud->file))
            fail_msg("case %zu: %s", i, err.text);
        assert_null(strstr(err.text, "hidden-token"));
    }
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, cloud_set_up, cloud_tear_down)
    static const struct CMUnitTest tests[] = {
        CASE(test_provider_gcp_metadata),
        CASE(test_provider_gcp_metadata_elsewhere),
        CASE(test_provider_gcp_key_is_used),
        CASE(test_provider_gcp_keys_that_are_none),
    };
    return cmocka_run_group_tests_name("provider_gcp", tests, NULL, NULL);
}
