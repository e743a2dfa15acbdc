/* Signatures are checked with a key made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "scanner/jwt.h"

static char *to_pem(EVP_PKEY *key, const EVP_CIPHER *cipher)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char passphrase[] = "secret";
    assert_int_equal(PEM_write_bio_PrivateKey(bio, key, cipher, NULL, 0, NULL, cipher ? passphrase : NULL),
                     1);
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);
    char *pem = xmemdupz(bytes, (size_t)len);
    BIO_free(bio);
    return pem;
}

static void test_jwt_is_signed(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    AUTO_FREE char *pem = to_pem(key, NULL);
    AUTO_JSON json_t *claims = json_pack("{ss sI}", "iss", "me?>~?>~", "iat", (json_int_t)17);
    AUTO_FREE char *token = jwt_sign_rs256(claims, "k1", pem, &err);
    assert_non_null(token);
    assert_null(strpbrk(token, "+/="));
    char *end = strrchr(token, '.'), *middle = strchr(token, '.');
    CLEANUP(strbuf_release)
    struct strbuf header = STRBUF_INIT, payload = STRBUF_INIT, signature = STRBUF_INIT;
    assert_int_equal(strbuf_add_base64_decoded(&header, token, (size_t)(middle - token)), 0);
    assert_int_equal(strbuf_add_base64_decoded(&payload, middle + 1, (size_t)(end - middle - 1)), 0);
    assert_int_equal(strbuf_add_base64_decoded(&signature, end + 1, strlen(end + 1)), 0);
    assert_string_equal(header.buf, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}");
    assert_string_equal(payload.buf, "{\"iss\":\"me?>~?>~\",\"iat\":17}");
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestVerify(context, (const unsigned char *)signature.buf, signature.len,
                                      (const unsigned char *)token, (size_t)(end - token)),
                     1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

static void test_jwt_keys_that_are_none(void **state)
{
    (void)state;
    EVP_PKEY *rsa = EVP_RSA_gen(2048), *curve = EVP_EC_gen("P-256");
    AUTO_FREE char *locked = to_pem(rsa, EVP_aes_128_cbc()), *elliptic = to_pem(curve, NULL);
    const char *const cases[] = {"", "secret-text",
                                 "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", locked,
                                 elliptic};
    AUTO_JSON json_t *claims = json_object();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        assert_null(jwt_sign_rs256(claims, NULL, cases[i], &err));
        assert_int_equal(err.code, ERROR_INVALID);
        assert_null(strstr(err.text, "secret-text"));
    }
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(curve);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jwt_is_signed),
        cmocka_unit_test(test_jwt_keys_that_are_none),
    };
    return cmocka_run_group_tests_name("jwt", tests, NULL, NULL);
}
