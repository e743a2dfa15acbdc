/* What an answer's headers say of a quota: within bounds, and a wait that ends. */
#include <stdint.h>
#include <stdlib.h>

#include "scanner/rate_quota.h"

#define NOW_MS INT64_C(5000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    struct rate_quota quota;
    strbuf_addstr(&response.headers, "HTTP/1.1 200 OK\r\n");
    strbuf_add(&response.headers, data, size);
    rate_quota_init(&quota, NOW_MS);
    for (int i = 0; i < 2; i++) {
        rate_quota_read(&quota, &response, REGISTRY_MANIFEST, false, NOW_MS, 0);
        if (quota.remaining < 0 || quota.remaining > quota.limit)
            abort();
        int64_t wait_ms = rate_quota_wait(&quota, REGISTRY_MANIFEST, false, NOW_MS);
        if (wait_ms < 0 || wait_ms > INT64_C(86400000) * 11 / 10)
            abort();
        rate_quota_spend(&quota, REGISTRY_MANIFEST, false, NOW_MS);
    }
    if (rate_quota_wait(&quota, REGISTRY_MANIFEST, false, NOW_MS + INT64_C(86400000) * 2) != 0)
        abort();
    http_response_release(&response);
    return 0;
}
