#include "model/manifest_chart.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "model/chart_ref.h"
#include "model/manifest_file.h"
#include "model/manifest_tree.h"

#define CONTAINER      "chart"
#define HELMREPOSITORY "HelmRepository"

/* The keys that name a chart in a mapping, or in the one at `base` in it. */
static const struct chart_form {
    const char *base[2];
    const char *repository; /* its URL, or a sourceRef */
    const char *name;       /* NULL: the URL has it */
    const char *version[2];
    bool is_source; /* `repository` is a sourceRef */
    bool is_tag;    /* the version may be any tag, and never is a range */
} forms[] = {
    {{"chart"}, "repository", "name", {"version"}, false, false},
    {{"chart", "spec"}, "sourceRef", "chart", {"version"}, true, false},
    {{NULL}, "sourceRef", "chart", {"version"}, true, false},
    {{NULL}, "repoURL", "chart", {"targetRevision"}, false, false},
    {{NULL}, "repo", "chart", {"version"}, false, false},
    {{NULL}, "chart", NULL, {"version"}, false, false},
    {{NULL}, "url", NULL, {"ref", "tag"}, false, true},
};

/* -- in one object ------------------------------------------------------------------------------------------- */

static struct manifest_place follow(struct manifest_place place, const char *const keys[2])
{
    for (size_t i = 0; i < 2 && keys[i]; i++)
        place = manifest_place_get(place, keys[i]);
    return place;
}

/* True if the form's repository, and the chart's name where it is apart, are written at `base`. */
static bool fits(const struct chart_form *form, struct manifest_place base)
{
    const struct yaml_node *repository = yaml_resolve(yaml_get(base.node, form->repository));
    bool has_repository =
        form->is_source ? repository && repository->kind == YAML_MAPPING : yaml_text(repository) != NULL;
    return has_repository && (!form->name || yaml_text(yaml_get(base.node, form->name)));
}

static const struct chart_form *find_form(struct manifest_place place, struct manifest_place *base)
{
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        *base = follow(place, forms[i].base);
        if (fits(&forms[i], *base))
            return &forms[i];
    }
    return NULL;
}

/* Why there is no chart whose versions could be asked for. */
static int refuse_form(struct manifest_place place, struct error *err)
{
    struct manifest_place chart = manifest_place_get(place, "chart");
    if (yaml_get(place.node, "chartRef"))
        return error_set(err, ERROR_UNSUPPORTED,
                         "the version is in the object that chartRef names; put the policy there");
    if (yaml_get(chart.node, "git") || yaml_get(chart.node, "path"))
        return error_set(err, ERROR_UNSUPPORTED, "the chart is from git, where it has no versions to follow");
    return error_set(err, ERROR_UNSUPPORTED, "no chart and its Helm repository are named here");
}

/* The version that is written; NULL if none can be followed. */
static const char *read_version(const struct chart_form *form, const struct yaml_node *node,
                                struct error *err)
{
    const char *text = yaml_text(node);
    if (!text || !*text)
        error_set(err, ERROR_NOT_FOUND,
                  "no version is written, so Helm takes the newest by itself; write the one that runs");
    else if (!form->is_tag && !chart_version_is_exact(text))
        error_set(err, ERROR_UNSUPPORTED,
                  "the version is a range (%.100s), which Helm follows by itself; write an exact one (1.2.3)",
                  text);
    else
        return text;
    return NULL;
}

/* A sourceRef, to be found later. */
static int read_source(struct container_reader *reader, struct container *container,
                       const struct yaml_node *ref, const char *name, struct error *err)
{
    const char *kind = yaml_text(yaml_get(ref, "kind")), *repository = yaml_text(yaml_get(ref, "name"));
    const char *space = yaml_text(yaml_get(ref, "namespace"));
    if (!kind || strcmp(kind, HELMREPOSITORY) != 0)
        return error_set(err, ERROR_UNSUPPORTED,
                         "the chart is from a %.100s; only versions of a HelmRepository are followed",
                         kind && *kind ? kind : "source without a kind");
    if (!repository || !*repository)
        return error_set(err, ERROR_INVALID, "the sourceRef has no name");
    container->chart = (struct chart_source){.space = space && *space ? space : reader->resource->id.space,
                                             .repository = repository,
                                             .name = name};
    container->image.is_chart = true;
    return 0;
}

static int read_form(struct container_reader *reader, struct container *container,
                     struct manifest_place place, struct error *err)
{
    struct manifest_place base;
    const struct chart_form *form = find_form(place, &base);
    if (!form)
        return refuse_form(place, err);
    struct manifest_place version = follow(base, form->version);
    const char *name = form->name ? yaml_text(yaml_get(base.node, form->name)) : NULL;
    const struct yaml_node *repository = yaml_get(base.node, form->repository);
    container->tag_node = yaml_resolve(version.node);
    container->is_alias = version.is_alias;
    container->line = (container->tag_node ? container->tag_node : yaml_resolve(base.node))->line;
    const char *text = read_version(form, version.node, err);
    if (!text)
        return -1;
    if (form->is_source)
        return read_source(reader, container, repository, name, err);
    return chart_ref_make(yaml_text(repository), name, text, &container->image, err);
}

static bool has_container(const struct resource *resource, const char *name)
{
    for (size_t i = 0; i < resource->containers_len; i++) {
        if (!strcmp(resource->containers[i].name, name))
            return true;
    }
    return false;
}

static bool is_asked_for(const struct resource *resource, const char *name)
{
    static const char *const prefixes[] = {"pawl.dev/tag.", "fluxcd.io/tag.", "filter.fluxcd.io/"};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        AUTO_FREE char *key = xasprintf("%s%s", prefixes[i], name);
        if (resource_annotation(resource, key))
            return true;
    }
    return false;
}

static void read_chart(struct container_reader *reader, struct manifest_place place, const char *name)
{
    if (!is_asked_for(reader->resource, name) || has_container(reader->resource, name))
        return;
    struct container *container = container_add(reader, name, yaml_resolve(place.node)->line);
    struct error err = ERROR_INIT;
    if (read_form(reader, container, place, &err) < 0)
        container->problem = err;
}

void manifest_read_chart(struct container_reader *reader, struct manifest_place place)
{
    read_chart(reader, place, CONTAINER);
}

/* The sources of an Application: the one, or those of the list. */
static struct manifest_place source_at(struct manifest_place spec, size_t index)
{
    struct manifest_place one = manifest_place_get(spec, "source"),
                          list = manifest_place_get(spec, "sources");
    const struct yaml_node *items = yaml_resolve(list.node);
    if (one.node && !index)
        return one;
    index -= one.node != NULL;
    if (!items || items->kind != YAML_SEQUENCE || index >= items->len)
        return (struct manifest_place){.node = NULL};
    return manifest_place_of(list, items->items[index]);
}

static const char *chart_of(struct manifest_place source)
{
    const char *name = yaml_text(yaml_get(source.node, "chart"));
    return name && *name ? name : NULL;
}

void manifest_read_application_charts(struct container_reader *reader, struct manifest_place spec)
{
    struct manifest_place first = source_at(spec, 0), source;
    size_t count = 0;
    for (size_t i = 0; (source = source_at(spec, i)).node; i++) {
        first = chart_of(source) && !count ? source : first;
        count += chart_of(source) != NULL;
    }
    if (count < 2) {
        if (first.node)
            read_chart(reader, first, CONTAINER);
        return;
    }
    for (size_t i = 0; (source = source_at(spec, i)).node; i++) {
        if (!chart_of(source))
            continue;
        AUTO_FREE char *name = xasprintf(CONTAINER ".%s", chart_of(source));
        read_chart(reader, source, arena_strdup(&reader->resource->file->yaml->arena, name));
    }
}

bool resource_has_chart(const struct resource *resource, const char *container)
{
    AUTO_FREE char *key = xasprintf("pawl.dev/tag.%s", container);
    struct annotation asking = {.key = key, .value = "", .line = resource->line};
    CLEANUP(manifest_tree_release) struct manifest_tree tree = {.file = NULL};
    const struct yaml_node *node = manifest_tree_object(&tree, resource);
    if (!node)
        return false;
    struct manifest_file file = *resource->file; /* as it is while it is read */
    file.yaml = tree.yaml;
    struct resource asked = *resource;
    asked.file = &file;
    asked.annotations = &asking;
    asked.annotations_len = 1;
    asked.containers = NULL;
    asked.containers_len = 0;
    manifest_read_containers(&asked, node);
    bool has = has_container(&asked, container);
    manifest_release_containers(&asked);
    return has;
}

void manifest_read_chart_url(struct resource *resource)
{
    if (!strcmp(resource->kind, HELMREPOSITORY))
        resource->url = yaml_text(yaml_path(resource->node, "spec", "url", NULL));
}

/* -- in a set ------------------------------------------------------------------------------------------------ */

static int find_source(const struct manifest_set *set, const struct chart_source *source,
                       const struct resource **out, const char **url, struct error *err)
{
    CLEANUP(resource_id_release) struct resource_id id = RESOURCE_ID_INIT;
    resource_id_init(&id, source->space, HELMREPOSITORY, source->repository);
    const struct resource *repository = manifest_set_find(set, &id);
    if (!repository)
        return error_set(
            err, ERROR_NOT_FOUND,
            "the HelmRepository %.100s/%.100s is not among the files that are read, or is there more than "
            "once; without its URL no versions are known",
            source->space, source->repository);
    *out = repository;
    *url = repository->url;
    if (!*url || !**url)
        return error_set(err, ERROR_INVALID, "%s:%d: the HelmRepository has no spec.url",
                         repository->file->path, repository->line);
    return 0;
}

static bool is_open(const struct container *container)
{
    return container->chart.name && container->problem.code == ERROR_NONE;
}

/* With the HelmRepositories of `known`. On -1 the container's problem says why. */
static int resolve_with(const struct manifest_set *known, struct container *container)
{
    const char *url = NULL;
    struct error *err = &container->problem;
    error_clear(err);
    if (find_source(known, &container->chart, &container->source, &url, err) < 0)
        return -1;
    return chart_ref_make(url, container->chart.name, container->tag_node->value, &container->image, err);
}

static void resolve(struct manifest_set *set, struct resource *resource, struct container *container)
{
    container->image = (struct image_ref)IMAGE_REF_INIT;
    container->image.is_chart = true;
    if (resolve_with(set, container) == 0)
        return;
    AUTO_FREE char *id = resource_id_text(&resource->id);
    AUTO_FREE char *message = xasprintf("container %s: %s", container->name, container->problem.text);
    manifest_set_add_problem(set, resource->file->path, container->line, id, message);
}

/* The set gets containers of its own: those of the file are of all commits that have it. */
static void resolve_all_of(struct manifest_set *set, struct resource *resource)
{
    size_t len = resource->containers_len;
    struct container *own = xcalloc(len, sizeof(*own));
    memcpy(own, resource->containers, len * sizeof(*own));
    resource->containers = own;
    vec_grow(set->charts, set->charts_len, set->charts_capacity);
    set->charts[set->charts_len++] = resource;
    for (size_t i = 0; i < len; i++) {
        if (is_open(&own[i]))
            resolve(set, resource, &own[i]);
    }
}

void manifest_charts_resolve(struct manifest_set *set)
{
    for (size_t i = 0; i < set->resources_len; i++) {
        struct resource *resource = set->resources[i];
        bool has_open = false;
        for (size_t k = 0; k < resource->containers_len; k++)
            has_open = has_open || is_open(&resource->containers[k]);
        if (has_open)
            resolve_all_of(set, resource);
    }
}

void manifest_charts_resolve_from(struct manifest_set *set, const struct manifest_set *known)
{
    for (size_t i = 0; i < set->charts_len; i++) {
        for (size_t k = 0; k < set->charts[i]->containers_len; k++) {
            struct container *container = &set->charts[i]->containers[k];
            if (container->chart.name && container->problem.code == ERROR_NOT_FOUND)
                (void)resolve_with(known, container);
        }
    }
}

void manifest_charts_release(struct manifest_set *set)
{
    for (size_t i = 0; i < set->charts_len; i++) {
        struct resource *resource = set->charts[i];
        for (size_t k = 0; k < resource->containers_len; k++) {
            if (resource->containers[k].chart.name)
                image_ref_release(&resource->containers[k].image);
        }
        free(resource->containers);
    }
    free(set->charts);
}

/* -- in history ---------------------------------------------------------------------------------------------- */

void manifest_chart_adopt(struct container *then, const struct container *now)
{
    const struct chart_source *a = &then->chart, *b = now ? &now->chart : NULL;
    bool is_same = a->name && b && b->name && !strcmp(a->space, b->space) &&
                   !strcmp(a->repository, b->repository) && !strcmp(a->name, b->name);
    if (!is_same || then->image.text || !now->image.text || !is_open(then))
        return;
    AUTO_FREE char *tag = chart_tag_of_version(then->tag_node->value);
    AUTO_FREE char *text = image_ref_with_tag(&now->image, tag);
    struct error err = ERROR_INIT;
    if (chart_ref_parse(text, &then->image, &err) < 0)
        then->problem = err;
}
