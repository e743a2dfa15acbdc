/*
 * The results of a job as Flux v1's API gave them:
 *
 *     {"default:deployment/x": {"Status": "success", "PerContainer": [{"Container": "c", "Current": "a:1", "Target": "a:2"}]},
 *      "default:deployment/y": {"Status": "skipped", "Error": "locked", "PerContainer": null}}
 */
#ifndef DAEMON_RESULT_JSON_H
#define DAEMON_RESULT_JSON_H

#include "base/attr.h"
#include "base/json.h"
#include "updater/workload_result.h"

/* All of them, whatever their status, in the list's order. A new reference. */
json_t *result_list_json(const struct result_list *results) MUST_CHECK;

#endif
