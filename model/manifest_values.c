#include "model/manifest_values.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

#define TOP_LEVEL "chart-image"

/* A mapping that may hold an image, or an annotation that says where one is. */
struct entry {
    const char *name;
    struct manifest_place place; /* of the mapping; of all values where there is an annotation */
    const struct annotation *mapping;
    size_t order;
};

struct entry_list {
    struct entry *items;
    size_t len, capacity;
    struct manifest_place values;
};

/* Where the parts of one image are. */
struct parts {
    struct manifest_place image, registry, tag, digest;
    bool is_repository;
    const struct yaml_node *tagless; /* the mapping that a tag can be added to */
};

static void add_entry(struct entry_list *list, const char *name, struct manifest_place place,
                      const struct annotation *mapping)
{
    vec_grow(list->items, list->len, list->capacity);
    list->items[list->len] =
        (struct entry){.name = name, .place = place, .mapping = mapping, .order = list->len};
    list->len++;
}

static int add_child(const struct yaml_node *key, const struct yaml_node *value, bool is_merged,
                     void *context)
{
    struct entry_list *list = context;
    const char *name = yaml_text(key);
    if (!name || !*name || !yaml_get(value, "image"))
        return 0;
    struct manifest_place place = manifest_place_of(list->values, value);
    place.is_alias = place.is_alias || is_merged;
    place.is_contested = place.is_contested || yaml_is_contested(list->values.node, name);
    add_entry(list, name, place, NULL);
    return 0;
}

static void add_mappings(struct entry_list *list, const struct resource *resource)
{
    static const char prefix[] = "repository.fluxcd.io/";
    for (size_t i = 0; i < resource->annotations_len; i++) {
        const struct annotation *annotation = &resource->annotations[i];
        if (str_starts_with(annotation->key, prefix) && annotation->key[strlen(prefix)])
            add_entry(list, annotation->key + strlen(prefix), list->values, annotation);
    }
}

/* By name, "chart-image" before all; of one name an annotation first, then what was found first. */
static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = (strcmp(a->name, TOP_LEVEL) != 0) - (strcmp(b->name, TOP_LEVEL) != 0);
    if (!order)
        order = strcmp(a->name, b->name);
    if (!order)
        order = !a->mapping - !b->mapping;
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

static bool is_string(const struct yaml_node *node)
{
    node = yaml_resolve(node);
    const char *text = yaml_text(node);
    return text && *text && (node->style != YAML_PLAIN || node->tag || !yaml_plain_is_typed(text));
}

/* Its text as written, "" for null; NULL if it is no scalar. */
static const char *text_of(const struct yaml_node *node)
{
    node = yaml_resolve(node);
    if (!node || node->kind != YAML_SCALAR || strlen(node->value) != node->value_len)
        return NULL;
    const char *text = yaml_text(node);
    return text ? text : "";
}

static struct manifest_place if_scalar(struct manifest_place place)
{
    return text_of(place.node) ? place : (struct manifest_place){.node = NULL};
}

static struct manifest_place if_digest(struct manifest_place place)
{
    const char *text = text_of(place.node);
    bool is_one = text && (!*text || image_digest_is_valid(text));
    return is_one ? place : (struct manifest_place){.node = NULL};
}

/* The parts that stand side by side in the mapping at `place`, its image called `key`. */
static struct parts parts_of(struct manifest_place place, const char *key)
{
    return (struct parts){.image = manifest_place_get(place, key),
                          .registry = manifest_place_get(place, "registry"),
                          .tag = if_scalar(manifest_place_get(place, "tag")),
                          .digest = if_digest(manifest_place_get(place, "digest"))};
}

/* True if a tag can be added to the mapping: it has none, and is nobody else's, and no YAML in a string, whose nodes cannot
 * be found again in the file. */
static bool takes_tag(const struct container_reader *reader, struct manifest_place image)
{
    const struct yaml_node *node = image.node;
    return !image.is_alias && !node->anchor && !yaml_get(node, "tag") &&
           yaml_find(reader->resource->file->yaml, node->number) == node;
}

static struct parts find_parts(const struct container_reader *reader, struct manifest_place place)
{
    struct manifest_place image = manifest_place_get(place, "image");
    const struct yaml_node *node = yaml_resolve(image.node);
    bool is_apart = node && node->kind == YAML_MAPPING;
    struct parts parts = is_apart ? parts_of(image, "repository") : parts_of(place, "image");
    parts.is_repository = is_apart;
    parts.tagless = is_apart && takes_tag(reader, image) ? node : NULL;
    if (!is_string(parts.registry.node))
        parts.registry.node = NULL;
    return parts;
}

static int join(struct container *container)
{
    const char *registry = text_of(container->registry_node), *tag = text_of(container->tag_node);
    const char *digest = text_of(container->digest_node);
    AUTO_FREE char *text = xasprintf("%s%s%s%s%s%s%s", registry ? registry : "", registry ? "/" : "",
                                     text_of(container->image_node), tag && *tag ? ":" : "", tag ? tag : "",
                                     digest && *digest ? "@" : "", digest ? digest : "");
    return image_ref_parse(text, &container->image, &container->problem);
}

static void add_image(struct container_reader *reader, const char *name, const struct parts *parts)
{
    struct container *container = container_add(reader, name, yaml_resolve(parts->image.node)->line);
    container->image_node = yaml_resolve(parts->image.node);
    container->registry_node = yaml_resolve(parts->registry.node);
    container->tag_node = yaml_resolve(parts->tag.node);
    container->digest_node = yaml_resolve(parts->digest.node);
    container->is_repository = parts->is_repository;
    container->entry_node = parts->tagless;
    const struct manifest_place places[] = {parts->image, parts->registry, parts->tag, parts->digest};
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        container->is_alias = container->is_alias || (places[i].node && places[i].is_alias);
    if (join(container) < 0)
        container->image = (struct image_ref)IMAGE_REF_INIT; /* its problem says why */
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        container_refuse_contested(container, places[i]);
}

static void read_found(struct container_reader *reader, const struct entry *entry)
{
    struct parts parts = find_parts(reader, entry->place);
    if (!is_string(parts.image.node))
        return;
    bool is_alone = !parts.registry.node && !parts.tag.node;
    CLEANUP(image_ref_release) struct image_ref ref = IMAGE_REF_INIT;
    struct error err = ERROR_INIT;
    if (is_alone && image_ref_parse(yaml_text(parts.image.node), &ref, &err) < 0)
        return;
    add_image(reader, entry->name, &parts);
}

/* What is at a path with dots. */
static struct manifest_place find_path(struct manifest_place place, const char *path)
{
    while (place.node) {
        size_t len = strcspn(path, ".");
        AUTO_FREE char *key = xmemdupz(path, len);
        place = manifest_place_get(place, key);
        if (!path[len])
            break;
        path += len + 1;
    }
    return place;
}

/* What the annotation PART.fluxcd.io/ALIAS says; no node if there is none, -1 if there is nothing where it points. */
static int find_named(struct container_reader *reader, const struct entry *entry, const char *part,
                      struct manifest_place *out, struct error *err)
{
    AUTO_FREE char *key = xasprintf("%s.fluxcd.io/%s", part, entry->name);
    const char *path = resource_annotation(reader->resource, key);
    if (!path)
        return 0;
    *out = find_path(entry->place, path);
    bool is_tag = strcmp(part, "tag") == 0;
    if (is_tag ? text_of(out->node) != NULL : is_string(out->node))
        return 0;
    return error_set(err, ERROR_INVALID, "%s names spec.values.%s, where there is no %s", key, path,
                     is_tag ? "tag" : "string");
}

static void read_mapping(struct container_reader *reader, const struct entry *entry)
{
    struct parts parts = {.image = {.node = NULL}};
    struct error err = ERROR_INIT;
    if (find_named(reader, entry, "repository", &parts.image, &err) < 0 ||
        find_named(reader, entry, "registry", &parts.registry, &err) < 0 ||
        find_named(reader, entry, "tag", &parts.tag, &err) < 0)
        container_add(reader, entry->name, entry->mapping->line)->problem = err;
    else
        add_image(reader, entry->name, &parts);
}

void manifest_read_values(struct container_reader *reader, struct manifest_place values)
{
    struct entry_list list = {.items = NULL, .values = values};
    if (yaml_get(values.node, "image"))
        add_entry(&list, TOP_LEVEL, values, NULL);
    yaml_each_pair(values.node, add_child, &list);
    add_mappings(&list, reader->resource);
    if (list.len)
        qsort(list.items, list.len, sizeof(*list.items), compare_entries);
    for (size_t i = 0; i < list.len; i++) {
        const struct entry *entry = &list.items[i];
        if (i && strcmp(entry->name, entry[-1].name) == 0)
            continue;
        if (entry->mapping)
            read_mapping(reader, entry);
        else
            read_found(reader, entry);
    }
    free(list.items);
}
