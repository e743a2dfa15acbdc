/*
 * What is known of Kubernetes' kinds without asking a cluster: where a kind keeps its pod, and which built-in
 * kinds have no namespace. Two tables; a kind more is a row more.
 */
#ifndef MODEL_MANIFEST_KINDS_H
#define MODEL_MANIFEST_KINDS_H

#include <stdbool.h>

#define MANIFEST_POD_PATH 6

struct workload_kind {
    const char *kind;                        /* as written: kinds are case-sensitive */
    const char *pod_spec[MANIFEST_POD_PATH]; /* keys from the object down to the pod's spec, ended by NULL */
};

/* NULL if the kind has no containers. Chosen by kind alone, whatever the apiVersion, as Flux v1 does. */
const struct workload_kind *workload_kind_find(const char *kind);

/* True for built-in kinds that live outside namespaces. The group counts: some operators have a namespaced kind
 * called "Namespace". Custom resources are taken for namespaced: only the cluster knows. */
bool kind_is_cluster_scoped(const char *api_version, const char *kind);

/* True for what looks like an object and is input to a tool on the user's side, never sent to a cluster: the
 * files of kustomize. */
bool kind_is_tool_input(const char *api_version, const char *kind);

#endif
