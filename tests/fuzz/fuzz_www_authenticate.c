/* Whatever a registry demands: a Bearer challenge that is taken has a realm. */
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "scanner/auth_challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *field = xmemdupz(data, size);
    struct auth_challenge challenge;
    auth_challenge_parse(field, &challenge);
    if (challenge.scheme == AUTH_BEARER && !challenge.realm)
        abort();
    if (challenge.scheme == AUTH_NONE && (challenge.realm || challenge.service || challenge.scope))
        abort();
    auth_challenge_release(&challenge);
    return 0;
}
