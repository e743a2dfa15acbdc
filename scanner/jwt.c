#include "scanner/jwt.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

/* RFC 7515 section 2: the URL's alphabet, without padding. */
static void add_base64url(struct strbuf *out, const void *bytes, size_t len)
{
    size_t at = out->len;
    strbuf_add_base64(out, bytes, len);
    for (char *c = out->buf + at; *c; c++) {
        if (*c == '+')
            *c = '-';
        else if (*c == '/')
            *c = '_';
        else if (*c == '=')
            out->buf[out->len = (size_t)(c - out->buf)] = '\0';
    }
}

static void add_json(struct strbuf *out, const json_t *value)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_write(&text, value, 0);
    add_base64url(out, text.buf, text.len);
}

/* Nobody is asked for a passphrase. */
static int no_passphrase(char *buffer UNUSED, int size UNUSED, int rwflag UNUSED, void *context UNUSED)
{
    return -1;
}

static EVP_PKEY *read_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    if (key && EVP_PKEY_base_id(key) == EVP_PKEY_RSA)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

/* NULL if it cannot be. */
static unsigned char *sign(EVP_PKEY *key, const struct strbuf *text, size_t *len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const unsigned char *bytes = (const unsigned char *)text->buf;
    unsigned char *signature = NULL;
    bool good = context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestSign(context, NULL, len, bytes, text->len) == 1;
    if (good) {
        signature = xmalloc(*len);
        good = EVP_DigestSign(context, signature, len, bytes, text->len) == 1;
    }
    EVP_MD_CTX_free(context);
    if (!good)
        free(steal(&signature));
    return signature;
}

char *jwt_sign_rs256(const json_t *claims, const char *key_id, const char *key_pem, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf token = STRBUF_INIT;
    AUTO_JSON json_t *header = json_pack("{ss ss}", "alg", "RS256", "typ", "JWT");
    if (key_id)
        json_object_set_new(header, "kid", json_text(key_id));
    add_json(&token, header);
    strbuf_addch(&token, '.');
    add_json(&token, claims);
    EVP_PKEY *key = read_key(key_pem);
    size_t len = 0;
    AUTO_FREE unsigned char *signature = key ? sign(key, &token, &len) : NULL;
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (!signature) {
        error_set(err, ERROR_INVALID, "its key is no RSA private key in PEM without a passphrase");
        return NULL;
    }
    strbuf_addch(&token, '.');
    add_base64url(&token, signature, len);
    return strbuf_detach(&token, NULL);
}
