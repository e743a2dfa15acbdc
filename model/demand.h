/*
 * A demand: what the policies of the manifests at HEAD need to know of one repository. The updater writes it,
 * the scanner answers it with a repository_info, and fetches no more than it asks for: tag names always, and of each
 * tag what `wants` says. Of a tag that nothing was asked of yet, that costs:
 *
 *   flag               requests, of one image   of an index
 *   DEMAND_DIGEST      1 HEAD                   1 HEAD
 *   DEMAND_PLATFORMS   manifest, config         index
 *   DEMAND_CREATED     manifest, config         index, manifest, config
 *   DEMAND_LABELS      the same as DEMAND_CREATED, and both are read from one config
 *
 * The digest is looked at again with each scan if it is asked for itself, and else once a day. The others are named
 * by it, and are not asked for again as long as it stays.
 */
#ifndef MODEL_DEMAND_H
#define MODEL_DEMAND_H

#include <stdbool.h>

#include "model/image_info.h"

#define DEMAND_CREATED   1u /* when the image was made */
#define DEMAND_DIGEST    2u /* what the tag points at now */
#define DEMAND_PLATFORMS 4u /* for which platforms it has an image */
#define DEMAND_LABELS    8u /* the labels of the image (scanner/oci_config.h says which) */

struct credential; /* scanner/credential.h */

struct demand {
    const char *repository; /* normalised name, "host/path"; borrowed */
    /* The log-in to ask with, of a pull secret in the cluster; NULL: what the scanner finds for the repository.
     * Borrowed until the scan is done. */
    const struct credential *credential;
    /* Says what is needed of a tag: DEMAND_… or 0. NULL: nothing of any. Called on the scanner's thread; must
     * not block and must stay valid while the scan runs. */
    unsigned (*wants)(const char *tag, void *context);
    void *context;
    /* The last answer, if whoever asks still has it; else NULL. Borrowed while the scan runs. What the cache has is not
     * built a second time if it is just that, and what the cache does not have is not asked for a second time. */
    struct repository_info *known;
    /* The time in the image's labels counts, where they have one, and not that of the config. */
    bool dates_by_labels;
    /* When tags were pushed is to be read, of all tags, where the list says that (scanner/tag_list.h). Costs no request. */
    bool wants_push_times;
    /* Which of two tags to ask about first (<0: `a`), for when not all can be; NULL: any order. */
    int (*before)(const char *a, const char *b);
};

/* What a demand wants of a tag. */
static inline unsigned demand_wants(const struct demand *demand, const char *tag)
{
    return demand->wants ? demand->wants(tag, demand->context) : 0;
}

#endif
