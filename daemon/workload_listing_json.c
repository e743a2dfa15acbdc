/*
 * Workloads as Flux v1's API gave them (ControllerStatus): names and their order as there. What it did not have joins:
 * File, Line, Problem.
 */
#include <string.h>

#include "base/alloc.h"
#include "daemon/workload_listing.h"
#include "updater/policy_settings.h"

static json_t *info_json(const char *id)
{
    json_t *info = json_object();
    json_object_set_new(info, "ID", json_text(id));
    json_object_set_new(info, "Labels", json_object());
    return info;
}

static json_t *containers_json(const struct listed_workload *workload)
{
    json_t *list = json_array();
    for (size_t i = 0; i < workload->containers_len; i++) {
        json_t *item = json_object();
        const char *problem = listed_problem(workload, i);
        json_object_set_new(item, "Name", json_text(workload->containers[i]->name));
        json_object_set_new(item, "Current", info_json(listed_image(workload->containers[i])));
        json_object_set_new(item, "LatestFiltered", info_json(""));
        if (problem)
            json_object_set_new(item, "Problem", json_text(problem));
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *rollout_json(void)
{
    static const char *const counts[] = {"Desired", "Updated", "Ready", "Available", "Outdated"};
    json_t *rollout = json_object();
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        json_object_set_new(rollout, counts[i], json_integer(0));
    json_object_set_new(rollout, "Messages", json_null());
    return rollout;
}

static json_t *labels_json(const struct resource *resource)
{
    if (!resource->labels_len)
        return json_null();
    json_t *labels = json_object();
    for (size_t i = 0; i < resource->labels_len; i++)
        json_object_set_new(labels, resource->labels[i].key, json_text(resource->labels[i].value));
    return labels;
}

/* Of each policy the annotation that counts. */
static json_t *policies_json(const struct resource *resource)
{
    json_t *policies = json_object();
    CLEANUP(policy_settings_release) struct policy_settings settings;
    policy_settings_read(&settings, resource, NULL, NULL);
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *policy;
    void *setting;
    while (strmap_next(&settings.by_policy, &cursor, &policy, &setting))
        json_object_set_new(policies, policy,
                            json_text(((const struct policy_setting *)setting)->annotation->value));
    return policies;
}

static json_t *workload_json(const struct workload_listing *listing, const struct listed_workload *workload)
{
    const struct workload_policy *policy = workload->policy;
    const struct resource *resource = policy->resource;
    const char *antecedent = resource_annotation(resource, "helm.fluxcd.io/antecedent");
    json_t *item = json_object();
    json_object_set_new(item, "ID", json_text(workload->id));
    json_object_set_new(item, "Containers", containers_json(workload));
    json_object_set_new(item, "ReadOnly", json_string(listing->is_readonly ? "ReadOnlyMode" : ""));
    json_object_set_new(item, "Status", json_string(WORKLOAD_STATUS_UNKNOWN));
    json_object_set_new(item, "Rollout", rollout_json());
    json_object_set_new(item, "SyncError", json_string(""));
    json_object_set_new(item, "Antecedent", json_text(antecedent ? antecedent : ""));
    json_object_set_new(item, "Labels", labels_json(resource));
    json_object_set_new(item, "Automated", json_boolean(policy->automated));
    json_object_set_new(item, "Locked", json_boolean(workload->is_locked));
    json_object_set_new(item, "Ignore", json_boolean(policy->ignored));
    json_object_set_new(item, "Policies", policies_json(resource));
    json_object_set_new(item, "File", json_text(resource->file->path));
    json_object_set_new(item, "Line", json_integer(resource->line));
    if (workload->problem)
        json_object_set_new(item, "Problem", json_text(workload->problem));
    return item;
}

void workload_listing_add_json(const struct workload_listing *listing, json_t *list)
{
    for (size_t i = 0; i < listing->len; i++)
        json_array_append_new(list, workload_json(listing, &listing->workloads[i]));
}
