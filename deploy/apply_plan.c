#include "deploy/apply_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "deploy/kube_object.h"
#include "deploy/selection.h"
#include "model/manifest_tree.h"

void plan_item_decide(struct plan_item *item, enum apply_result result, char *message)
{
    free(item->message);
    item->is_decided = true;
    item->result = result;
    item->message = message;
}

bool plan_item_has_failed(const struct plan_item *item)
{
    return item->is_decided && item->result == APPLY_FAILED;
}

bool plan_item_is_secret(const struct plan_item *item)
{
    return kube_object_is(item->object, "", "Secret");
}

static void decide_broken(struct plan_item *item, const struct error *why)
{
    plan_item_decide(item, APPLY_FAILED, xstrdup(why->text));
}

static int check_size(const json_t *object, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_MAX(LIMIT_KUBE_REQUEST_BYTES);
    json_write(&text, object, 0);
    if (text.overflowed)
        return error_set(err, ERROR_TOO_LARGE, "larger than the %u bytes that an API server takes",
                         LIMIT_KUBE_REQUEST_BYTES);
    return 0;
}

static void prepare(struct plan_item *item, const struct apply_request *request, struct manifest_tree *tree)
{
    const struct resource *resource = item->resource;
    struct error problem = ERROR_INIT;
    char *message;
    if (!selection_includes(request, resource, &message)) {
        plan_item_decide(item, APPLY_SKIPPED, message);
        return;
    }
    item->object = yaml_to_json(manifest_tree_object(tree, resource), &problem);
    if (!item->object || kube_object_normalise(item->object, &problem) < 0 ||
        check_size(item->object, &problem) < 0) {
        decide_broken(item, &problem);
        return;
    }
    const char *version;
    size_t group_len;
    item->api_version = json_string_at(item->object, "apiVersion");
    item->kind = json_string_at(item->object, "kind");
    item->name = kube_object_name(item->object);
    if (kube_api_version_split(item->api_version, &group_len, &version) == 0)
        item->rank = apply_rank_of(item->api_version, group_len, item->kind);
}

static int by_rank(const void *a, const void *b)
{
    const struct plan_item *left = a, *right = b;
    if (left->rank != right->rank)
        return left->rank < right->rank ? -1 : 1;
    return (left->position > right->position) - (left->position < right->position);
}

static char *definition_key(const char *group, const char *kind)
{
    return xasprintf("%s/%s", group, kind);
}

static void index_items(struct apply_plan *plan)
{
    for (size_t i = 0; i < plan->len; i++) {
        struct plan_item *item = &plan->items[i];
        if (!item->name)
            continue;
        if (kube_object_is(item->object, "", "Namespace"))
            strmap_set(&plan->namespaces, item->name, item);
        if (!kube_object_is(item->object, "apiextensions.k8s.io", "CustomResourceDefinition"))
            continue;
        const json_t *spec = json_object_get(item->object, "spec");
        const char *group = json_string_at(spec, "group");
        const char *kind = json_string_at(json_object_get(spec, "names"), "kind");
        AUTO_FREE char *key = definition_key(group ? group : "", kind ? kind : "");
        strmap_set(&plan->definitions, key, item);
    }
}

struct apply_plan *apply_plan_new(const struct apply_request *request)
{
    const struct manifest_set *set = request->manifests;
    struct apply_plan *plan = xcalloc(1, sizeof(*plan));
    CLEANUP(manifest_tree_release) struct manifest_tree tree = {.file = NULL};
    plan->items = xcalloc(set->resources_len + 1, sizeof(*plan->items));
    for (size_t i = 0; i < set->resources_len; i++) {
        if (!set->resources[i]->is_applied)
            continue;
        struct plan_item *item = &plan->items[plan->len++];
        item->resource = set->resources[i];
        item->position = i;
        prepare(item, request, &tree);
    }
    qsort(plan->items, plan->len, sizeof(*plan->items), by_rank);
    strmap_init(&plan->namespaces, NULL);
    strmap_init(&plan->definitions, NULL);
    index_items(plan);
    return plan;
}

void apply_plan_free(struct apply_plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; i < plan->len; i++) {
        json_decref(plan->items[i].object);
        json_decref(plan->items[i].before_object);
        free(plan->items[i].collection);
        free(plan->items[i].message);
    }
    free(plan->items);
    strmap_release(&plan->namespaces);
    strmap_release(&plan->definitions);
    free(plan);
}

void apply_plan_release(struct apply_plan **plan)
{
    apply_plan_free(*plan);
    *plan = NULL;
}

int plan_item_resolve(struct plan_item *item, const struct discovery *discovery, const char *default_space,
                      struct error *err)
{
    const struct kube_kind *served = discovery_find(discovery, item->api_version, item->kind, err);
    if (!served)
        return -1;
    item->has_list = served->has_list;
    kube_object_set_scope(item->object, served->is_namespaced, default_space);
    item->space = kube_object_space(item->object);
    free(item->collection);
    item->collection = kube_collection_path(served, item->space);
    return 0;
}

char *plan_item_path(const struct plan_item *item)
{
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    strbuf_addf(&path, "%s/", item->collection);
    strbuf_add_urlencoded(&path, item->name, "");
    return strbuf_detach(&path, NULL);
}

struct plan_item *apply_plan_definition(const struct apply_plan *plan, const struct plan_item *item)
{
    const char *slash = strchr(item->api_version, '/');
    AUTO_FREE char *group =
        slash ? xmemdupz(item->api_version, (size_t)(slash - item->api_version)) : xstrdup("");
    AUTO_FREE char *key = definition_key(group, item->kind);
    return strmap_get(&plan->definitions, key);
}

struct plan_item *apply_plan_namespace(const struct apply_plan *plan, const struct plan_item *item)
{
    return item->space ? strmap_get(&plan->namespaces, item->space) : NULL;
}

void apply_plan_report(const struct apply_plan *plan, struct apply_report *report)
{
    AUTO_FREE const struct plan_item **order = xcalloc(plan->len + 1, sizeof(void *));
    for (size_t i = 0; i < plan->len; i++)
        order[plan->items[i].position] = &plan->items[i];
    for (size_t i = 0; i < plan->len; i++) {
        const struct plan_item *item = order[i];
        if (item->is_decided)
            apply_report_add(report, item->resource, item->resource->file, item->result,
                             item->message ? xstrdup(item->message) : NULL);
    }
}
