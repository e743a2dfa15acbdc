/* A bearer token and a key set, separated by a line end: nothing unsigned is good. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/webhook_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct webhook_token_rules rules = {.audience = "pawl",
                                                     .issuer = "https://accounts.google.com"};
    AUTO_FREE char *text = xmemdupz(data, size);
    char *keys = text + strcspn(text, "\n");
    if (*keys)
        *keys++ = '\0';
    struct error err = ERROR_INIT;
    if (webhook_token_verify(text, keys, &rules, 0, &err) == 0)
        abort();
    if (err.code != ERROR_UNAUTHORIZED && err.code != ERROR_NOT_FOUND)
        abort();
    return 0;
}
