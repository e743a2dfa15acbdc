#include "model/manifest_kustomization.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strmap.h"
#include "model/manifest_file.h"
#include "model/manifest_kinds.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool manifest_path_is_kustomization(const char *path)
{
    static const char *const names[] = {"kustomization.yaml", "kustomization.yml", "Kustomization"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!strcmp(base_name(path), names[i]))
            return true;
    }
    return false;
}

bool manifest_is_kustomization(const char *path, const struct yaml_node *root)
{
    const char *api_version = yaml_text(yaml_get(root, "apiVersion"));
    const char *kind = yaml_text(yaml_get(root, "kind"));
    if (!api_version)
        return manifest_path_is_kustomization(path) && (!kind || !strcmp(kind, "Kustomization"));
    return kind_is_tool_input(api_version, kind ? kind : "");
}

static const struct yaml_node *images_of(const struct yaml_node *root)
{
    const struct yaml_node *images = yaml_resolve(yaml_get(root, "images"));
    return images && images->kind == YAML_SEQUENCE ? images : NULL;
}

bool manifest_kustomization_has_images(const struct yaml_node *root)
{
    const struct yaml_node *images = images_of(root);
    return images && images->len > 0;
}

char *manifest_kustomization_name(const char *path, const struct yaml_node *root)
{
    const char *given = yaml_text(yaml_path(root, "metadata", "name", NULL));
    if (given && *given)
        return xstrdup(given);
    const char *base = base_name(path);
    if (base == path)
        return xstrdup("root");
    AUTO_FREE char *directory = xmemdupz(path, (size_t)(base - path) - 1);
    return manifest_name_of_path(directory);
}

/* A field of an entry: its scalar, which may be empty; NULL if it is missing. */
static int read_field(const struct yaml_node *entry, const char *key, const struct yaml_node **out,
                      struct container *container)
{
    const struct yaml_node *written = yaml_get(entry, key), *node = yaml_resolve(written);
    *out = node;
    container->is_alias = container->is_alias || (node && node != written);
    bool is_scalar = node && node->kind == YAML_SCALAR && strlen(node->value) == node->value_len;
    return !node || is_scalar ? 0 : error_set(&container->problem, ERROR_INVALID, "%s must be a string", key);
}

/* The text of a field; "" where it is missing, null or empty, which is the same to kustomize. */
static const char *text_of(const struct yaml_node *node)
{
    const char *text = yaml_text(node);
    return text ? text : "";
}

/* True if a tag or digest is written with the name, which newTag and digest would come to stand behind. */
static bool is_whole_reference(const char *name)
{
    CLEANUP(image_ref_release) struct image_ref ref = IMAGE_REF_INIT;
    struct error ignored = ERROR_INIT;
    return image_ref_parse(name, &ref, &ignored) == 0 && (ref.tag || ref.digest);
}

static int put_together(struct container *container)
{
    const char *name = container->image_node->value;
    if (is_whole_reference(name))
        return error_set(&container->problem, ERROR_INVALID,
                         "%s %.300s has a tag or digest; write it as newTag or digest",
                         container->is_name_fixed ? "the name" : "newName", name);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    const char *tag = text_of(container->tag_node), *digest = text_of(container->digest_node);
    strbuf_addf(&text, "%s%s%s%s%s", name, *tag ? ":" : "", tag, *digest ? "@" : "", digest);
    return image_ref_parse(text.buf, &container->image, &container->problem);
}

static int line_of(const struct container *container, const struct yaml_node *entry)
{
    const struct yaml_node *const nodes[] = {container->tag_node, container->digest_node,
                                             container->image_node, entry};
    size_t i = 0;
    while (!nodes[i])
        i++;
    return nodes[i]->line;
}

static int read_entry(struct container *container, const struct yaml_node *written)
{
    const struct yaml_node *entry = yaml_resolve(written), *name, *new_name;
    *container = (struct container){.name = "", .line = entry->line, .image = IMAGE_REF_INIT};
    container->is_alias = entry != written;
    if (read_field(entry, "name", &name, container) < 0)
        return -1;
    if (!*text_of(name))
        return error_set(&container->problem, ERROR_INVALID, "the entry has no name");
    container->name = *base_name(name->value) ? base_name(name->value) : name->value;
    if (read_field(entry, "newName", &new_name, container) < 0 ||
        read_field(entry, "newTag", &container->tag_node, container) < 0 ||
        read_field(entry, "digest", &container->digest_node, container) < 0)
        return -1;
    container->is_name_fixed = !*text_of(new_name);
    container->image_node = container->is_name_fixed ? name : new_name;
    container->entry_node = entry;
    container->entry_name = name->value;
    container->line = line_of(container, entry);
    if (!*text_of(container->tag_node) && *text_of(yaml_resolve(yaml_get(entry, "tagSuffix"))))
        return error_set(&container->problem, ERROR_UNSUPPORTED,
                         "a tagSuffix without a newTag is not followed; write the whole tag as newTag");
    return put_together(container);
}

/* Which of two a policy is for cannot be told, but a marker stands behind the one that it is for. */
static void find_clashes(struct resource *resource)
{
    CLEANUP(strmap_release) struct strmap names = STRMAP_INIT;
    for (size_t i = 0; i < resource->containers_len; i++) {
        struct container *container = &resource->containers[i];
        struct container *other = strmap_get(&names, container->name);
        if (!*container->name)
            continue;
        if (!other) {
            strmap_set(&names, container->name, container);
            continue;
        }
        struct container *const both[] = {other, container};
        for (size_t k = 0; k < ARRAY_LEN(both); k++) {
            if (both[k]->problem.code == ERROR_NONE)
                error_set(&both[k]->problem, ERROR_CONFLICT,
                          "more than one entry is called %s; say which policy is whose with a marker behind "
                          "each newTag: \"# pawl: REPOSITORY POLICY\"",
                          container->name);
        }
    }
}

void manifest_read_kustomization(struct resource *resource)
{
    const struct yaml_node *images = images_of(resource->node);
    resource->is_workload = true;
    resource->containers = xcalloc(images->len, sizeof(*resource->containers));
    resource->containers_len = images->len;
    for (size_t i = 0; i < images->len; i++)
        read_entry(&resource->containers[i], images->items[i]);
    find_clashes(resource);
}

struct path_list {
    const char **items;
    size_t len, capacity;
};

static void add_path(struct path_list *list, const struct yaml_node *node)
{
    const char *path = yaml_text(node);
    if (!path)
        return;
    vec_grow(list->items, list->len, list->capacity);
    list->items[list->len++] = path;
}

/* The strings in the list that `root` has under `key`; with `field` those of its items. */
static void add_paths(struct path_list *list, const struct yaml_node *root, const char *key,
                      const char *field)
{
    const struct yaml_node *items = yaml_resolve(yaml_get(root, key));
    for (size_t i = 0; items && items->kind == YAML_SEQUENCE && i < items->len; i++)
        add_path(list, field ? yaml_get(items->items[i], field) : items->items[i]);
}

void manifest_read_below(struct manifest_file *file)
{
    const struct yaml_node *root = file->yaml->len ? file->yaml->documents[0].root : NULL;
    struct path_list below = {.items = NULL}, patches = {.items = NULL};
    if (!root || !(manifest_path_is_kustomization(file->path) || manifest_is_kustomization(file->path, root)))
        return;
    add_paths(&below, root, "resources", NULL);
    add_paths(&below, root, "bases", NULL);
    file->components_at = below.len;
    add_paths(&below, root, "components", NULL);
    add_paths(&patches, root, "patches", "path");
    add_paths(&patches, root, "patches", NULL); /* as before kustomize 2 */
    add_paths(&patches, root, "patchesStrategicMerge", NULL);
    add_paths(&patches, root, "patchesJson6902", "path");
    file->below = below.items;
    file->below_len = below.len;
    file->patches = patches.items;
    file->patches_len = patches.len;
}
