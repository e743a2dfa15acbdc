#include "daemon/webhook_keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/strbuf.h"

#define RANDOM_BYTES 24

static bool is_good(const char *text)
{
    size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+=");
    return len >= WEBHOOK_KEY_LEAST && !text[len];
}

static int read_line(struct webhook_keys *keys, char *line, const char *path, unsigned number,
                     struct error *err)
{
    char *rest = NULL;
    const char *key = strtok_r(line, " \t\r", &rest);
    const char *secret = key ? strtok_r(NULL, " \t\r", &rest) : NULL;
    const char *more = secret ? strtok_r(NULL, " \t\r", &rest) : NULL;
    if (!key || key[0] == '#')
        return 0;
    if (more || !is_good(key) || (secret && !is_good(secret)))
        return error_set(err, ERROR_USAGE,
                         "%s:%u: expected KEY or KEY SECRET, each of at least %d letters, digits or -._~+=",
                         path, number, WEBHOOK_KEY_LEAST);
    vec_grow(keys->items, keys->len, keys->capacity);
    keys->items[keys->len++] = (struct webhook_key){
        .key = xstrdup(key), .secret = xstrdup(secret ? secret : key), .has_secret = secret != NULL};
    return 0;
}

static int add_random(struct strbuf *out, struct error *err)
{
    unsigned char bytes[RANDOM_BYTES];
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return error_set(err, ERROR_IO, "the system gives no random numbers");
    strbuf_add_hex(out, bytes, sizeof(bytes));
    return 0;
}

static int create(const char *path, struct strbuf *text, struct error *err)
{
    if (add_random(text, err) < 0)
        return -1;
    strbuf_addch(text, ' ');
    if (add_random(text, err) < 0)
        return -1;
    strbuf_addch(text, '\n');
    return file_write_atomic(path, text->buf, text->len, 0600, err);
}

static int parse(const char *path, struct strbuf *text, struct webhook_keys *keys, struct error *err)
{
    CLEANUP(webhook_keys_release) struct webhook_keys read = WEBHOOK_KEYS_INIT;
    unsigned number = 0;
    char *rest = text->buf;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        if (read_line(&read, line, path, ++number, err) < 0)
            return -1;
    }
    OPENSSL_cleanse(text->buf, text->len);
    if (!read.len)
        return error_set(err, ERROR_USAGE, "%s has no key in it; remove it, and one is made", path);
    *keys = read;
    read = (struct webhook_keys)WEBHOOK_KEYS_INIT;
    return 0;
}

int webhook_keys_read(const char *path, struct webhook_keys *keys, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (file_read(path, LIMIT_CONFIG_BYTES, &text, err) < 0)
        return -1;
    return parse(path, &text, keys, err);
}

int webhook_keys_load(const char *path, struct webhook_keys *keys, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (webhook_keys_read(path, keys, err) == 0)
        return 0;
    if (err->code != ERROR_NOT_FOUND)
        return -1;
    error_clear(err);
    if (create(path, &text, err) < 0 || parse(path, &text, keys, err) < 0)
        return -1;
    keys->was_created = true;
    return 0;
}

void webhook_keys_release(struct webhook_keys *keys)
{
    for (size_t i = 0; i < keys->len; i++) {
        free(keys->items[i].key);
        free(keys->items[i].secret);
    }
    free(keys->items);
    *keys = (struct webhook_keys)WEBHOOK_KEYS_INIT;
}

bool webhook_is_same(const char *a, const char *b)
{
    size_t len = strlen(a);
    return len == strlen(b) && CRYPTO_memcmp(a, b, len) == 0;
}

const struct webhook_key *webhook_keys_find(const struct webhook_keys *keys, const char *key)
{
    const struct webhook_key *found = NULL;
    for (size_t i = 0; i < keys->len; i++) { /* to the end, so that the place does not show in the time */
        if (webhook_is_same(keys->items[i].key, key))
            found = &keys->items[i];
    }
    return found;
}

/* Whether `expected` is the HMAC of the bytes in hexadecimal. */
static bool is_mac(const EVP_MD *digest, const char *secret, const char *bytes, size_t len,
                   const char *expected)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned hash_len = 0;
    if (!HMAC(digest, secret, (int)strlen(secret), (const unsigned char *)bytes, len, hash, &hash_len))
        return false;
    CLEANUP(strbuf_release) struct strbuf hex = STRBUF_INIT;
    strbuf_add_hex(&hex, hash, hash_len);
    return webhook_is_same(hex.buf, expected);
}

bool webhook_is_signed(const char *secret, const char *bytes, size_t len, const char *signature)
{
    static const char prefix[] = "sha256=";
    return signature && str_starts_with(signature, prefix) &&
           is_mac(EVP_sha256(), secret, bytes, len, signature + sizeof(prefix) - 1);
}

/* Drops what is white space to JSON, outside of strings. */
static void add_compact(struct strbuf *out, const char *json, size_t len)
{
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        if (!in_string && strchr(" \t\r\n", json[i]) && json[i])
            continue;
        strbuf_addch(out, json[i]);
        if (in_string && json[i] == '\\' && i + 1 < len)
            strbuf_addch(out, json[++i]);
        else if (json[i] == '"')
            in_string = !in_string;
    }
}

bool webhook_is_signed_by_nexus(const char *secret, const char *body, size_t len, const char *signature)
{
    CLEANUP(strbuf_release) struct strbuf compact = STRBUF_INIT;
    if (!signature)
        return false;
    if (is_mac(EVP_sha1(), secret, body, len, signature))
        return true;
    add_compact(&compact, body, len);
    return is_mac(EVP_sha1(), secret, compact.buf, compact.len, signature);
}
