/*
 * The keys of policy annotations: which policy one names, and which of two that name the same counts.
 *
 *   pawl.dev/P                  rank 0
 *   fluxcd.io/P                 rank 1
 *   filter.fluxcd.io/CONTAINER  rank 2; P is tag.CONTAINER
 *   flux.weave.works/P          rank 3
 *
 * where P is automated, locked, ignore, locked_user, locked_msg or tag.CONTAINER, and under pawl.dev/ also what Flux v1
 * does not have: locked-until, window, and order, extract, digest, platforms, min-age and allow-downgrade, each for all containers or,
 * with .CONTAINER, for one.
 *
 * The lower rank counts. Other keys of Flux's are its own bookkeeping and no policies; other keys of ours are
 * errors, since passing over one could mean an update that its writer forbade.
 */
#ifndef UPDATER_POLICY_KEY_H
#define UPDATER_POLICY_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"

struct policy_key {
    size_t rank;
    char *policy; /* "locked", "tag.app"; owned */
};
void policy_key_release(struct policy_key *key);

/* False, and nothing to release, if the annotation is no policy. */
bool policy_key_parse(const char *annotation, struct policy_key *out) MUST_CHECK;

/* -1 if the annotation is one of ours that cannot be honoured: ERROR_UNSUPPORTED for what a later version
 * does, ERROR_INVALID, with the nearest name, for what none does. */
int policy_key_check(const char *annotation, struct error *err) MUST_CHECK;

#endif
