#include "model/manifest_containers.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/yaml_scalar.h"
#include "model/manifest_application.h"
#include "model/manifest_chart.h"
#include "model/manifest_kinds.h"
#include "model/manifest_values.h"

/* Where containers are in a pod's spec or in a workflow's template. */
struct container_list {
    const char *path[2];  /* keys down to the containers; the second may be NULL */
    const char *image[2]; /* keys from the container down to its image; the second may be NULL */
    bool is_single;       /* one container, named as the template it is in; else a list of them */
    bool is_optional;     /* what has no image is no container, and no problem */
    bool is_init;
    bool is_reached; /* kustomize's images are for it */
};

/* Image volumes: KEP-4639. */
static const struct container_list pod_lists[] = {
    {{"containers", NULL}, {"image", NULL}, false, false, false, true},
    {{"initContainers", NULL}, {"image", NULL}, false, false, true, true},
    {{"ephemeralContainers", NULL}, {"image", NULL}, false, false, false, false},
    {{"volumes", NULL}, {"image", "reference"}, false, true, false, true},
};

static const struct container_list step_lists[] = {
    {{"container", NULL}, {"image", NULL}, true, true, false, false},
    {{"script", NULL}, {"image", NULL}, true, true, false, false},
    {{"containerSet", "containers"}, {"image", NULL}, false, false, false, true},
    {{"initContainers", NULL}, {"image", NULL}, false, false, true, true},
    {{"sidecars", NULL}, {"image", NULL}, false, false, false, false},
    {{"volumes", NULL}, {"image", "reference"}, false, true, false, false},
};

/* True if what `node` stands for is written inside `outer` itself, and not elsewhere by way of an alias. */
static bool is_written_in(const struct yaml_node *outer, const struct yaml_node *node)
{
    node = yaml_resolve(node);
    return node->start >= outer->start && node->end <= outer->end;
}

struct manifest_place manifest_place_of(struct manifest_place from, const struct yaml_node *node)
{
    return (struct manifest_place){
        node, node && (from.is_alias || !from.node || !is_written_in(from.node, node)), from.is_contested};
}

struct manifest_place manifest_place_get(struct manifest_place from, const char *key)
{
    struct manifest_place place = manifest_place_of(from, yaml_get(from.node, key));
    place.is_contested = place.is_contested || yaml_is_contested(from.node, key);
    return place;
}

void container_refuse_contested(struct container *container, struct manifest_place place)
{
    if (!place.node || !place.is_contested || container->problem.code != ERROR_NONE)
        return;
    error_set(&container->problem, ERROR_UNSUPPORTED,
              "a key on the way to it comes before \"<<\", which has that key, too, and readers of YAML "
              "disagree about which of them counts; put \"<<\" first");
    image_ref_release(&container->image);
    container->image = (struct image_ref)IMAGE_REF_INIT;
    container->image_node = container->registry_node = container->tag_node = container->digest_node =
        container->entry_node = NULL;
}

static struct manifest_place follow(struct manifest_place from, const char *const *keys, size_t len)
{
    for (size_t i = 0; i < len && keys[i]; i++)
        from = manifest_place_get(from, keys[i]);
    return from;
}

struct container *container_add(struct container_reader *reader, const char *name, int line)
{
    struct resource *resource = reader->resource;
    vec_grow(resource->containers, resource->containers_len, reader->capacity);
    struct container *container = &resource->containers[resource->containers_len++];
    *container = (struct container){.name = name, .line = line, .image = IMAGE_REF_INIT};
    return container;
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

static const char *name_of(const struct container_reader *reader, struct manifest_place item,
                           const char *template)
{
    const char *name = yaml_text(yaml_get(item.node, "name"));
    if (!name || !*name)
        return reader->unnamed ? reader->unnamed : "";
    if (!template)
        return name;
    AUTO_FREE char *full = xasprintf("%s.%s", template, name);
    return arena_strdup(&reader->resource->file->yaml->arena, full);
}

static void read_container(struct container_reader *reader, const struct container_list *list,
                           struct manifest_place item, const char *name)
{
    struct manifest_place image = follow(item, list->image, ARRAY_LEN(list->image));
    if (!image.node && list->is_optional)
        return;
    struct container *container =
        container_add(reader, name, yaml_resolve(image.node ? image.node : item.node)->line);
    container->is_init = list->is_init;
    container->is_in_list = list->is_reached;
    container->image_node = yaml_resolve(image.node);
    container->is_alias = image.is_alias;
    if (read_image(container, container->image_node) == 0 && !*name)
        error_set(&container->problem, ERROR_INVALID, "the container has no name");
    container_refuse_contested(container, image);
}

/* `template` is the name of the workflow's template, or NULL: `spec` is a pod's. */
static void read_list(struct container_reader *reader, const struct container_list *list,
                      struct manifest_place spec, const char *template)
{
    struct manifest_place place = follow(spec, list->path, ARRAY_LEN(list->path));
    if (list->is_single && place.node) {
        read_container(reader, list, place, template ? template : "");
        return;
    }
    const struct yaml_node *items = yaml_resolve(place.node);
    for (size_t i = 0; items && items->kind == YAML_SEQUENCE && i < items->len; i++) {
        struct manifest_place item = manifest_place_of(place, items->items[i]);
        read_container(reader, list, item, name_of(reader, item, template));
    }
}

static void read_pod(struct container_reader *reader, struct manifest_place spec)
{
    for (size_t i = 0; i < ARRAY_LEN(pod_lists); i++)
        read_list(reader, &pod_lists[i], spec, NULL);
}

static void read_steps(struct container_reader *reader, struct manifest_place spec)
{
    struct manifest_place templates = manifest_place_get(spec, "templates");
    const struct yaml_node *items = yaml_resolve(templates.node);
    for (size_t i = 0; items && items->kind == YAML_SEQUENCE && i < items->len; i++) {
        struct manifest_place template = manifest_place_of(templates, items->items[i]);
        const char *name = yaml_text(yaml_get(template.node, "name"));
        for (size_t k = 0; k < ARRAY_LEN(step_lists); k++)
            read_list(reader, &step_lists[k], template, name ? name : "");
    }
}

static const struct workload_kind *kind_of(const struct resource *resource)
{
    return workload_kind_find(resource->api_version, resource->kind);
}

const struct yaml_node *manifest_pod_spec(const struct resource *resource)
{
    const struct workload_kind *kind = kind_of(resource);
    if (!kind || (kind->form != CONTAINERS_OF_POD && kind->form != CONTAINERS_OF_STEPS))
        return NULL;
    return follow((struct manifest_place){.node = resource->node}, kind->path, WORKLOAD_PATH).node;
}

static void read_release(struct container_reader *reader, struct manifest_place spec)
{
    struct manifest_place values = manifest_place_get(spec, "values");
    if (values.node)
        manifest_read_values(reader, values);
    manifest_read_chart(reader, spec);
}

static int compare_names(const void *left, const void *right)
{
    const struct container *const *a = left, *const *b = right;
    int order = strcmp((*a)->name, (*b)->name);
    return order ? order : (*a > *b) - (*a < *b);
}

static void find_taken_names(struct resource *resource)
{
    size_t len = resource->containers_len;
    AUTO_FREE struct container **sorted = xcalloc(len, sizeof(*sorted));
    for (size_t i = 0; i < len; i++)
        sorted[i] = &resource->containers[i];
    qsort(sorted, len, sizeof(*sorted), compare_names);
    for (size_t i = 1; i < len; i++) {
        struct container *later = sorted[i];
        if (*later->name && strcmp(later->name, sorted[i - 1]->name) == 0 &&
            later->problem.code == ERROR_NONE)
            error_set(&later->problem, ERROR_CONFLICT,
                      "this workload has another container of that name (line %d); containers are found by "
                      "their names, so give it one of its own",
                      sorted[i - 1]->line);
    }
}

void manifest_read_containers(struct resource *resource, const struct yaml_node *written)
{
    static void (*const readers[])(struct container_reader *, struct manifest_place) = {
        [CONTAINERS_OF_POD] = read_pod,
        [CONTAINERS_OF_STEPS] = read_steps,
        [CONTAINERS_OF_RELEASE] = read_release,
        [CONTAINERS_OF_CHART] = manifest_read_chart,
        [CONTAINERS_OF_APPLICATION] = manifest_read_application,
    };
    const struct workload_kind *kind = kind_of(resource);
    resource->is_workload = kind != NULL;
    if (!kind)
        return;
    struct container_reader reader = {.resource = resource, .unnamed = kind->unnamed};
    struct manifest_place place = follow((struct manifest_place){.node = written}, kind->path, WORKLOAD_PATH);
    if (place.node)
        readers[kind->form](&reader, place);
    size_t len = resource->containers_len;
    resource->is_workload = kind->form != CONTAINERS_OF_CHART || len > 0;
    if (len)
        resource->containers = xreallocarray(resource->containers, len, sizeof(*resource->containers));
    if (len > 1)
        find_taken_names(resource);
}

void manifest_release_containers(struct resource *resource)
{
    for (size_t i = 0; i < resource->containers_len; i++)
        image_ref_release(&resource->containers[i].image);
    free(resource->containers);
}
