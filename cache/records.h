/*
 * What the cache holds.
 *
 *   one record per repository   the repository_info as last read: tags, digests, times (cache/repository_record.h)
 *   one record per digest       what never changes: the facts of an image by platform (cache/fact_record.h)
 *
 * Both are compact binary with a version in the key (cache/record_key.h), so that an old pawl and a new one can share
 * a memcached without misreading each other; the bytes are the same on every machine.
 *
 * Here is how those of repositories are got and put.
 */
#ifndef CACHE_RECORDS_H
#define CACHE_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/strbuf.h"
#include "cache/cache.h"
#include "model/image_info.h"

/* How long records are kept when nobody writes them again. A repository that is in use is written with every
 * scan; two weeks is what Flux v1 kept. */
#define RECORD_REPOSITORY_TTL_S ((int64_t)14 * 86400)

/* One reference, or NULL on a miss. `scope` tells apart answers given to different credentials and
 * for different platforms (cache/record_key.h); it may be derived from a user name but must not hold a secret. */
struct repository_info *record_get_repository(struct cache *cache, const char *repository, const char *scope)
    MUST_CHECK;
/* The same, for who has an answer of before (`known`; NULL: none). Where the record is still the one that it was written to
 * or read from, it comes back and nothing is decoded. It also comes back, if it is of this very repository and scope, where
 * there is no record, or an older one: a cache that is dead costs no more than the next process. */
struct repository_info *record_get_repository_again(struct cache *cache, const char *repository,
                                                    const char *scope, struct repository_info *known)
    MUST_CHECK;
/* `info` is finished (sorted) and not yet shared: the sums of its record and of the key are noted in it. Tags over LIMIT_TAG_LENGTH are
 * left out, problems cut at 255 bytes. */
void record_put_repository(struct cache *cache, struct repository_info *info, const char *scope);
/* Adds the keys of all records of a repository that were put of late into a cache that cannot list: at most
 * RECORD_NAMES_MAX, newest last, some of them perhaps gone. For caches that can list it adds none. */
void record_get_names(struct cache *cache, const char *repository, struct strvec *keys);
#define RECORD_NAMES_MAX 16

#endif
