/*
 * What is known of kinds without asking a cluster: where a kind keeps its containers, and which kinds have no
 * namespace. Two tables; a kind more is a row more.
 */
#ifndef MODEL_MANIFEST_KINDS_H
#define MODEL_MANIFEST_KINDS_H

#include <stdbool.h>

#define WORKLOAD_PATH 6

/* What stands at a workload's path, and so how images are written below it. */
enum containers_form {
    CONTAINERS_OF_POD,         /* a pod's spec */
    CONTAINERS_OF_STEPS,       /* an Argo workflow's spec: templates, each a pod of its own */
    CONTAINERS_OF_RELEASE,     /* a HelmRelease's spec: values (model/manifest_values.h), and a chart */
    CONTAINERS_OF_CHART,       /* a chart alone (model/manifest_chart.h): a workload only if it is followed */
    CONTAINERS_OF_APPLICATION, /* an Argo CD Application's spec (model/manifest_application.h) */
};

struct workload_kind {
    const char *group; /* of the apiVersion; NULL: any, as Flux v1 has it */
    const char *kind;  /* as written: kinds are case-sensitive */
    enum containers_form form;
    const char *path[WORKLOAD_PATH]; /* keys from the object down to what the form names, ended by NULL */
    const char *unnamed;             /* what a container without a name is called; NULL: it needs one */
};

/* NULL if the kind has no containers. */
const struct workload_kind *workload_kind_find(const char *api_version, const char *kind);

/* True for built-in kinds that live outside namespaces, and workloads that do. The group counts: some operators have
 * a namespaced kind called "Namespace". Other custom resources are taken for namespaced: only the cluster knows. */
bool kind_is_cluster_scoped(const char *api_version, const char *kind);

/* True for what looks like an object and is input to a tool on the user's side, never sent to a cluster: the
 * files of kustomize. */
bool kind_is_tool_input(const char *api_version, const char *kind);

#endif
