/* What a credential helper writes: never a half-filled grant, never control characters in a name or a token. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "scanner/credential_helper.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct credential_grant grant = CREDENTIAL_GRANT_INIT;
    struct error err = ERROR_INIT;
    if (credential_helper_parse((const char *)data, size, &grant, &err) < 0) {
        if (err.code != ERROR_INVALID || !credential_grant_is_empty(&grant))
            abort();
        return 0;
    }
    if (!grant.username != !grant.password || (grant.username && grant.identity_token))
        abort();
    const char *secret = grant.identity_token ? grant.identity_token : grant.password;
    if (secret && !*secret)
        abort();
    const char *plain = grant.identity_token ? grant.identity_token : grant.username;
    if (plain && !credential_is_clean(plain))
        abort();
    credential_grant_release(&grant);
    return 0;
}
