/*
 * Workloads that a person named: found, or the reason why not, with the name that was probably meant.
 */
#ifndef MODEL_WORKLOAD_LOOKUP_H
#define MODEL_WORKLOAD_LOOKUP_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "model/manifest.h"

/*
 * The workload of that id. NULL: ERROR_NOT_FOUND ("not found in repository", as Flux v1 says it, and the broken file it may
 * be in, or the nearest name there is), ERROR_INVALID with file and line where its manifest is broken or it is defined more
 * than once, ERROR_UNSUPPORTED for a resource that has no containers.
 */
const struct resource *workload_find(const struct manifest_set *manifests, const struct resource_id *id,
                                     struct error *err) MUST_CHECK;

/* True if a problem of a file is why it is not there, with err set to it: ERROR_INVALID, "FILE:LINE: why". */
bool workload_say_problem(const struct manifest_set *manifests, const struct resource_id *id,
                          struct error *err);

/* For one that is not there: adds "; it may be in FILE, which cannot be read: why" if a broken document has its name in it, or one
 * whose object is none, or if nothing of a file can be read. */
void workload_add_unread(const struct manifest_set *manifests, const struct resource_id *id,
                         struct strbuf *out);

#endif
