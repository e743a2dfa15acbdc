#include "model/manifest_kinds.h"

#include <stddef.h>
#include <string.h>

#include "base/attr.h"

static const struct workload_kind workload_kinds[] = {
    {"Deployment", {"spec", "template", "spec"}},
    {"StatefulSet", {"spec", "template", "spec"}},
    {"DaemonSet", {"spec", "template", "spec"}},
    {"CronJob", {"spec", "jobTemplate", "spec", "template", "spec"}},
    {"Job", {"spec", "template", "spec"}},
    {"Pod", {"spec"}},
    {"ReplicaSet", {"spec", "template", "spec"}},
    {"ReplicationController", {"spec", "template", "spec"}},
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

const struct workload_kind *workload_kind_find(const char *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(workload_kinds); i++) {
        if (!strcmp(workload_kinds[i].kind, kind))
            return &workload_kinds[i];
    }
    return NULL;
}

static bool is_in(const struct group_kind *table, size_t len, const char *api_version, const char *kind)
{
    const char *slash = strchr(api_version, '/');
    size_t group_len = slash ? (size_t)(slash - api_version) : 0;
    for (size_t i = 0; i < len; i++) {
        if (strlen(table[i].group) == group_len && !strncmp(table[i].group, api_version, group_len) &&
            (!table[i].kind || !strcmp(table[i].kind, kind)))
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
