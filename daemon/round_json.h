/*
 * A round's report as JSON: one element of `repositories` of `pawl once -o json` (docs/interface.md; keys there are
 * a promise, more may join).
 */
#ifndef DAEMON_ROUND_JSON_H
#define DAEMON_ROUND_JSON_H

#include "base/error.h"
#include "base/json.h"
#include "daemon/round.h"

/* `failure`: why the round could not be finished; code ERROR_NONE if it was. A new reference. */
json_t *round_to_json(const char *name, const struct round_report *report, const struct error *failure);

#endif
