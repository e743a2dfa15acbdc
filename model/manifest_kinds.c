#include "model/manifest_kinds.h"

#include <stddef.h>
#include <string.h>

#include "base/attr.h"

static const struct workload_kind workload_kinds[] = {
    {NULL, "Deployment", CONTAINERS_OF_POD, {"spec", "template", "spec"}, NULL},
    {NULL, "StatefulSet", CONTAINERS_OF_POD, {"spec", "template", "spec"}, NULL},
    {NULL, "DaemonSet", CONTAINERS_OF_POD, {"spec", "template", "spec"}, NULL},
    {NULL, "CronJob", CONTAINERS_OF_POD, {"spec", "jobTemplate", "spec", "template", "spec"}, NULL},
    {NULL, "Job", CONTAINERS_OF_POD, {"spec", "template", "spec"}, NULL},
    {NULL, "Pod", CONTAINERS_OF_POD, {"spec"}, NULL},
    {NULL, "PodTemplate", CONTAINERS_OF_POD, {"template", "spec"}, NULL},
    {NULL, "ReplicaSet", CONTAINERS_OF_POD, {"spec", "template", "spec"}, NULL},
    {NULL, "ReplicationController", CONTAINERS_OF_POD, {"spec", "template", "spec"}, NULL},
    {"serving.knative.dev", "Service", CONTAINERS_OF_POD, {"spec", "template", "spec"}, "user-container"},
    {"serving.knative.dev",
     "Configuration",
     CONTAINERS_OF_POD,
     {"spec", "template", "spec"},
     "user-container"},
    {"argoproj.io", "Rollout", CONTAINERS_OF_POD, {"spec", "template", "spec"}, NULL},
    {"argoproj.io", "Workflow", CONTAINERS_OF_STEPS, {"spec"}, NULL},
    {"argoproj.io", "WorkflowTemplate", CONTAINERS_OF_STEPS, {"spec"}, NULL},
    {"argoproj.io", "ClusterWorkflowTemplate", CONTAINERS_OF_STEPS, {"spec"}, NULL},
    {"argoproj.io", "CronWorkflow", CONTAINERS_OF_STEPS, {"spec", "workflowSpec"}, NULL},
    {"argoproj.io", "Application", CONTAINERS_OF_APPLICATION, {"spec"}, NULL},
    {"argoproj.io", "ApplicationSet", CONTAINERS_OF_APPLICATION, {"spec", "template", "spec"}, NULL},
    {NULL, "HelmRelease", CONTAINERS_OF_RELEASE, {"spec"}, NULL},
    {NULL, "FluxHelmRelease", CONTAINERS_OF_RELEASE, {"spec"}, NULL},
    {"source.toolkit.fluxcd.io", "HelmChart", CONTAINERS_OF_CHART, {"spec"}, NULL},
    {"source.toolkit.fluxcd.io", "OCIRepository", CONTAINERS_OF_CHART, {"spec"}, NULL},
    {"helm.cattle.io", "HelmChart", CONTAINERS_OF_CHART, {"spec"}, NULL},
};

struct group_kind {
    const char *group, *kind; /* kind NULL: all of the group */
};

static const struct group_kind cluster_kinds[] = {
    {"", "Namespace"},
    {"", "Node"},
    {"", "PersistentVolume"},
    {"admissionregistration.k8s.io", NULL},
    {"apiextensions.k8s.io", "CustomResourceDefinition"},
    {"apiregistration.k8s.io", "APIService"},
    {"argoproj.io", "ClusterWorkflowTemplate"},
    {"certificates.k8s.io", "CertificateSigningRequest"},
    {"certificates.k8s.io", "ClusterTrustBundle"},
    {"flowcontrol.apiserver.k8s.io", NULL},
    {"networking.k8s.io", "IngressClass"},
    {"networking.k8s.io", "IPAddress"},
    {"networking.k8s.io", "ServiceCIDR"},
    {"node.k8s.io", "RuntimeClass"},
    {"policy", "PodSecurityPolicy"},
    {"rbac.authorization.k8s.io", "ClusterRole"},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding"},
    {"resource.k8s.io", "DeviceClass"},
    {"resource.k8s.io", "ResourceSlice"},
    {"scheduling.k8s.io", "PriorityClass"},
    {"storage.k8s.io", "CSIDriver"},
    {"storage.k8s.io", "CSINode"},
    {"storage.k8s.io", "StorageClass"},
    {"storage.k8s.io", "VolumeAttachment"},
    {"storage.k8s.io", "VolumeAttributesClass"},
};

static const struct group_kind tool_kinds[] = {
    {"kustomize.config.k8s.io", NULL},
};

static size_t group_length(const char *api_version)
{
    const char *slash = strchr(api_version, '/');
    return slash ? (size_t)(slash - api_version) : 0;
}

static bool is_of_group(const char *api_version, const char *group)
{
    size_t len = group_length(api_version);
    return strlen(group) == len && strncmp(group, api_version, len) == 0;
}

const struct workload_kind *workload_kind_find(const char *api_version, const char *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(workload_kinds); i++) {
        const struct workload_kind *row = &workload_kinds[i];
        if (strcmp(row->kind, kind) == 0 && (!row->group || is_of_group(api_version, row->group)))
            return row;
    }
    return NULL;
}

static bool is_in(const struct group_kind *table, size_t len, const char *api_version, const char *kind)
{
    for (size_t i = 0; i < len; i++) {
        if (is_of_group(api_version, table[i].group) && (!table[i].kind || strcmp(table[i].kind, kind) == 0))
            return true;
    }
    return false;
}

bool kind_is_cluster_scoped(const char *api_version, const char *kind)
{
    return is_in(cluster_kinds, ARRAY_LEN(cluster_kinds), api_version, kind);
}

bool kind_is_tool_input(const char *api_version, const char *kind)
{
    return is_in(tool_kinds, ARRAY_LEN(tool_kinds), api_version, kind);
}
