/*
 * In order, each if it is known:
 *
 *   known      which of the rest there are: DEMAND_CREATED, _PLATFORMS, _LABELS
 *   created    signed
 *   platforms  text
 *   labelled   signed
 *   labels     text
 */
#include "cache/fact_record.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cache/record_bytes.h"
#include "cache/record_key.h"
#include "model/demand.h"

#define ALL_FACTS (DEMAND_CREATED | DEMAND_PLATFORMS | DEMAND_LABELS)

void record_encode_facts(const struct image_facts *facts, struct strbuf *out)
{
    record_add_number(out, facts->known);
    if (facts->known & DEMAND_CREATED)
        record_add_signed(out, facts->created_ms);
    if (facts->known & DEMAND_PLATFORMS)
        record_add_text(out, facts->platforms, LIMIT_PLATFORMS_BYTES);
    if (facts->known & DEMAND_LABELS) {
        record_add_signed(out, facts->labelled_ms);
        record_add_text(out, facts->labels, LIMIT_LABELS_BYTES);
    }
}

bool record_decode_facts(const struct strbuf *bytes, struct image_facts *facts)
{
    *facts = (struct image_facts)IMAGE_FACTS_INIT;
    struct record_reader r = record_reader_of(bytes);
    uint64_t known = record_take_number(&r);
    if (r.is_bad || !known || known & ~(uint64_t)ALL_FACTS)
        return false;
    facts->known = (unsigned)known;
    if (known & DEMAND_CREATED)
        facts->created_ms = record_take_signed(&r);
    if (known & DEMAND_PLATFORMS)
        facts->platforms = record_take_text(&r, LIMIT_PLATFORMS_BYTES);
    if (known & DEMAND_LABELS) {
        facts->labelled_ms = record_take_signed(&r);
        facts->labels = record_take_text(&r, LIMIT_LABELS_BYTES);
    }
    if (!r.is_bad && r.at == r.end)
        return true;
    image_facts_release(facts);
    return false;
}

bool record_get_facts(struct cache *cache, const char *digest, const char *platform,
                      struct image_facts *facts)
{
    AUTO_FREE char *key = record_key_facts(digest, platform);
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    return cache_get(cache, key, &bytes) && record_decode_facts(&bytes, facts);
}

void record_put_facts(struct cache *cache, const char *digest, const char *platform,
                      const struct image_facts *facts)
{
    AUTO_FREE char *key = record_key_facts(digest, platform);
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    if (!facts->known)
        return;
    record_encode_facts(facts, &bytes);
    cache_put(cache, key, bytes.buf, bytes.len, RECORD_FACTS_TTL_S);
}
