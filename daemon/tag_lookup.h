/*
 * One tag, asked for by its name: is it there, and what does it point at? One HEAD, whatever else the repository has; of a
 * chart in a Helm repository its index.
 */
#ifndef DAEMON_TAG_LOOKUP_H
#define DAEMON_TAG_LOOKUP_H

#include "base/attr.h"
#include "base/error.h"
#include "model/demand.h"
#include "scanner/scanner.h"

/* Asks now, as the demand says where and with which log-in. `digest` (owned by the caller) stays NULL where the registry
 * does not say. ERROR_NOT_FOUND if there is no such tag; what the registry says otherwise. */
int tag_lookup(struct scanner *scanner, const struct demand *demand, const char *tag, char **digest,
               struct error *err) MUST_CHECK;

#endif
