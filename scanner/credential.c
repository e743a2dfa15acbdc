#include "scanner/credential.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/strbuf.h"

char *credential_basic(const struct credential *credential)
{
    if (!credential->username)
        return NULL;
    CLEANUP(strbuf_release) struct strbuf plain = STRBUF_INIT, value = STRBUF_INIT;
    strbuf_addf(&plain, "%s:%s", credential->username, credential->password ? credential->password : "");
    strbuf_addstr(&value, "Basic ");
    strbuf_add_base64(&value, plain.buf, plain.len);
    explicit_bzero(plain.buf, plain.len);
    return strbuf_detach(&value, NULL);
}

/* The claims of the token if that is a JWT (RFC 7519), else NULL. Nothing is checked: it only names the token. */
static json_t *read_claims(const char *token)
{
    const char *payload = strchr(token, '.');
    const char *end = payload ? strchr(payload + 1, '.') : NULL;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (!end || strbuf_add_base64_decoded(&text, payload + 1, (size_t)(end - payload - 1)) < 0)
        return NULL;
    return json_read(text.buf, text.len, NULL);
}

/* What stays the same when the token is renewed: a JWT's issuer and subject, else the token itself. */
static char *token_owner(const char *token)
{
    AUTO_JSON json_t *claims = read_claims(token);
    const char *issuer = json_string_at(claims, "iss"), *subject = json_string_at(claims, "sub");
    return issuer && subject ? xasprintf("%s\n%s", issuer, subject) : xstrdup(token);
}

char *credential_identity(const struct credential *credential)
{
    CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;
    if (credential->secret_uid)
        strbuf_addf(&name, "secret:%s ", credential->secret_uid);
    if (credential->username)
        strbuf_addf(&name, "user:%s", credential->username);
    if (credential->identity_token) {
        unsigned char hash[EVP_MAX_MD_SIZE];
        unsigned hash_len = 0;
        char *owner = token_owner(credential->identity_token);
        if (EVP_Digest(owner, strlen(owner), hash, &hash_len, EVP_sha256(), NULL) != 1)
            abort();
        explicit_bzero(owner, strlen(owner));
        free(owner);
        strbuf_addstr(&name, "token:");
        strbuf_add_hex(&name, hash, 8);
    }
    return strbuf_detach(&name, NULL);
}
