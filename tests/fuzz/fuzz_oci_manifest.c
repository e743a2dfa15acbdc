/* A manifest of any kind: a digest that comes out of it is one, as it becomes part of a URL. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "model/image_ref.h"
#include "scanner/oci_manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const platforms[] = {"linux/amd64", "linux/arm/v7"};
    for (size_t i = 0; i < ARRAY_LEN(platforms); i++) {
        struct oci_manifest manifest;
        struct error err = ERROR_INIT;
        bool is_read = oci_manifest_read((const char *)data, size, platforms[i], &manifest, &err) == 0;
        if (manifest.digest && !image_digest_is_valid(manifest.digest))
            abort();
        if (is_read && manifest.kind == OCI_INDEX && !manifest.digest)
            abort();
        if (manifest.facts.platforms && strlen(manifest.facts.platforms) > LIMIT_PLATFORMS_BYTES)
            abort();
        oci_manifest_release(&manifest);
    }
    return 0;
}
