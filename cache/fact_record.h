/*
 * The record of what never changes under a digest: an image's facts, by the platform whose image of an index they are
 * of (of an index itself: its platforms, and all else of that image). As good as for ever, but of images long gone.
 */
#ifndef CACHE_FACT_RECORD_H
#define CACHE_FACT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/strbuf.h"
#include "cache/cache.h"
#include "model/image_facts.h"

#define RECORD_FACTS_TTL_S ((int64_t)180 * 86400)

/* True and *facts (release them) if something of the digest was read before. */
bool record_get_facts(struct cache *cache, const char *digest, const char *platform,
                      struct image_facts *facts) MUST_CHECK;
/* Writes what is known, in the place of what was on record: nothing known writes nothing. */
void record_put_facts(struct cache *cache, const char *digest, const char *platform,
                      const struct image_facts *facts);

/* -- the form alone: for tests and fuzzing ----------------------------------------------------------------- */

void record_encode_facts(const struct image_facts *facts, struct strbuf *out);
/* False, and *facts empty, if it is no such record. */
bool record_decode_facts(const struct strbuf *bytes, struct image_facts *facts) MUST_CHECK;

#endif
