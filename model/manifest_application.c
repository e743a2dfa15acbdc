#include "model/manifest_application.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "base/strmap.h"
#include "base/yaml_embedded.h"
#include "model/manifest_chart.h"
#include "model/manifest_values.h"

#define TOP_LEVEL "chart-image"

/* What the name of a parameter ends with if it is an image's name, and what its other parts end with then. */
static const struct parameter_form {
    const char *image, *registry, *tag, *digest;
    bool is_repository;
} parameter_forms[] = {
    {"image.repository", "image.registry", "image.tag", "image.digest", true},
    {"image", "registry", "tag", "digest", false},
};

struct parameters {
    struct manifest_place list;
    struct strmap values; /* name -> struct manifest_place */
};

/* The last of a name counts, as in Helm. */
static void index_parameters(struct parameters *p)
{
    const struct yaml_node *items = yaml_resolve(p->list.node);
    strmap_init(&p->values, free);
    for (size_t i = 0; i < items->len; i++) {
        struct manifest_place item = manifest_place_of(p->list, items->items[i]);
        const char *name = yaml_text(yaml_get(item.node, "name"));
        struct manifest_place value = manifest_place_get(item, "value");
        if (!name || !yaml_text(value.node))
            continue;
        struct manifest_place *kept = xmalloc(sizeof(*kept));
        *kept = value;
        strmap_set(&p->values, name, kept);
    }
}

/* The value of "PREFIX" and the ending; nothing if there is none. Marks its container as sharing what an alias does. */
static const struct yaml_node *part(const struct parameters *p, const char *prefix, size_t prefix_len,
                                    const char *ending, bool *is_alias)
{
    AUTO_FREE char *name = xasprintf("%.*s%s", (int)prefix_len, prefix, ending);
    const struct manifest_place *place = strmap_get(&p->values, name);
    *is_alias = *is_alias || (place && place->is_alias);
    return place ? yaml_resolve(place->node) : NULL;
}

static int put_together(struct container *container)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    const char *registry = yaml_text(container->registry_node), *tag = yaml_text(container->tag_node);
    const char *digest = yaml_text(container->digest_node);
    strbuf_addf(&text, "%s%s%s", registry && *registry ? registry : "", registry && *registry ? "/" : "",
                container->image_node->value);
    if (tag && *tag)
        strbuf_addf(&text, ":%s", tag);
    if (digest && *digest)
        strbuf_addf(&text, "@%s", digest);
    return image_ref_parse(text.buf, &container->image, &container->problem);
}

/* "web." is web; nothing is the chart's own image. Kept by the file. */
static const char *name_of(const struct container_reader *reader, const char *prefix, size_t len)
{
    if (!len)
        return TOP_LEVEL;
    return arena_memdupz(&reader->resource->file->yaml->arena, prefix, len - 1);
}

static bool has_ending(const char *name, const char *ending, size_t *prefix_len)
{
    if (!str_ends_with(name, ending))
        return false;
    *prefix_len = strlen(name) - strlen(ending);
    return !*prefix_len || (*prefix_len > 1 && name[*prefix_len - 1] == '.');
}

/* A parameter that is an image by its name. A text that is no reference is some chart's own setting, as in values. */
static void read_parameter(struct container_reader *reader, const struct parameters *p, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(parameter_forms); i++) {
        const struct parameter_form *form = &parameter_forms[i];
        size_t len;
        if (!has_ending(name, form->image, &len))
            continue;
        struct container found = {.image = IMAGE_REF_INIT, .is_repository = form->is_repository};
        found.image_node = part(p, name, len, form->image, &found.is_alias);
        found.registry_node = part(p, name, len, form->registry, &found.is_alias);
        found.tag_node = part(p, name, len, form->tag, &found.is_alias);
        found.digest_node = part(p, name, len, form->digest, &found.is_alias);
        bool is_alone = !found.registry_node && !found.tag_node && !found.digest_node;
        if (!*found.image_node->value || (put_together(&found) < 0 && is_alone))
            return;
        struct container *container =
            container_add(reader, name_of(reader, name, len), found.image_node->line);
        found.name = container->name;
        found.line = (found.tag_node ? found.tag_node : found.image_node)->line;
        *container = found;
        return;
    }
}

static void read_parameters(struct container_reader *reader, struct manifest_place list)
{
    const struct yaml_node *items = yaml_resolve(list.node);
    if (!items || items->kind != YAML_SEQUENCE)
        return;
    struct parameters p = {.list = list};
    index_parameters(&p);
    for (size_t i = 0; i < items->len; i++) {
        const char *name = yaml_text(yaml_get(items->items[i], "name"));
        const struct manifest_place *place = name ? strmap_get(&p.values, name) : NULL;
        if (place && place->node == yaml_get(items->items[i], "value"))
            read_parameter(reader, &p, name);
    }
    strmap_release(&p.values);
}

/* "NAME=NEWNAME:TAG" */
static void read_kustomize_image(struct container_reader *reader, struct manifest_place item)
{
    const struct yaml_node *node = yaml_resolve(item.node);
    const char *text = yaml_text(node);
    struct container *container = container_add(reader, "", node->line);
    container->is_alias = item.is_alias;
    if (!text) {
        error_set(&container->problem, ERROR_INVALID, "an image of kustomize.images must be a string");
        return;
    }
    size_t name = strcspn(text, "=");
    container->image_node = node;
    container->prefix_len = text[name] ? name + 1 : 0;
    int status = image_ref_parse(text + container->prefix_len, &container->image, &container->problem);
    if (!container->prefix_len)
        name = status == 0 ? container->image.name_len : strcspn(text, ":@");
    size_t last = name;
    while (last && text[last - 1] != '/')
        last--;
    container->name = arena_memdupz(&reader->resource->file->yaml->arena, text + last, name - last);
}

static bool is_automated(const struct resource *resource)
{
    for (size_t i = 0; i < resource->annotations_len; i++) {
        if (str_ends_with(resource->annotations[i].key, "/automated") &&
            !strcmp(resource->annotations[i].value, "true"))
            return true;
    }
    return false;
}

/* YAML in a string. Who automates an Application may expect what is in it to be followed, and is told if it cannot be. */
static void read_text(struct container_reader *reader, struct manifest_place values)
{
    const struct manifest_file *file = reader->resource->file;
    const struct yaml_node *node = yaml_resolve(values.node), *root = NULL;
    const char *text = yaml_text(node);
    struct error err = ERROR_INIT;
    if (!text || !*text)
        return;
    if (yaml_embed(file->yaml, file->text, node, &root, &err) == 0) {
        if (root)
            manifest_read_values(reader, (struct manifest_place){.node = root, .is_alias = values.is_alias});
        return;
    }
    if (is_automated(reader->resource))
        error_set(
            &container_add(reader, "helm.values", node->line)->problem, err.code,
            "images in helm.values are not followed: %s; valuesObject and parameters can be written instead",
            err.text);
}

static void read_source(struct container_reader *reader, struct manifest_place source)
{
    struct manifest_place helm = manifest_place_get(source, "helm");
    read_text(reader, manifest_place_get(helm, "values"));
    read_parameters(reader, manifest_place_get(helm, "parameters"));
    struct manifest_place values = manifest_place_get(helm, "valuesObject");
    if (values.node)
        manifest_read_values(reader, values);
    struct manifest_place images = manifest_place_get(manifest_place_get(source, "kustomize"), "images");
    const struct yaml_node *items = yaml_resolve(images.node);
    for (size_t i = 0; items && items->kind == YAML_SEQUENCE && i < items->len; i++)
        read_kustomize_image(reader, manifest_place_of(images, items->items[i]));
}

void manifest_read_application(struct container_reader *reader, struct manifest_place spec)
{
    struct manifest_place source = manifest_place_get(spec, "source");
    struct manifest_place sources = manifest_place_get(spec, "sources");
    const struct yaml_node *items = yaml_resolve(sources.node);
    if (source.node)
        read_source(reader, source);
    for (size_t i = 0; items && items->kind == YAML_SEQUENCE && i < items->len; i++)
        read_source(reader, manifest_place_of(sources, items->items[i]));
    manifest_read_application_charts(reader, spec);
}
