/* An image config: its date is unknown or one that an image can have. */
#include <stdint.h>
#include <stdlib.h>

#include "scanner/oci_manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t created_ms = 0;
    struct error err = ERROR_INIT;
    if (oci_config_created((const char *)data, size, &created_ms, &err) == 0 && created_ms &&
        created_ms < INT64_C(315532800000))
        abort();
    return 0;
}
