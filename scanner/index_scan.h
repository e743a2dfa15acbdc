/*
 * The scan of one chart in a Helm repository: what repository_scan.h is to registries.
 *
 *     credentials ─▶ cached answer young enough ─▶ done
 *                         │ no
 *                         ▼
 *     index (index_source.h) ─ unchanged ─▶ the last answer, as of now
 *          │ fails           └ new ─▶ its versions, with all that is known of them
 *          ▼
 *     the last good answer, and the error
 *
 * A list of versions that lacks most of what was there is not believed at once (list_trust.h), and once a day the index is
 * read whole even if it is said not to have changed. There is nothing to ask about single versions: platforms and labels
 * a chart has none of.
 */
#ifndef SCANNER_INDEX_SCAN_H
#define SCANNER_INDEX_SCAN_H

#include "scanner/scan_task.h"

/* As repository_scan_start, for a demand whose repository image_repository_is_index is true of. */
void index_scan_start(const struct scan_environment *environment, const struct demand *demand,
                      int64_t max_age_ms, struct scan_result *result, void (*finished)(void *context),
                      void *context);

#endif
