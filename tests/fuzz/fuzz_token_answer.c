/* A token server's answer: a token that is kept fits into a header as it is. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scanner/token_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct token_store store;
    struct error err = ERROR_INIT;
    token_store_init(&store);
    if (token_store_read(&store, "k", (const char *)data, size, 0, &err) == 0) {
        const char *authorization = token_store_get(&store, "k", 0);
        if (!authorization || strpbrk(authorization, "\r\n"))
            abort();
    }
    token_store_release(&store);
    return 0;
}
