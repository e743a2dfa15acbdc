/*
 * What the cluster holds before an apply: so that "unchanged" and "configured" can be told apart afterwards,
 * and so that a dry run has something to compare with.
 *
 * An apply's answer does not say whether anything changed; comparing what was there before does. Metadata is
 * enough and small. Where many objects of one kind and namespace are in the plan they are read with one paged
 * LIST, a few with a GET each: a namespace may hold thousands of objects that are not ours.
 */
#ifndef DEPLOY_KUBE_BEFORE_H
#define DEPLOY_KUBE_BEFORE_H

#include <stdbool.h>

#include "base/attr.h"
#include "deploy/apply_plan.h"
#include "deploy/kube_client.h"

/* Looks up all resolved, undecided items that were not looked up yet, and sets their `before`; it stays
 * BEFORE_UNKNOWN where reading is not allowed or fails. `whole`: read whole objects, for a dry run. */
int kube_read_before(struct apply_plan *plan, struct kube_client *client, bool whole, struct error *err)
    MUST_CHECK;

/* True if a write left the object as it was. `after` may be metadata only. The same resourceVersion says
 * so; so do the same generation, labels and annotations, since servers before 1.25 write an object anew
 * when a manifest is not in their own form (`cpu: 1000m`). */
bool kube_is_unchanged(const json_t *before, const json_t *after);

#endif
