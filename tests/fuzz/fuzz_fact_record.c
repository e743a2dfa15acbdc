/* A record of facts that decodes is encoded again to the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cache/fact_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf again = STRBUF_INIT;
    struct image_facts facts;
    strbuf_add(&bytes, data, size);
    if (!record_decode_facts(&bytes, &facts))
        return 0;
    record_encode_facts(&facts, &again);
    if (again.len != bytes.len || memcmp(again.buf, bytes.buf, bytes.len) != 0)
        abort();
    image_facts_release(&facts);
    return 0;
}
