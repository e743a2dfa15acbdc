/* A record that decodes is encoded again and must then decode to the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cache/repository_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(repository_info_release)
    struct repository_info *info = record_decode_repository((const char *)data, size);
    if (!info)
        return 0;
    CLEANUP(strbuf_release) struct strbuf once = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf twice = STRBUF_INIT;
    record_encode_repository(info, &once);
    CLEANUP(repository_info_release)
    struct repository_info *again = record_decode_repository(once.buf, once.len);
    if (!again || again->images_len != info->images_len)
        abort();
    record_encode_repository(again, &twice);
    if (once.len != twice.len || memcmp(once.buf, twice.buf, once.len) != 0)
        abort();
    return 0;
}
