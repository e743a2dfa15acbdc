#include "daemon/webhook_token.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/strbuf.h"

#define LEAST_KEY_BITS 2048

static void free_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void free_key_context(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}

static void free_digest_context(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static void free_number(BIGNUM **number)
{
    BN_free(*number);
}

static void free_builder(OSSL_PARAM_BLD **builder)
{
    OSSL_PARAM_BLD_free(*builder);
}

static void free_params(OSSL_PARAM **params)
{
    OSSL_PARAM_free(*params);
}

/* -- pieces of the token ----------------------------------------------------------------------------------- */

static json_t *read_part(const char *text, size_t len)
{
    CLEANUP(strbuf_release) struct strbuf json = STRBUF_INIT;
    struct error err = ERROR_INIT;
    if (strbuf_add_base64_decoded(&json, text, len) < 0)
        return NULL;
    return json_read(json.buf, json.len, &err);
}

static BIGNUM *read_number(const json_t *key, const char *name)
{
    const char *text = json_string_at(key, name);
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    if (!text || strbuf_add_base64_decoded(&bytes, text, strlen(text)) < 0 || bytes.len > 2048)
        return NULL;
    return BN_bin2bn((const unsigned char *)bytes.buf, (int)bytes.len, NULL);
}

/* -- keys -------------------------------------------------------------------------------------------------- */

static const json_t *find_key(const json_t *keys, const char *name)
{
    size_t i;
    const json_t *key;
    json_array_foreach(json_object_get(keys, "keys"), i, key)
    {
        const char *kid = json_string_at(key, "kid"), *type = json_string_at(key, "kty");
        if (kid && type && !strcmp(kid, name) && !strcmp(type, "RSA"))
            return key;
    }
    return NULL;
}

/* NULL if it is no RSA key that can be trusted. */
static EVP_PKEY *read_key(const json_t *json)
{
    CLEANUP(free_number) BIGNUM *n = read_number(json, "n");
    CLEANUP(free_number) BIGNUM *e = read_number(json, "e");
    CLEANUP(free_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (!n || !e || !builder || BN_num_bits(n) < LEAST_KEY_BITS ||
        !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) ||
        !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
        return NULL;
    CLEANUP(free_params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    CLEANUP(free_key_context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    if (!params || !context || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return NULL;
    return key;
}

static bool is_signed_by(const json_t *json, const char *text, size_t len, const struct strbuf *signature)
{
    CLEANUP(free_key) EVP_PKEY *key = read_key(json);
    CLEANUP(free_digest_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    return key && context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
           EVP_DigestVerify(context, (const unsigned char *)signature->buf, signature->len,
                            (const unsigned char *)text, len) == 1;
}

/* -- claims ------------------------------------------------------------------------------------------------ */

static bool has_audience(const json_t *claims, const char *audience)
{
    const json_t *said = json_object_get(claims, "aud"), *each;
    size_t i;
    json_array_foreach(said, i, each)
    {
        if (json_is_string(each) && !strcmp(json_string_value(each), audience))
            return true;
    }
    return json_is_string(said) && !strcmp(json_string_value(said), audience);
}

static const char *without_scheme(const char *url)
{
    return str_starts_with(url, "https://") ? url + strlen("https://") : url;
}

static bool has_issuer(const json_t *claims, const char *issuer)
{
    const char *said = json_string_at(claims, "iss");
    return said && !strcmp(without_scheme(said), without_scheme(issuer));
}

static bool has_account(const json_t *claims, const char *account)
{
    const char *said = json_string_at(claims, "email");
    return !account ||
           (said && !strcmp(said, account) && json_is_true(json_object_get(claims, "email_verified")));
}

static int check_claims(const json_t *claims, const struct webhook_token_rules *rules, int64_t now_s,
                        struct error *err)
{
    const json_t *expires = json_object_get(claims, "exp"), *issued = json_object_get(claims, "iat");
    if (!json_is_integer(expires) || json_integer_value(expires) < now_s - WEBHOOK_TOKEN_SKEW_S)
        return error_set(err, ERROR_UNAUTHORIZED, "the token has expired");
    if (json_is_integer(issued) && json_integer_value(issued) > now_s + WEBHOOK_TOKEN_SKEW_S)
        return error_set(err, ERROR_UNAUTHORIZED,
                         "the token is of the future; is this machine's clock right?");
    if (!has_issuer(claims, rules->issuer))
        return error_set(err, ERROR_UNAUTHORIZED, "the token is of another issuer");
    if (!has_audience(claims, rules->audience))
        return error_set(err, ERROR_UNAUTHORIZED, "the token is for another audience");
    if (!has_account(claims, rules->account))
        return error_set(err, ERROR_UNAUTHORIZED, "the token is of another account");
    return 0;
}

int webhook_token_verify(const char *token, const char *keys, const struct webhook_token_rules *rules,
                         int64_t now_ms, struct error *err)
{
    const char *first = strchr(token, '.'), *second = first ? strchr(first + 1, '.') : NULL;
    if (!second || strchr(second + 1, '.'))
        return error_set(err, ERROR_UNAUTHORIZED, "not a token of three parts");
    AUTO_JSON json_t *header = read_part(token, (size_t)(first - token));
    AUTO_JSON json_t *claims = read_part(first + 1, (size_t)(second - first - 1));
    CLEANUP(strbuf_release) struct strbuf signature = STRBUF_INIT;
    const char *algorithm = json_string_at(header, "alg"), *name = json_string_at(header, "kid");
    if (!claims || !algorithm || !name ||
        strbuf_add_base64_decoded(&signature, second + 1, strlen(second + 1)) < 0)
        return error_set(err, ERROR_UNAUTHORIZED, "not a signed token that can be read");
    if (strcmp(algorithm, "RS256") != 0)
        return error_set(err, ERROR_UNAUTHORIZED, "the token is signed with %.20s: RS256 is expected",
                         algorithm);
    AUTO_JSON json_t *set = json_read(keys, strlen(keys), err);
    const json_t *key = find_key(set, name);
    if (!key)
        return error_set(err, ERROR_NOT_FOUND, "the token's key is not among those published");
    if (!is_signed_by(key, token, (size_t)(second - token), &signature))
        return error_set(err, ERROR_UNAUTHORIZED, "the token's signature is wrong");
    return check_claims(claims, rules, now_ms / 1000, err);
}
