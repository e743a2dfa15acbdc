/*
 * The details of one tag: what it points at now, and what is wanted of that content.
 *
 *     HEAD by tag (if an old digest is known, GETs are counted, or the digest is all) ─ all known of it ─▶ done
 *     GET by tag, or by digest ─▶ index? ─▶ GET the platform's manifest by digest ─▶ GET its config
 *
 * and it ends as soon as all that is wanted is known (model/demand.h says what that costs).
 *
 * Docker Hub counts GETs of manifests as pulls, and HEADs not. There a HEAD goes first for new tags, too: many share
 * their digest with another ("1", "1.2", "latest"), or with the same image elsewhere.
 *
 * Everything but the first two is named by a digest and is asked for once in the life of a cache: what is on
 * record is not asked again, and what is read on the way goes on record, wanted or not. Bytes are compared with their
 * digests.
 */
#ifndef SCANNER_TAG_DETAILS_H
#define SCANNER_TAG_DETAILS_H

#include <stdbool.h>

#include "base/error.h"
#include "cache/cache.h"
#include "model/image_facts.h"
#include "scanner/registry.h"

struct tag_details_request {
    struct registry *registry;
    struct cache *cache;
    const char *repository; /* borrowed until the answer, as all here */
    const struct credential *credential;
    const char *platform;
    const char *tag;
    unsigned wants;           /* DEMAND_…; not 0 */
    const char *known_digest; /* what it pointed at when last looked; NULL: never looked */
    unsigned known;           /* DEMAND_… that the caller knows of that digest already */
    bool is_current;          /* the tag still points at known_digest, so it is not looked at */
    unsigned *requests;
};

/*
 * Called once. On success `digest` is what the tag points at and `facts` has all of `wants` that was not in `known`,
 * unless the digest is another; perhaps more. On an error `digest` is NULL, or else the problem is that of the content
 * itself and stays as long as the digest: no image for the platform, not a manifest at all; facts may be there all the
 * same. All of it is borrowed for the call; the facts' texts may be taken over (steal).
 */
typedef void (*tag_details_done)(const char *digest, struct image_facts *facts, const struct error *err,
                                 void *context);
void tag_details_fetch(const struct tag_details_request *request, tag_details_done done, void *context);

#endif
