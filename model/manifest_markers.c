/*
 * A marker belongs to the scalar that ends last before it on its line. The walk over the nodes comes by in the order
 * of the text, so each value looks for the first marker behind it and takes it if nothing else stands between.
 */
#include "model/manifest_markers.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "model/chart_ref.h"
#include "model/manifest_file.h"
#include "model/marker_text.h"

struct marking {
    struct manifest_file *file;
    const char *default_space;
    size_t resources_capacity;
    struct marker_list markers;
    size_t document;
    size_t resource; /* the first that may still begin */
    size_t inside;   /* the resource that is being walked, or SIZE_MAX */
    struct strbuf path;
};

/* -- what a marker says ------------------------------------------------------------------------------------- */

/* A Docker Hub image could be called "1.2.3", but a tag whose repository was forgotten is called that. */
static bool looks_like_tag(const struct image_ref *image)
{
    const char *text = image->text;
    size_t v = *text == 'v';
    return !image->tag && !image->digest && !strchr(text, '/') && text[v] >= '0' && text[v] <= '9';
}

static int read_whole(const char *value, struct image_ref *out, struct error *err)
{
    if (image_ref_parse(value, out, err) < 0)
        return -1;
    if (!looks_like_tag(out))
        return 0;
    image_ref_release(out);
    *out = (struct image_ref)IMAGE_REF_INIT;
    return error_set(err, ERROR_INVALID,
                     "the marked value %s looks like a tag alone; write its repository before the policy: "
                     "\"# pawl: REPOSITORY POLICY\"",
                     value);
}

static int read_tag(const char *repository, const char *value, struct image_ref *out, struct error *err)
{
    CLEANUP(image_ref_release) struct image_ref name = IMAGE_REF_INIT;
    if (image_ref_parse_any(repository, &name, err) < 0)
        return error_wrap(err, "the repository of the marker");
    if (name.tag || name.digest)
        return error_set(err, ERROR_INVALID,
                         "the marker names a repository with a tag or digest; \"%.*s\" is enough",
                         (int)name.name_len, name.text);
    AUTO_FREE char *whole = xasprintf("%s:%s", repository, value);
    if (name.is_chart && !chart_version_is_exact(value))
        return error_set(err, ERROR_UNSUPPORTED,
                         "the marked version %s is a range, which Helm follows by itself; write an exact one",
                         value);
    return image_ref_parse_any(whole, out, err);
}

/* -- whose container it is ---------------------------------------------------------------------------------- */

static struct resource *resource_of_file(struct marking *m)
{
    struct manifest_file *file = m->file;
    size_t last = file->resources_len;
    if (last && !file->resources[last - 1].is_applied && !strcmp(file->resources[last - 1].kind, "File"))
        return &file->resources[last - 1];
    AUTO_FREE char *name = manifest_name_of_path(file->path);
    struct resource *resource = manifest_file_add_resource(file, &m->resources_capacity);
    *resource = (struct resource){.api_version = "",
                                  .kind = "File",
                                  .node = file->yaml->documents[m->document].root,
                                  .file = file,
                                  .document = m->document,
                                  .line = 1,
                                  .is_workload = true};
    resource_id_init(&resource->id, m->default_space, "File", name);
    return resource;
}

static bool is_part(const struct container *container, const struct yaml_node *node)
{
    return container->image_node == node || container->tag_node == node || container->digest_node == node;
}

static struct container *find_container(struct resource *resource, const struct yaml_node *node)
{
    for (size_t i = 0; i < resource->containers_len; i++) {
        if (is_part(&resource->containers[i], node))
            return &resource->containers[i];
    }
    return NULL;
}

/* Keys with dots in them can make two paths look the same. */
static bool has_name(const struct resource *resource, const char *name)
{
    for (size_t i = 0; i < resource->containers_len; i++) {
        if (!strcmp(resource->containers[i].name, name))
            return true;
    }
    return false;
}

static struct container *add_container(struct marking *m, struct resource *resource)
{
    resource->containers =
        xreallocarray(resource->containers, resource->containers_len + 1, sizeof(*resource->containers));
    struct container *container = &resource->containers[resource->containers_len++];
    *container = (struct container){.image = IMAGE_REF_INIT};
    bool is_own = !strcmp(resource->kind, "File") && m->document > 0;
    AUTO_FREE char *name =
        is_own ? xasprintf("%zu.%s", m->document, m->path.buf) : xstrdup(m->path.len ? m->path.buf : "value");
    container->name = arena_strdup(&m->file->yaml->arena, name);
    resource->is_workload = true;
    return container;
}

/* A container that the object has anyway: the marker gives it its policy, and must mean the same image. */
static int mark_known(struct container *container, bool is_entry, const struct marker_meaning *meaning,
                      struct error *err)
{
    container->policy_text = meaning->policy;
    if (is_entry && container->problem.code == ERROR_CONFLICT)
        error_clear(&container->problem); /* which of two entries a policy is for is clear now */
    if (!meaning->repository || !container->image.text)
        return 0;
    CLEANUP(image_ref_release) struct image_ref named = IMAGE_REF_INIT;
    if (image_ref_parse_any(meaning->repository, &named, err) < 0)
        return error_wrap(err, "the repository of the marker");
    if (!strcmp(named.host, container->image.host) && !strcmp(named.path, container->image.path))
        return 0;
    return error_set(err, ERROR_INVALID, "the marker is for %s, and the image here is of %.*s",
                     meaning->repository, (int)container->image.name_len, container->image.text);
}

/* The bytes of "NAME=" before what is marked: neither references nor tags have a "=". */
static size_t prefix_length(const char *value)
{
    const char *equals = strrchr(value, '=');
    return equals ? (size_t)(equals - value) + 1 : 0;
}

/* "spec.containers.0.image": kustomize's images reach such a list in any object. */
static bool is_in_list(const char *path)
{
    AUTO_FREE char *list = xasprintf(".%s", path);
    char *last = strrchr(list, '.');
    if (strcmp(last, ".image") != 0)
        return false;
    *last = '\0';
    last = strrchr(list, '.');
    if (!last || last[1 + strspn(last + 1, "0123456789")])
        return false;
    *last = '\0';
    return str_ends_with(list, ".containers") || str_ends_with(list, ".initContainers");
}

static int mark_new(struct container *container, const struct yaml_node *node,
                    const struct marker_meaning *meaning, struct error *err)
{
    const char *value = yaml_text(node);
    container->line = node->line;
    container->policy_text = meaning->policy;
    container->image_node = meaning->repository ? NULL : node;
    container->tag_node = meaning->repository ? node : NULL;
    container->prefix_len = value ? prefix_length(value) : 0;
    value = value ? value + container->prefix_len : "";
    if (!*value)
        return error_set(err, ERROR_INVALID, "the marked value is empty");
    int status = meaning->repository ? read_tag(meaning->repository, value, &container->image, err)
                                     : read_whole(value, &container->image, err);
    if (status < 0)
        container->image_node = NULL; /* what it is nobody knows, so nothing is written over it */
    return status;
}

static int attach_to(struct marking *m, struct resource *resource, const struct yaml_node *node,
                     const struct marker_meaning *meaning, struct error *err)
{
    struct container *container = find_container(resource, node);
    if (!container && has_name(resource, m->path.buf))
        return error_set(err, ERROR_INVALID, "two marked values of %s would be called %s", resource->id.name,
                         m->path.buf);
    bool is_known = container != NULL;
    if (!container) {
        container = add_container(m, resource);
        container->is_in_list = is_in_list(m->path.buf);
    }
    if ((is_known ? mark_known(container, !resource->is_applied, meaning, err)
                  : mark_new(container, node, meaning, err)) == 0)
        return 0;
    container->problem = *err;
    return -1;
}

static void attach(struct marking *m, struct marker *marker, const struct yaml_node *node)
{
    struct error err = ERROR_INIT;
    struct marker_meaning meaning;
    marker->is_done = true;
    if (node->kind == YAML_ALIAS)
        error_set(&err, ERROR_INVALID, "the marked value is an alias; mark where its text is written");
    if (err.code != ERROR_NONE || marker_read(m->file, marker, &meaning, &err) < 0) {
        manifest_file_add_problem(m->file, marker->line, NULL, xstrdup(err.text));
        return;
    }
    struct resource *resource = m->inside == SIZE_MAX ? resource_of_file(m) : &m->file->resources[m->inside];
    bool is_said_later = !resource->is_applied && strcmp(resource->kind, "File") != 0; /* a kustomization's */
    if (attach_to(m, resource, node, &meaning, &err) < 0 && !is_said_later)
        manifest_file_add_problem(m->file, marker->line, resource_id_text(&resource->id), xstrdup(err.text));
}

/* -- the walk ----------------------------------------------------------------------------------------------- */

/* Text that looks like a marker; behind a block scalar's "|" it was meant as one. */
static void pass_over_inside(struct marking *m, const struct yaml_node *node)
{
    bool is_block = node->style == YAML_LITERAL || node->style == YAML_FOLDED;
    for (size_t i = marker_list_from(&m->markers, node->start);
         i < m->markers.len && m->markers.items[i].start < node->end; i++)
        m->markers.items[i].is_done = !is_block || m->markers.items[i].line != node->line;
}

static void visit_value(struct marking *m, const struct yaml_node *node)
{
    const char *text = m->file->text;
    bool is_block = node->kind == YAML_SCALAR && (node->style == YAML_LITERAL || node->style == YAML_FOLDED);
    if (node->kind == YAML_SCALAR)
        pass_over_inside(m, node);
    size_t at = marker_list_from(&m->markers, node->end);
    if (is_block || at == m->markers.len || m->markers.items[at].is_done)
        return;
    size_t end = m->markers.items[at].start;
    for (size_t i = node->end; i < end; i++) {
        if (!strchr(" \t,]}", text[i]))
            return;
    }
    attach(m, &m->markers.items[at], node);
}

/* The resource that this mapping is, or the one around it. */
static size_t resource_at(struct marking *m, const struct yaml_node *node)
{
    const struct manifest_file *file = m->file;
    while (m->resource < file->resources_len && (file->resources[m->resource].document < m->document ||
                                                 (file->resources[m->resource].document == m->document &&
                                                  file->resources[m->resource].node->start < node->start)))
        m->resource++;
    return m->resource < file->resources_len && file->resources[m->resource].node == node ? m->resource
                                                                                          : m->inside;
}

static void walk(struct marking *m, const struct yaml_node *node);

static void walk_child(struct marking *m, const char *key, const struct yaml_node *child)
{
    size_t len = m->path.len;
    strbuf_addf(&m->path, "%s%s", len ? "." : "", key);
    walk(m, child);
    m->path.len = len;
    if (m->path.size)
        m->path.buf[len] = '\0';
}

static void walk_mapping(struct marking *m, const struct yaml_node *node)
{
    for (size_t i = 0; i + 1 < node->len; i += 2) {
        const struct yaml_node *key = node->items[i];
        if (key->kind == YAML_SCALAR)
            pass_over_inside(m, key);
        const char *name = yaml_text(key);
        walk_child(m, name ? name : "?", node->items[i + 1]);
    }
}

static void walk_sequence(struct marking *m, const struct yaml_node *node)
{
    for (size_t i = 0; i < node->len; i++) {
        AUTO_FREE char *key = xasprintf("%zu", i);
        walk_child(m, key, node->items[i]);
    }
}

static void walk(struct marking *m, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR || node->kind == YAML_ALIAS) {
        visit_value(m, node);
        return;
    }
    if (node->kind == YAML_SEQUENCE) {
        walk_sequence(m, node);
        return;
    }
    size_t around = m->inside, inside = resource_at(m, node);
    if (inside == around) {
        walk_mapping(m, node);
        return;
    }
    struct strbuf path = m->path;
    m->path = (struct strbuf)STRBUF_INIT;
    m->inside = inside;
    walk_mapping(m, node);
    m->inside = around;
    strbuf_release(&m->path);
    m->path = path;
}

/* What is in a broken document is not known; its own problem says so. */
static void pass_over_document(struct marking *m, const struct yaml_document *document)
{
    for (size_t i = marker_list_from(&m->markers, document->start);
         i < m->markers.len && m->markers.items[i].start < document->end; i++)
        m->markers.items[i].is_done = true;
}

static void walk_documents(struct marking *m)
{
    const struct yaml_stream *yaml = m->file->yaml;
    for (m->document = 0; m->document < yaml->len; m->document++) {
        const struct yaml_document *document = &yaml->documents[m->document];
        m->inside = SIZE_MAX;
        if (document->error.code != ERROR_NONE)
            pass_over_document(m, document);
        else if (document->root)
            walk(m, document->root);
    }
}

static void report_lonely(struct marking *m)
{
    for (size_t i = 0; i < m->markers.len; i++) {
        if (!m->markers.items[i].is_done)
            manifest_file_add_problem(m->file, m->markers.items[i].line, NULL,
                                      xstrdup("the marker has no value before it on its line; it belongs "
                                              "behind the image or tag, which must be in one piece"));
    }
}

void manifest_read_markers(struct manifest_file *file, const char *default_space, size_t resources_capacity)
{
    marker_report_flux2(file);
    struct marking m = {.file = file,
                        .default_space = default_space,
                        .resources_capacity = resources_capacity,
                        .path = STRBUF_INIT};
    marker_list_find(&m.markers, file);
    if (m.markers.len) {
        walk_documents(&m);
        report_lonely(&m);
    }
    free(m.markers.items);
    strbuf_release(&m.path);
}
