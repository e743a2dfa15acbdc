/*
 * Which resources of a commit are applied at all: what every target decides alike, before it touches
 * anything.
 *
 * - what the caller leaves alone (annotated so) is skipped;
 * - an id that is defined twice is skipped, every copy of it: which one is meant is not ours to guess.
 */
#ifndef DEPLOY_SELECTION_H
#define DEPLOY_SELECTION_H

#include <stdbool.h>

#include "base/attr.h"
#include "deploy/target.h"

/* True if it is to be applied. If not, it is to be reported as skipped, and *message (free() it) says why. */
bool selection_includes(const struct apply_request *request, const struct resource *resource, char **message)
    MUST_CHECK;

#endif
