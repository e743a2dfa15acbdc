/*
 * Server-side apply of a plan's items, a rank at a time, and the waits that some of them need.
 *
 * Every object goes out as PATCH with our field manager, forced: git is what the user means. The field
 * manager is one name for all installations and versions, so that what an older pawl set and a newer manifest
 * lacks is removed. fieldValidation is not asked for: apply already refuses unknown fields, by the schema.
 *
 * An object whose Namespace or CustomResourceDefinition in the same commit failed is skipped with that
 * reason. Right after a definition was written its kind may be unknown to the server (or known in its old
 * form) for some seconds; such refusals are tried again for as long as is usual.
 */
#ifndef DEPLOY_KUBE_APPLY_H
#define DEPLOY_KUBE_APPLY_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/clock.h"
#include "deploy/apply_plan.h"
#include "deploy/discovery.h"
#include "deploy/kube_client.h"

#define KUBE_FIELD_MANAGER "pawl"

/* How long a definition may take until its kind is served; several API servers need over five seconds,
 * since each waits for the others to have seen it. */
#define KUBE_SETTLE_MS 15000
/* How long a kind that was there already may go on refusing new fields. */
#define KUBE_SCHEMA_SETTLE_MS 3000

struct kube_apply {
    struct kube_client *client;
    struct discovery *discovery;
    struct apply_plan *plan;
    const char *default_space;
    const struct clock *clock;
    bool dry_run;
};

/* Resolves the kinds of all undecided items. What nothing serves or defines is decided as failed; what a
 * definition of this commit will bring stays unresolved. */
int kube_apply_resolve(struct kube_apply *apply, struct error *err) MUST_CHECK;

/* Waits until the kinds of items still unresolved are served, and resolves them; or decides them. To be
 * called when the rank of definitions has been applied. */
int kube_apply_await_kinds(struct kube_apply *apply, struct error *err) MUST_CHECK;

/* Applies the undecided items of one rank and decides each. */
int kube_apply_rank(struct kube_apply *apply, enum apply_rank rank, struct error *err) MUST_CHECK;

#endif
