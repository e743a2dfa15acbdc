/*
 * In which order objects are applied: rank by rank, and inside a rank at once. What others need comes first.
 *
 * The ranks are Flux v1's (its sync.go), with additions that cannot disturb them: the *Class kinds
 * and NetworkPolicy before the pods that they govern, and webhook configurations last, since each write after
 * one whose server is not up yet may be refused. The table goes by group and kind: a Service of another group
 * (that of Knative) is a custom resource and comes with these, after its definition.
 */
#ifndef DEPLOY_APPLY_ORDER_H
#define DEPLOY_APPLY_ORDER_H

#include <stddef.h>

enum apply_rank {
    RANK_NAMESPACES,
    RANK_DEFINITIONS,   /* CustomResourceDefinition, classes, identities, Service */
    RANK_CONFIGURATION, /* Secret, ConfigMap, bindings, quotas */
    RANK_WORKLOADS,
    RANK_OTHERS, /* custom resources, and all that the table does not name */
    RANK_WEBHOOKS,
    RANK_COUNT,
};

/* `group` need not be NUL-terminated. */
enum apply_rank apply_rank_of(const char *group, size_t group_len, const char *kind);

#endif
