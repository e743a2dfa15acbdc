/* The next page, and where it leads when taken against the page that named it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/http.h"
#include "scanner/link_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *field = xmemdupz(data, size);
    struct error err = ERROR_INIT;
    AUTO_FREE char *target = link_header_next(field, &err);
    if (target && err.code != ERROR_NONE)
        abort();
    if (!target)
        return 0;
    if (!strstr(field, target) || strchr(target, '>'))
        abort();
    AUTO_FREE char *url = http_resolve("https://registry.example:5000/v2/a/tags/list?n=1000", target);
    AUTO_FREE char *origin = url ? http_origin(url) : NULL;
    if (url && !origin)
        abort();
    return 0;
}
