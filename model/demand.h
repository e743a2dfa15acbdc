/*
 * A demand: what the policies of the manifests at HEAD need to know of one repository. The updater writes it,
 * the scanner answers it with a repository_info, and fetches no more than it asks for: tag names always, the
 * creation time of those tags that `wants_created` picks.
 */
#ifndef MODEL_DEMAND_H
#define MODEL_DEMAND_H

#include <stdbool.h>

#include "model/image_info.h"

struct credential; /* scanner/credentials.h */

struct demand {
    const char *repository; /* normalised name, "host/path"; borrowed */
    /* The log-in to ask with, of a pull secret in the cluster; NULL: what the scanner finds for the repository.
     * Borrowed until the scan is done. */
    const struct credential *credential;
    /* Says whether the creation time of a tag is needed. NULL: of none. Called on the scanner's thread; must
     * not block and must stay valid while the scan runs. */
    bool (*wants_created)(const char *tag, void *context);
    void *context;
    /* The last answer, if whoever asks still has it; else NULL. Borrowed while the scan runs. What the cache has is not
     * built a second time if it is just that. */
    struct repository_info *known;
};

#endif
