/*
 * The objects of one apply to a cluster, and how far each has come.
 *
 * The plan is made from the manifests alone; kinds are resolved against discovery afterwards, some of them
 * only when a CustomResourceDefinition of the same commit has been applied. An item that is decided (skipped,
 * failed, or applied) is not looked at again. Items are kept in the order of their ranks; reporting goes by
 * `position`.
 */
#ifndef DEPLOY_APPLY_PLAN_H
#define DEPLOY_APPLY_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/json.h"
#include "base/strmap.h"
#include "deploy/apply_order.h"
#include "deploy/discovery.h"
#include "deploy/target.h"

/* What is known of the object in the cluster before it is written. */
enum item_before { BEFORE_UNKNOWN, BEFORE_ABSENT, BEFORE_PRESENT };

struct plan_item {
    const struct resource *resource;
    size_t position;                       /* in the manifests */
    json_t *object;                        /* normalised, to be sent; NULL once decided without being sent */
    const char *api_version, *kind, *name; /* in `object`; NULL without it */
    enum apply_rank rank;

    char *collection;  /* path of its kind in its namespace; NULL: not resolved (yet) */
    bool has_list;     /* that path can be listed */
    const char *space; /* in `object`; NULL: cluster-scoped or not resolved */

    enum item_before before;
    bool was_looked_up;
    json_t *before_object; /* with BEFORE_PRESENT: metadata, or in a dry run all of it */

    bool is_decided;
    enum apply_result result;
    char *message; /* NULL: nothing to say */
};

struct apply_plan {
    struct plan_item *items;
    size_t len;
    /* What this commit brings that others may need; values are items of this plan. */
    struct strmap namespaces;  /* by name */
    struct strmap definitions; /* by "group/Kind" of what they define */
};

/* Everything in the request, normalised and sorted; what cannot be applied is decided at once. */
struct apply_plan *apply_plan_new(const struct apply_request *request);
void apply_plan_free(struct apply_plan *plan);
void apply_plan_release(struct apply_plan **plan); /* for CLEANUP */

/* Takes over `message`. */
void plan_item_decide(struct plan_item *item, enum apply_result result, char *message);
/* True if it was decided and is not there as it should be. */
bool plan_item_has_failed(const struct plan_item *item);
bool plan_item_is_secret(const struct plan_item *item);

/* Finds the item's resource; with it come scope, namespace and path. -1: as discovery_find. */
int plan_item_resolve(struct plan_item *item, const struct discovery *discovery, const char *default_space,
                      struct error *err) MUST_CHECK;
/* "/apis/apps/v1/namespaces/NS/deployments/NAME" of a resolved item; free() it. */
char *plan_item_path(const struct plan_item *item) MUST_CHECK;

/* The CustomResourceDefinition of this commit that defines the item's kind, or the Namespace of this
 * commit that it lives in; NULL if there is none. */
struct plan_item *apply_plan_definition(const struct apply_plan *plan, const struct plan_item *item);
struct plan_item *apply_plan_namespace(const struct apply_plan *plan, const struct plan_item *item);

/* Adds each decided item to the report, in the order of the manifests. */
void apply_plan_report(const struct apply_plan *plan, struct apply_report *report);

#endif
