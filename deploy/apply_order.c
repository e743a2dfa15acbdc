#include "deploy/apply_order.h"

#include <string.h>

#include "base/attr.h"

static const struct ranked_kind {
    const char *group, *kind;
    enum apply_rank rank;
} ranked_kinds[] = {
    {"", "Namespace", RANK_NAMESPACES},

    {"apiextensions.k8s.io", "CustomResourceDefinition", RANK_DEFINITIONS},
    {"", "ServiceAccount", RANK_DEFINITIONS},
    {"rbac.authorization.k8s.io", "ClusterRole", RANK_DEFINITIONS},
    {"rbac.authorization.k8s.io", "Role", RANK_DEFINITIONS},
    {"", "PersistentVolume", RANK_DEFINITIONS},
    {"", "Service", RANK_DEFINITIONS},
    {"scheduling.k8s.io", "PriorityClass", RANK_DEFINITIONS},
    {"storage.k8s.io", "StorageClass", RANK_DEFINITIONS},
    {"node.k8s.io", "RuntimeClass", RANK_DEFINITIONS},
    {"networking.k8s.io", "IngressClass", RANK_DEFINITIONS},

    {"", "ResourceQuota", RANK_CONFIGURATION},
    {"", "LimitRange", RANK_CONFIGURATION},
    {"", "Secret", RANK_CONFIGURATION},
    {"", "ConfigMap", RANK_CONFIGURATION},
    {"rbac.authorization.k8s.io", "RoleBinding", RANK_CONFIGURATION},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding", RANK_CONFIGURATION},
    {"", "PersistentVolumeClaim", RANK_CONFIGURATION},
    {"networking.k8s.io", "Ingress", RANK_CONFIGURATION},
    {"extensions", "Ingress", RANK_CONFIGURATION},
    {"networking.k8s.io", "NetworkPolicy", RANK_CONFIGURATION},

    {"apps", "DaemonSet", RANK_WORKLOADS},
    {"apps", "Deployment", RANK_WORKLOADS},
    {"", "ReplicationController", RANK_WORKLOADS},
    {"apps", "ReplicaSet", RANK_WORKLOADS},
    {"batch", "Job", RANK_WORKLOADS},
    {"batch", "CronJob", RANK_WORKLOADS},
    {"apps", "StatefulSet", RANK_WORKLOADS},

    {"admissionregistration.k8s.io", "MutatingWebhookConfiguration", RANK_WEBHOOKS},
    {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", RANK_WEBHOOKS},
};

enum apply_rank apply_rank_of(const char *group, size_t group_len, const char *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(ranked_kinds); i++) {
        const struct ranked_kind *row = &ranked_kinds[i];
        if (strcmp(kind, row->kind) == 0 && strlen(row->group) == group_len &&
            strncmp(group, row->group, group_len) == 0)
            return row->rank;
    }
    return RANK_OTHERS;
}
