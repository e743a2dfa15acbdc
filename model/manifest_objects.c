#include "model/manifest_objects.h"

#include <string.h>

#include "base/alloc.h"
#include "model/manifest_chart.h"
#include "model/manifest_containers.h"
#include "model/manifest_file.h"
#include "model/manifest_kinds.h"
#include "model/manifest_kustomization.h"
#include "model/manifest_pull_secrets.h"

/* While a file is read. */
struct reading {
    struct manifest_file *file;
    const char *default_space;
    size_t document;
    size_t resources_capacity;
};

struct annotation_list {
    struct annotation *items;
    size_t len, capacity;
};

static int add_annotation(const struct yaml_node *key, const struct yaml_node *value, UNUSED bool is_merged,
                          void *context)
{
    struct annotation_list *list = context;
    const struct yaml_node *name = yaml_resolve(key), *text = yaml_resolve(value);
    if (name->kind != YAML_SCALAR || text->kind != YAML_SCALAR)
        return 0;
    for (size_t i = 0; i < list->len; i++) {
        if (!strcmp(list->items[i].key, name->value))
            return 0;
    }
    vec_grow(list->items, list->len, list->capacity);
    list->items[list->len++] =
        (struct annotation){.key = name->value, .value = text->value, .line = key->line};
    return 0;
}

static struct annotation *read_pairs(const struct yaml_node *pairs, size_t *len)
{
    struct annotation_list list = {.items = NULL};
    yaml_each_pair(pairs, add_annotation, &list);
    if (list.len) /* all files are kept */
        list.items = xreallocarray(list.items, list.len, sizeof(*list.items));
    *len = list.len;
    return list.items;
}

static void read_metadata(struct resource *resource, const struct yaml_node *metadata)
{
    resource->annotations = read_pairs(yaml_get(metadata, "annotations"), &resource->annotations_len);
    resource->labels = read_pairs(yaml_get(metadata, "labels"), &resource->labels_len);
}

/* What keeps an object with a kind from being a resource, or NULL. free() it. */
static char *object_problem(const char *api_version, const char *kind, const char *space, const char *name,
                            bool has_generated_name)
{
    if (!api_version || !*api_version)
        return xasprintf("this %s has no apiVersion", kind);
    if (!name && has_generated_name)
        return xasprintf("this %s has a generateName and no name: each apply would make another; name it",
                         kind);
    if (!name || !*name)
        return xasprintf("this %s has no metadata.name", kind);
    if (!resource_id_is_valid(space, kind, name))
        return xasprintf("\"%.100s:%.100s/%.300s\" cannot name a resource", space, kind, name);
    return NULL;
}

static const char *space_of(const struct reading *reading, const struct yaml_node *metadata,
                            const char *api_version, const char *kind)
{
    if (api_version && kind_is_cluster_scoped(api_version, kind))
        return RESOURCE_CLUSTER_SCOPE;
    const char *space = yaml_text(yaml_get(metadata, "namespace"));
    return space && *space ? space : reading->default_space;
}

static void report_containers(struct manifest_file *file, const struct resource *resource)
{
    for (size_t i = 0; i < resource->containers_len; i++) {
        const struct container *container = &resource->containers[i];
        if (container->problem.code == ERROR_NONE)
            continue;
        char *message = *container->name
                            ? xasprintf("container %s: %s", container->name, container->problem.text)
                            : xasprintf("container %zu: %s", i + 1, container->problem.text);
        manifest_file_add_problem(file, container->line, resource_id_text(&resource->id), message);
    }
}

static void report_pull_secrets(const struct reading *reading, struct resource *resource)
{
    struct error problem = ERROR_INIT;
    int line = manifest_read_pull_secrets(resource, &problem);
    if (problem.code != ERROR_NONE)
        manifest_file_add_problem(reading->file, line, resource_id_text(&resource->id),
                                  xstrdup(problem.text));
}

/* `written` is the object at its place, maybe an alias. */
static void read_object(struct reading *reading, const struct yaml_node *written)
{
    struct manifest_file *file = reading->file;
    const struct yaml_node *node = yaml_resolve(written), *metadata = yaml_get(node, "metadata");
    const char *kind = yaml_text(yaml_get(node, "kind"));
    const char *api_version = yaml_text(yaml_get(node, "apiVersion"));
    const char *name = yaml_text(yaml_get(metadata, "name"));
    const char *space = space_of(reading, metadata, api_version, kind);
    char *problem =
        object_problem(api_version, kind, space, name, yaml_get(metadata, "generateName") != NULL);
    if (problem) {
        manifest_file_add_problem(file, node->line, NULL, problem);
        return;
    }
    struct resource *resource = manifest_file_add_resource(file, &reading->resources_capacity);
    *resource = (struct resource){.api_version = api_version,
                                  .kind = kind,
                                  .node = node,
                                  .file = file,
                                  .document = reading->document,
                                  .line = node->line,
                                  .is_applied = true};
    resource_id_init(&resource->id, space, kind, name);
    read_metadata(resource, metadata);
    manifest_read_chart_url(resource);
    manifest_read_containers(resource, written);
    report_containers(file, resource);
    report_pull_secrets(reading, resource);
}

/* A mapping with a kind, that is not meant for a tool, or for no one (a kind in some program's settings). */
static bool is_object(const struct yaml_node *node)
{
    const char *kind = yaml_text(yaml_get(node, "kind"));
    if (!kind || !*kind)
        return false;
    const char *api_version = yaml_text(yaml_get(node, "apiVersion"));
    if (!api_version)
        return yaml_get(node, "metadata") != NULL;
    return !kind_is_tool_input(api_version, kind);
}

static bool is_list(const struct yaml_node *node)
{
    return str_ends_with(yaml_text(yaml_get(node, "kind")), "List") && yaml_get(node, "items");
}

static void read_list(struct reading *reading, const struct yaml_node *written)
{
    const struct yaml_node *items = yaml_resolve(yaml_get(written, "items"));
    if (items->kind != YAML_SEQUENCE) {
        if (items->kind != YAML_SCALAR || yaml_text(items))
            manifest_file_add_problem(reading->file, items->line, NULL,
                                      xstrdup("the items of this list are no sequence"));
        return;
    }
    for (size_t i = 0; i < items->len; i++) {
        const struct yaml_node *item = items->items[i];
        if (!is_object(item))
            manifest_file_add_problem(reading->file, item->line, NULL,
                                      xstrdup("this item of the list has no kind"));
        else if (is_list(item))
            manifest_file_add_problem(reading->file, item->line, NULL,
                                      xstrdup("a list inside a list is not read"));
        else
            read_object(reading, item);
    }
}

/* What is wrong with its images is said once the markers have been read, which can say more about them. */
static void read_kustomization(struct reading *reading, const struct yaml_node *root)
{
    struct manifest_file *file = reading->file;
    const char *kind = yaml_text(yaml_get(root, "kind")),
               *api_version = yaml_text(yaml_get(root, "apiVersion"));
    const char *space = yaml_text(yaml_path(root, "metadata", "namespace", NULL));
    AUTO_FREE char *name = manifest_kustomization_name(file->path, root);
    kind = kind ? kind : "Kustomization";
    space = space && *space ? space : reading->default_space;
    if (!resource_id_is_valid(space, kind, name)) {
        manifest_file_add_problem(
            file, root->line, NULL,
            xasprintf("\"%.100s:%.100s/%.300s\" cannot name a resource", space, kind, name));
        return;
    }
    struct resource *resource = manifest_file_add_resource(file, &reading->resources_capacity);
    resource->api_version = api_version ? api_version : "";
    resource->kind = kind;
    resource->node = root;
    resource->document = reading->document;
    resource->line = root->line;
    resource_id_init(&resource->id, space, kind, name);
    read_metadata(resource, yaml_get(root, "metadata"));
    manifest_read_kustomization(resource);
}

static void read_root(struct reading *reading, const struct yaml_node *root)
{
    if (manifest_is_kustomization(reading->file->path, root) && manifest_kustomization_has_images(root))
        read_kustomization(reading, root);
    else if (is_object(root) && is_list(root))
        read_list(reading, root);
    else if (is_object(root))
        read_object(reading, root);
}

size_t manifest_read_objects(struct manifest_file *file, const char *default_space)
{
    struct reading reading = {.file = file, .default_space = default_space};
    for (size_t i = 0; i < file->yaml->len; i++) {
        const struct yaml_document *document = &file->yaml->documents[i];
        reading.document = i;
        if (document->error.code != ERROR_NONE)
            manifest_file_add_broken(file, document);
        else if (document->root)
            read_root(&reading, document->root);
    }
    return reading.resources_capacity;
}

void manifest_report_kustomizations(struct manifest_file *file)
{
    for (size_t i = 0; i < file->resources_len; i++) {
        const struct resource *resource = &file->resources[i];
        if (!resource->is_applied && manifest_is_kustomization(file->path, resource->node))
            report_containers(file, resource);
    }
}
