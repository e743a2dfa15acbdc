#include "daemon/pull_credential.h"

#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

static unsigned char process_key[32];

static void make_key(void)
{
    if (RAND_bytes(process_key, sizeof(process_key)) != 1)
        abort(); /* as for memory: there is nothing to go on with */
}

/* Each part is hashed under the hash of those before it: no copy of them is made, and none runs into the next. */
static void take_fingerprint(struct pull_credential *pull)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_key);
    const struct credential *c = &pull->credential;
    const char *const parts[] = {c->username, c->password, c->identity_token};
    unsigned char key[sizeof(process_key)], hash[EVP_MAX_MD_SIZE];
    memcpy(key, process_key, sizeof(key));
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const char *part = parts[i] ? parts[i] : "";
        unsigned len = 0;
        key[0] ^= parts[i] == NULL; /* nothing is not the empty text */
        if (!HMAC(EVP_sha256(), key, sizeof(key), (const unsigned char *)part, strlen(part), hash, &len) ||
            len != sizeof(key))
            abort();
        memcpy(key, hash, sizeof(key));
    }
    CLEANUP(strbuf_release) struct strbuf hex = STRBUF_INIT;
    strbuf_add_hex(&hex, key, sizeof(key));
    snprintf(pull->fingerprint, sizeof(pull->fingerprint), "%s", hex.buf);
}

struct pull_credential *pull_credential_new(const struct credential *credential)
{
    struct pull_credential *pull = xcalloc(1, sizeof(*pull));
    pull->references = 1;
    pull->grant = credential_grant_copy(credential);
    pull->credential = credential_grant_view(&pull->grant);
    take_fingerprint(pull);
    return pull;
}

struct pull_credential *pull_credential_ref(struct pull_credential *credential)
{
    if (credential)
        __atomic_add_fetch(&credential->references, 1, __ATOMIC_RELAXED);
    return credential;
}

void pull_credential_unref(struct pull_credential *credential)
{
    if (!credential || __atomic_sub_fetch(&credential->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    credential_grant_release(&credential->grant);
    free(credential);
}

void pull_credential_release(struct pull_credential **credential)
{
    pull_credential_unref(*credential);
    *credential = NULL;
}
