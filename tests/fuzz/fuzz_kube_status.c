/* An API server's answer of any bytes: the first one picks the HTTP code, the rest are headers and body. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "deploy/kube_status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int codes[] = {200, 400, 401, 403, 404, 409, 415, 422, 429, 500, 503};
    if (!size)
        return 0;
    AUTO_FREE char *text = xmemdupz(data + 1, size - 1);
    CLEANUP(kube_status_release) struct kube_status status = KUBE_STATUS_INIT;
    kube_status_read(codes[data[0] % ARRAY_LEN(codes)], text, size - 1, &status);
    AUTO_FREE char *shown = kube_status_text(&status, false);
    AUTO_FREE char *secret = kube_status_text(&status, true);
    AUTO_FREE char *warnings = kube_warnings(text);
    if (strlen(shown) > LIMIT_KUBE_MESSAGE_BYTES + 3 || strlen(secret) > LIMIT_KUBE_MESSAGE_BYTES + 3 ||
        (warnings && strlen(warnings) > LIMIT_KUBE_MESSAGE_BYTES + 3) || strpbrk(shown, "\r\n"))
        __builtin_trap();
    return 0;
}
