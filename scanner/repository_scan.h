/*
 * The scan of one repository, as a state machine over the registry's answers:
 *
 *     credentials: the demand's own (of a pull secret), or those of the source, which may have to be got first
 *          ▼
 *     cached answer young enough ─────────────────────────────┐
 *     list of tags, page by page ─ whole ─▶ details carried over from the last answer
 *          │ any page fails                                   │
 *          ▼                                                  ▼
 *     the last good answer, and the error          details still missing, a few at a time ─▶ saved
 *
 * A list is whole or not taken (list_scan.h), and one that lacks most of what was there is not believed at once
 * (list_trust.h). Details that fail are that tag's problem, unless the host is to blame (it limits us, refuses the
 * credentials, or does not answer time and again): then the scan stops there, keeps what it has, and the next one goes on
 * with what is missing.
 */
#ifndef SCANNER_REPOSITORY_SCAN_H
#define SCANNER_REPOSITORY_SCAN_H

#include <stdint.h>

#include "scanner/scan_task.h"

/*
 * Starts the scan, which fills `result` and then calls `finished`, perhaps within this call. The environment, the
 * demand and the result must live until then.
 */
void repository_scan_start(const struct scan_environment *environment, const struct demand *demand,
                           int64_t max_age_ms, struct scan_result *result, void (*finished)(void *context),
                           void *context);

#endif
