/*
 * The name of a resource: namespace:kind/name, as Flux v1 writes it. The kind is lower case; namespace and name
 * keep their case. A resource without a namespace of its own (a Namespace, a ClusterRole) has the namespace
 * "<cluster>". Grammar: Flux v1, pkg/resource/id.go.
 */
#ifndef MODEL_RESOURCE_ID_H
#define MODEL_RESOURCE_ID_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"

#define RESOURCE_CLUSTER_SCOPE "<cluster>"

struct resource_id {
    char *space; /* the namespace */
    char *kind;  /* lower case */
    char *name;
};
#define RESOURCE_ID_INIT                                                                                     \
    {                                                                                                        \
        .space = NULL, .kind = NULL, .name = NULL                                                            \
    }

/* Copies; the kind is put into lower case. */
void resource_id_init(struct resource_id *id, const char *space, const char *kind, const char *name);
void resource_id_release(struct resource_id *id);

/* True if the three make an id that can be written and read back: a namespace and a kind of letters, digits,
 * "_" and "-", a name that may also hold "." and ":". */
bool resource_id_is_valid(const char *space, const char *kind, const char *name);

/* True for what Kubernetes takes as the name of a Secret or a service account, and of a namespace: a DNS subdomain
 * (RFC 1123) of at most 253 lower-case letters, digits, "-" and ".". */
bool dns_name_is_valid(const char *name);

/* Reads "ns:kind/name" or "kind/name" (then in `default_space`). ERROR_INVALID says the right form. */
int resource_id_parse(const char *text, const char *default_space, struct resource_id *out, struct error *err)
    MUST_CHECK;

/* "ns:kind/name"; free() it. */
char *resource_id_text(const struct resource_id *id) MUST_CHECK;
bool resource_id_equal(const struct resource_id *a, const struct resource_id *b);

#endif
