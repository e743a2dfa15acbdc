#include "daemon/result_json.h"

static json_t *updates_json(const struct workload_result *result)
{
    if (!result->updates_len)
        return json_null();
    json_t *list = json_array();
    for (size_t i = 0; i < result->updates_len; i++) {
        const struct container_update *update = &result->updates[i];
        json_t *item = json_object();
        json_object_set_new(item, "Container", json_text(update->container));
        json_object_set_new(item, "Current", json_text(update->current));
        json_object_set_new(item, "Target", json_text(update->target));
        json_array_append_new(list, item);
    }
    return list;
}

json_t *result_list_json(const struct result_list *results)
{
    json_t *object = json_object();
    for (size_t i = 0; i < results->len; i++) {
        const struct workload_result *result = &results->items[i];
        json_t *item = json_object();
        json_object_set_new(item, "Status", json_string(result_status_name(result->status)));
        if (result->message && *result->message)
            json_object_set_new(item, "Error", json_text(result->message));
        json_object_set_new(item, "PerContainer", updates_json(result));
        json_object_set_new(object, result->workload, item);
    }
    return object;
}
