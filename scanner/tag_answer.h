/*
 * What was found out about one tag, put into the snapshot that a scan builds.
 */
#ifndef SCANNER_TAG_ANSWER_H
#define SCANNER_TAG_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "cache/cache.h"
#include "model/demand.h"
#include "model/image_facts.h"
#include "model/image_info.h"

/* Borrowed, all of it. */
struct tag_answer {
    const char *digest; /* NULL: it could not be had */
    const struct image_facts *facts;
    const char *problem; /* NULL: none */
    int64_t now_ms;
};

/* Puts the answer in the place of what was known of the tag. What was known of the digest stays if it is the same, also
 * a problem that the answer says nothing about. Of the facts the time is kept always, and what takes room only where the
 * demand asks for it. */
void tag_answer_put(struct repository_info *info, size_t index, const struct demand *demand,
                    const struct tag_answer *answer);

/* Which of DEMAND_… a tag's details answer. A problem of the content is the answer to what needs the config. */
unsigned tag_answer_known(const struct image_details *details);

/*
 * The snapshot with the times that the demand takes: those of the labels, or those of the configs. One that has them
 * already comes back as it is. Else the other times are taken from the records of the digests, without a request, and
 * where there is none the time is not known. Takes over the reference, and gives one.
 */
struct repository_info *tag_answer_date_all(struct repository_info *info, const struct demand *demand,
                                            struct cache *cache, const char *platform) MUST_CHECK;

#endif
