#include "updater/entry_edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "updater/pair_insert.h"

static bool is_tag_alone(const struct container *container)
{
    return container->tag_node && !container->image_node;
}

bool entry_edit_concerns(const struct container *container)
{
    return container->entry_name || container->prefix_len || is_tag_alone(container);
}

static int refuse(const struct container *container, struct error *err, const char *what)
{
    return error_set(err, ERROR_UNSUPPORTED, "line %d, container %s: %s", container->line, container->name,
                     what);
}

static int set_scalar(const struct manifest_file *file, const struct container *container,
                      const struct yaml_node *node, const char *value, struct splice_list *out,
                      struct error *err)
{
    if (node->value && !strcmp(node->value, value))
        return 0;
    struct splice splice = SPLICE_INIT;
    if (edit_set_scalar(file, node, value, '"', &splice, err) < 0)
        return error_wrap(err, "container %s", container->name);
    splice_list_add(out, splice);
    return 0;
}

/* NAME=TEXT: what is before the text stays. */
static int set_behind_prefix(const struct manifest_file *file, const struct container *container,
                             const struct yaml_node *node, const char *text, struct splice_list *out,
                             struct error *err)
{
    struct splice splice = SPLICE_INIT;
    if (!container->prefix_len)
        return set_scalar(file, container, node, text, out, err);
    if (!strcmp(node->value + container->prefix_len, text))
        return 0;
    if (edit_set_behind(file, node, container->prefix_len, text, &splice, err) < 0)
        return error_wrap(err, "container %s", container->name);
    splice_list_add(out, splice);
    return 0;
}

static bool has_same_name(const struct container *container, const struct image_ref *to)
{
    const struct image_ref *from = &container->image;
    return from->name_len == to->name_len && !strncmp(from->text, to->text, to->name_len);
}

static int set_name(const struct manifest_file *file, const struct container *container,
                    const struct image_ref *to, struct splice_list *out, struct error *err)
{
    if (has_same_name(container, to))
        return 0;
    if (container->is_name_fixed)
        return refuse(container, err, "only its tag can be changed here; the name is written elsewhere");
    AUTO_FREE char *name = xmemdupz(to->text, to->name_len);
    return set_scalar(file, container, container->image_node, name, out, err);
}

/* One that is pinned there, TAG@DIGEST, stays pinned. */
static int set_tag_alone(const struct manifest_file *file, const struct container *container,
                         const struct image_ref *to, struct splice_list *out, struct error *err)
{
    const char *tag = image_ref_written_tag(to);
    if (!has_same_name(container, to))
        return refuse(container, err, "only its tag can be changed here; the name is written elsewhere");
    if (!tag)
        return refuse(container, err, "a tag or digest that is written would have to go; remove it by hand");
    if (to->digest && !container->image.digest)
        return refuse(container, err, "there is no place for the tag or digest; write one by hand first");
    AUTO_FREE char *text = xasprintf("%s%s%s", tag, to->digest ? "@" : "", to->digest ? to->digest : "");
    return set_behind_prefix(file, container, container->tag_node, text, out, err);
}

/* Parts that have no scalar yet. */
struct missing {
    struct added_pair pairs[MOST_ADDED_PAIRS];
    size_t len;
};

static void missing_release(struct missing *missing)
{
    for (size_t i = 0; i < missing->len; i++)
        free(missing->pairs[i].value);
}

static int set_part(const struct manifest_file *file, const struct container *container,
                    const struct yaml_node *node, const char *key, const char *value, struct splice_list *out,
                    struct missing *missing, struct error *err)
{
    const char *text = node ? yaml_text(node) : NULL;
    if (!value)
        return text && *text ? refuse(container, err,
                                      "a tag or digest that is written would have to go; remove it by hand")
                             : 0;
    if (node)
        return set_scalar(file, container, node, value, out, err);
    missing->pairs[missing->len++] = (struct added_pair){.key = key, .value = xstrdup(value)};
    return 0;
}

static int add_missing(const struct manifest_file *file, const struct container *container,
                       const struct missing *missing, struct splice_list *out, struct error *err)
{
    struct splice splice = SPLICE_INIT;
    if (!missing->len)
        return 0;
    if (pair_insert(file, container->entry_node, missing->pairs, missing->len, &splice, err) < 0)
        return error_wrap(err, "line %d, container %s", container->line, container->name);
    splice_list_add(out, splice);
    return 0;
}

static int set_parts(const struct manifest_file *file, const struct container *container,
                     const struct image_ref *to, struct splice_list *out, struct error *err)
{
    CLEANUP(missing_release) struct missing missing = {.len = 0};
    if (is_tag_alone(container))
        return set_tag_alone(file, container, to, out, err);
    if (container->prefix_len)
        return set_behind_prefix(file, container, container->image_node, to->text, out, err);
    if (set_name(file, container, to, out, err) < 0 ||
        set_part(file, container, container->tag_node, "newTag", image_ref_written_tag(to), out, &missing,
                 err) < 0 ||
        set_part(file, container, container->digest_node, "digest", to->digest, out, &missing, err) < 0)
        return -1;
    return add_missing(file, container, &missing, out, err);
}

int entry_edit(const struct manifest_file *file, const struct container *container, const char *image,
               struct splice_list *out, struct error *err)
{
    CLEANUP(image_ref_release) struct image_ref to = IMAGE_REF_INIT;
    CLEANUP(splice_list_release) struct splice_list parts = {.items = NULL};
    if (container->problem.code != ERROR_NONE)
        return refuse(container, err, container->problem.text);
    if (image_ref_parse_any(image, &to, err) < 0 || set_parts(file, container, &to, &parts, err) < 0)
        return -1;
    for (size_t i = 0; i < parts.len; i++)
        splice_list_add(out, parts.items[i]);
    parts.len = 0;
    return 0;
}
