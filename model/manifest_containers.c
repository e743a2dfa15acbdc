#include "model/manifest_containers.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/yaml_scalar.h"
#include "model/manifest_kinds.h"

/* True if what `node` stands for is written inside `outer` itself, and not elsewhere by way of an alias. */
static bool is_written_in(const struct yaml_node *outer, const struct yaml_node *node)
{
    node = yaml_resolve(node);
    return node->start >= outer->start && node->end <= outer->end;
}

static int read_image(struct container *container, const struct yaml_node *node)
{
    struct error *err = &container->problem;
    if (!node)
        return error_set(err, ERROR_NOT_FOUND, "the container has no image");
    const char *text = yaml_text(node);
    if (!text)
        return error_set(err, ERROR_INVALID, "the image must be a string");
    if (node->style == YAML_PLAIN && !node->tag && yaml_plain_is_typed(text))
        return error_set(err, ERROR_INVALID, "the image is a %s; put it in quotes",
                         yaml_scalar_resolve(text, node->value_len).type == YAML_BOOL ? "boolean" : "number");
    return image_ref_parse(text, &container->image, err);
}

/* `list` and `item` as written, maybe aliases. */
static void add_container(struct resource *resource, const struct yaml_node *object,
                          const struct yaml_node *list, const struct yaml_node *item, bool is_init)
{
    struct container *container = &resource->containers[resource->containers_len++];
    *container = (struct container){.is_init = is_init, .image = IMAGE_REF_INIT};
    const struct yaml_node *image = yaml_get(item, "image");
    const char *name = yaml_text(yaml_get(item, "name"));
    container->name = name ? name : "";
    container->line = yaml_resolve(image ? image : item)->line;
    container->image_node = yaml_resolve(image);
    container->is_alias =
        image && !(is_written_in(object, list) && is_written_in(list, item) && is_written_in(item, image));
    if (read_image(container, container->image_node) == 0 && !*container->name)
        error_set(&container->problem, ERROR_INVALID, "the container has no name");
}

const struct yaml_node *manifest_pod_spec(const struct resource *resource)
{
    const struct workload_kind *kind = workload_kind_find(resource->kind);
    const struct yaml_node *node = kind ? resource->node : NULL;
    for (size_t i = 0; node && kind->pod_spec[i]; i++)
        node = yaml_get(node, kind->pod_spec[i]);
    return node;
}

void manifest_read_containers(struct resource *resource, const struct yaml_node *written)
{
    static const struct {
        const char *key;
        bool is_init;
    } lists[] = {{"containers", false}, {"initContainers", true}};
    resource->is_workload = workload_kind_find(resource->kind) != NULL;
    const struct yaml_node *pod_spec = manifest_pod_spec(resource), *list[ARRAY_LEN(lists)];
    size_t len = 0;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        list[i] = yaml_get(pod_spec, lists[i].key);
        const struct yaml_node *resolved = yaml_resolve(list[i]);
        len += resolved && resolved->kind == YAML_SEQUENCE ? resolved->len : 0;
    }
    if (!len)
        return;
    resource->containers = xcalloc(len, sizeof(*resource->containers));
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        const struct yaml_node *resolved = yaml_resolve(list[i]);
        for (size_t k = 0; resolved && resolved->kind == YAML_SEQUENCE && k < resolved->len; k++)
            add_container(resource, written, list[i], resolved->items[k], lists[i].is_init);
    }
}

void manifest_release_containers(struct resource *resource)
{
    for (size_t i = 0; i < resource->containers_len; i++)
        image_ref_release(&resource->containers[i].image);
    free(resource->containers);
}
