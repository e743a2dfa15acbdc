/*
 * What the cache holds, and in which form.
 *
 *   one record per repository   the repository_info as last read: tags, digests, times
 *   one record per digest       what never changes: creation time of an image by platform
 *
 * Both are compact text with a version in the key, so that an old pawl and a new one can share a memcached
 * without misreading each other. A record that does not decode is a miss.
 */
#ifndef CACHE_RECORDS_H
#define CACHE_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "cache/cache.h"
#include "model/image_info.h"

/* One reference, or NULL on a miss. `scope` tells apart answers given to different credentials ("" for
 * anonymous); it is hashed into the key, so it may be derived from a user name but must not hold a secret. */
struct repository_info *record_get_repository(struct cache *cache, const char *repository, const char *scope)
    MUST_CHECK;
void record_put_repository(struct cache *cache, const struct repository_info *info, const char *scope);

/* True and *created_ms (0: the image does not say) if the image of that manifest digest was read before. */
bool record_get_created(struct cache *cache, const char *digest, const char *platform, int64_t *created_ms);
void record_put_created(struct cache *cache, const char *digest, const char *platform, int64_t created_ms);

#endif
