/* What a credential helper writes: never a half-filled grant, no control characters but in a password. */
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
    if ((grant.identity_token && !credential_is_clean(grant.identity_token)) ||
        (grant.username && !credential_is_clean(grant.username)))
        abort();
    credential_grant_release(&grant);
    return 0;
}
