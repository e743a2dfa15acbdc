/*
 * The list of a repository's tags, page by page: whole, or not at all.
 *
 * Pages follow the Link header (scanner/link_header.h), on the same server alone and never in a circle. A list of many pages
 * that is interrupted goes on where it was: an expired token is replaced (registry.h), a page whose connection broke is asked
 * for once more. From one scan to the next a list is always read from its beginning: `last` of the OCI distribution
 * specification gives the tags that come after a name in lexical order and not those pushed after a time, so that asking
 * for the end alone would miss every new tag that sorts before it.
 *
 * Where a list is one page and its registry gave an ETag, the next scan asks with If-None-Match, and a 304 keeps everything;
 * once a day it is read whole all the same. A registry that refuses our page size is asked without one, and from then on at
 * once.
 */
#ifndef SCANNER_LIST_SCAN_H
#define SCANNER_LIST_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/error.h"
#include "model/image_info.h"
#include "scanner/registry.h"

struct list_scan_request {
    struct registry *registry; /* all borrowed until the answer */
    const struct clock *clock;
    const char *repository;
    const struct credential *credential;
    const struct repository_info *last; /* the last list; NULL: none */
    size_t tag_limit;                   /* more tags than that set is_truncated, and so do too many pages */
    bool wants_push_times;              /* as in struct demand */
    unsigned *requests;
};

/* Called once: with the list, finished and read now, without details but for pushed_ms (one reference, which is the callee's), and how many
 * names in it are no tags; or with NULL and what registry_ask says, or ERROR_INVALID for what is no list. */
typedef void (*list_scan_done)(struct repository_info *list, size_t bad_tags, const struct error *err,
                               void *context);
void list_scan_start(const struct list_scan_request *request, list_scan_done done, void *context);

#endif
