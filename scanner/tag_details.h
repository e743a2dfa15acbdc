/*
 * The details of one tag: what it points at now, and when that image was made.
 *
 *     HEAD by tag (only if an old digest is known, or GETs are counted) ─ on record ─▶ done
 *     GET by tag ─▶ index? ─▶ GET the platform's manifest by digest ─▶ GET its config ─▶ created
 *
 * Docker Hub counts GETs of manifests as pulls, and HEADs not. There a HEAD goes first for new tags, too: many share
 * their digest with another ("1", "1.2", "latest"), or with the same image elsewhere.
 *
 * Everything but the first two is named by a digest and is asked for once in the life of a cache: what is on
 * record is not asked again. Bytes are compared with their digests.
 */
#ifndef SCANNER_TAG_DETAILS_H
#define SCANNER_TAG_DETAILS_H

#include <stdint.h>

#include "base/error.h"
#include "cache/cache.h"
#include "scanner/registry.h"

struct tag_details_request {
    struct registry *registry;
    struct cache *cache;
    const char *repository; /* borrowed until the answer, as all here */
    const struct credential *credential;
    const char *platform;
    const char *tag;
    const char *known_digest; /* what it pointed at when last looked; NULL: never looked */
    unsigned *requests;
};

/*
 * Called once. On success `digest` (borrowed) is what the tag points at and `created_ms` its image's time (0:
 * the image does not say). On an error `digest` is NULL, or else the problem is that of the content itself
 * and stays as long as the digest: no image for the platform, not a manifest at all.
 */
typedef void (*tag_details_done)(const char *digest, int64_t created_ms, const struct error *err,
                                 void *context);
void tag_details_fetch(const struct tag_details_request *request, tag_details_done done, void *context);

#endif
