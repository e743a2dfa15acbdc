#include "updater/image_edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "updater/entry_edit.h"
#include "updater/pair_insert.h"

/* What the parts are to read as; NULL: it has no scalar. */
struct parts {
    char *registry, *image, *tag, *digest;
    char *new_tag; /* what has no scalar yet, and needs one of its own */
};

static void parts_release(struct parts *parts)
{
    free(parts->registry);
    free(parts->image);
    free(parts->tag);
    free(parts->digest);
    free(parts->new_tag);
}

/* The bytes of a name that are its host and the "/"; 0 if it begins with its path. */
static size_t host_length(const struct image_ref *ref, const char *name)
{
    const char *slash = strchr(name, '/');
    return slash && strcmp(ref->path, name) != 0 ? (size_t)(slash - name) + 1 : 0;
}

/* True if the registry is written as a host, and it is the new image's too, however that is written. */
static bool has_host_of(const struct container *container, const struct image_ref *to)
{
    const struct image_ref *from = &container->image;
    if (!from->text || strcmp(from->host, to->host) != 0)
        return false;
    AUTO_FREE char *name = xmemdupz(from->text, from->name_len);
    return host_length(from, name) == strlen(container->registry_node->value) + 1;
}

/* The name over the scalars of the registry and of the rest: the registry stays as written where it is the same. */
static void split_name(const struct container *container, const struct image_ref *to, const char *name,
                       struct parts *out)
{
    const char *written = container->registry_node->value;
    size_t len = strlen(written), host = host_length(to, name);
    if (strncmp(name, written, len) == 0 && name[len] == '/') {
        out->registry = xstrdup(written);
        host = len + 1;
    } else if (has_host_of(container, to)) {
        out->registry = xstrdup(written);
    } else {
        out->registry = host ? xmemdupz(name, host - 1) : xstrdup("docker.io");
    }
    out->image = xstrdup(name + host);
}

static void add_behind(char **text, char mark, const char *what)
{
    char *longer = xasprintf("%s%c%s", *text, mark, what);
    free(*text);
    *text = longer;
}

/* True if a tag must not go behind the name: the chart puts one there itself. */
static bool takes_no_tag(const struct container *container)
{
    bool is_pinned_there = container->image.digest && !container->digest_node;
    return container->is_repository && !container->tag_node && !container->image.tag && !is_pinned_there;
}

/* Each part behind the one before it, or in its own scalar. */
static int split(const struct container *container, const struct image_ref *to, struct parts *out,
                 struct error *err)
{
    AUTO_FREE char *name = xmemdupz(to->text, to->name_len);
    const struct image_ref *from = &container->image;
    bool is_same_name =
        from->text && from->name_len == to->name_len && strncmp(from->text, name, to->name_len) == 0;
    if (!container->image_node && !is_same_name)
        return error_set(err, ERROR_UNSUPPORTED,
                         "line %d, container %s: its repository has no field here that could become %s",
                         container->line, container->name, name);
    if (container->registry_node)
        split_name(container, to, name, out);
    else
        out->image = steal(&name);
    if (container->tag_node)
        out->tag = xstrdup(to->tag ? to->tag : "");
    else if (to->tag && takes_no_tag(container))
        out->new_tag = xstrdup(to->tag);
    else if (to->tag)
        add_behind(&out->image, ':', to->tag);
    if (container->digest_node)
        out->digest = xstrdup(to->digest ? to->digest : "");
    else if (to->digest)
        add_behind(out->tag ? &out->tag : out->new_tag ? &out->new_tag : &out->image, '@', to->digest);
    bool had_tag = container->tag_node && *container->tag_node->value;
    if (out->tag && !to->tag && (had_tag || *out->tag))
        return error_set(err, ERROR_UNSUPPORTED,
                         "line %d, container %s: the tag has a field of its own, and %s has no tag",
                         container->line, container->name, to->text);
    return 0;
}

/* The quotes of the other parts, so that new ones look like them. */
static char quotes_of(const struct container *container)
{
    const struct yaml_node *const nodes[] = {container->tag_node, container->image_node,
                                             container->registry_node, container->digest_node};
    for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
        if (nodes[i] && nodes[i]->style == YAML_SINGLE_QUOTED)
            return '\'';
        if (nodes[i] && nodes[i]->style == YAML_DOUBLE_QUOTED)
            break;
    }
    return '"';
}

static bool reads_as(const struct yaml_node *node, const char *value)
{
    const char *text = yaml_text(node);
    return strcmp(text ? text : "", value) == 0;
}

static int add_tag(const struct manifest_file *file, const struct container *container, char *tag,
                   struct splice_list *out, struct error *err)
{
    const struct added_pair pair = {.key = "tag", .value = tag};
    struct splice splice = SPLICE_INIT;
    if (!container->entry_node)
        return error_set(
            err, ERROR_UNSUPPORTED,
            "line %d, container %s: there is a repository alone, and the chart puts a tag behind it; "
            "write a tag beside it first, which may be empty",
            container->line, container->name);
    if (pair_insert(file, container->entry_node, &pair, 1, &splice, err) < 0)
        return error_wrap(err, "line %d, container %s", container->line, container->name);
    splice_list_add(out, splice);
    return 0;
}

static int edit_parts(const struct manifest_file *file, const struct container *container,
                      const struct image_ref *to, struct splice_list *out, struct error *err)
{
    CLEANUP(parts_release) struct parts parts = {.tag = NULL};
    if (split(container, to, &parts, err) < 0)
        return -1;
    const struct {
        const struct yaml_node *node;
        const char *value;
    } all[] = {{container->registry_node, parts.registry},
               {container->image_node, parts.image},
               {container->tag_node, parts.tag},
               {container->digest_node, parts.digest}};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct splice splice = SPLICE_INIT;
        if (!all[i].node || !all[i].value || reads_as(all[i].node, all[i].value))
            continue;
        if (edit_set_scalar(file, all[i].node, all[i].value, quotes_of(container), &splice, err) < 0)
            return error_wrap(err, "container %s", container->name);
        splice_list_add(out, splice);
    }
    return parts.new_tag ? add_tag(file, container, parts.new_tag, out, err) : 0;
}

/* What was added since there were `len`. */
static void take_back(struct splice_list *list, size_t len)
{
    while (list->len > len)
        splice_release(&list->items[--list->len]);
}

static bool has_parts(const struct container *container)
{
    return container->registry_node || container->tag_node || container->digest_node ||
           takes_no_tag(container);
}

int image_edit(const struct manifest_file *file, const struct container *container, const char *image,
               struct splice_list *out, struct error *err)
{
    if (container->image.text && !strcmp(container->image.text, image))
        return 0;
    if (entry_edit_concerns(container))
        return entry_edit(file, container, image, out, err);
    if (has_parts(container)) {
        CLEANUP(image_ref_release) struct image_ref to = IMAGE_REF_INIT;
        size_t len = out->len;
        int result = image_ref_parse_any(image, &to, err);
        if (result == 0 && (result = edit_parts(file, container, &to, out, err)) < 0)
            take_back(out, len);
        return result;
    }
    struct splice splice = SPLICE_INIT;
    if (edit_set_image(file, container, image, &splice, err) < 0)
        return -1;
    splice_list_add(out, splice);
    return 0;
}
