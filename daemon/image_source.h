/*
 * Where a round gets answers to its demands: `once` asks the registries and waits (image_source_direct),
 * `serve` takes what the scanner's thread last learned (daemon/scan_thread.h).
 */
#ifndef DAEMON_IMAGE_SOURCE_H
#define DAEMON_IMAGE_SOURCE_H

#include "daemon/demand_set.h"
#include "daemon/label_lookup.h"
#include "scanner/scanner.h"

struct image_source {
    /* For the next call, by item: what is in its result already is still the answer. NULL: of none. Borrowed. */
    const bool *unchanged;
    /* For the next call: an answer that is no older will do; 0: it is asked anew. */
    int64_t max_age_ms;
    /* Fills results[i] for items[i] of the set; the caller releases them. The error of a result says why it
     * has no answer, or only an old one; neither info nor error: it is being asked for, and a later round will see. */
    void (*answer)(struct image_source *source, struct demand_set *demands, struct scan_result *results);
    /* Asks for what the lookup holds, and returns when all is there, or after LABEL_LOOKUP_WAIT_MS. */
    void (*read_labels)(struct image_source *source, struct label_lookup *lookup);
};

/* Asks the registries each time, and returns when all have answered or failed. `progress` (NULL: none) is called as
 * each image repository is done. Free with free(). */
struct image_source *image_source_direct(struct scanner *scanner,
                                         void (*progress)(size_t done, size_t total, void *context),
                                         void *context) MUST_CHECK;

#endif
