/*
 * One change at a time, each on the text that the last one left, so that every step is one replacement of bytes with a
 * proof of its own.
 */
#include "updater/annotation_edit.h"

#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "model/manifest_tree.h"
#include "updater/annotation_path.h"
#include "updater/annotation_remove.h"
#include "updater/annotation_set.h"
#include "updater/annotation_verify.h"

/* Where an object is in a stream; holds for every text that an edit makes of the file. */
struct place {
    size_t document;
    size_t item; /* 1 + the index among the items of a List; 0: the document itself */
};

static bool is_as_wanted(const struct annotation_path *e)
{
    const struct yaml_node *value = e->nodes[ANNOTATION_LEVELS];
    if (!value)
        return !e->change->value;
    const char *text = yaml_text(value);
    return e->change->value && text && !strcmp(text, e->change->value);
}

/* What an alias expands to is never followed: places are of the tree as it is written. */
static const struct yaml_node *object_at(const struct yaml_stream *yaml, const struct place *place)
{
    const struct yaml_node *root = yaml->documents[place->document].root;
    if (!place->item)
        return root;
    return yaml_resolve(yaml_get(root, "items"))->items[place->item - 1];
}

static int find_place(const struct resource *resource, struct place *place, struct error *err)
{
    CLEANUP(manifest_tree_release) struct manifest_tree tree = {.file = NULL};
    const struct yaml_node *object = manifest_tree_object(&tree, resource);
    const struct yaml_node *root = object ? tree.yaml->documents[resource->document].root : NULL;
    *place = (struct place){.document = resource->document};
    if (!resource->is_applied && !strcmp(resource->kind, "File"))
        return error_set(
            err, ERROR_UNSUPPORTED,
            "line %d: this is a file whose comments say what its policies are; it has no annotations",
            resource->line);
    if (root && root == object)
        return 0;
    const struct yaml_node *items = root ? yaml_resolve(yaml_get(root, "items")) : NULL;
    for (size_t i = 0; items && items->kind == YAML_SEQUENCE && i < items->len; i++) {
        if (yaml_resolve(items->items[i]) != object)
            continue;
        place->item = i + 1;
        return 0;
    }
    return error_set(err, ERROR_UNSUPPORTED, "line %d: this is no object that can have annotations",
                     resource->line);
}

/* The way that annotation_path_find goes, not begun. */
static struct annotation_path path_in(const struct strbuf *text, const struct yaml_stream *yaml,
                                      const struct place *place, const struct annotation_change *change,
                                      struct error *err)
{
    return (struct annotation_path){.text = text->buf,
                                    .len = text->len,
                                    .document = &yaml->documents[place->document],
                                    .change = change,
                                    .err = err};
}

/* What is taken away must not be there still, from a merge key that the removed one overrode. */
static int check_removal(const struct strbuf *text, const struct place *place,
                         const struct annotation_change *change, struct error *err)
{
    CLEANUP(yaml_release) struct yaml_stream *yaml = yaml_read(text->buf, text->len, err);
    if (!yaml)
        return -1;
    struct annotation_path e = path_in(text, yaml, place, change, err);
    return annotation_path_find(&e, object_at(yaml, place));
}

/* The text after one change; the same if there is nothing to do. */
static int change_one(struct strbuf *text, const struct place *place, const struct annotation_change *change,
                      struct error *err)
{
    CLEANUP(yaml_release) struct yaml_stream *yaml = yaml_read(text->buf, text->len, err);
    if (!yaml)
        return -1;
    struct annotation_path e = path_in(text, yaml, place, change, err);
    const struct yaml_node *object = object_at(yaml, place);
    CLEANUP(strbuf_release) struct strbuf new_bytes = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf result = STRBUF_INIT;
    struct byte_edit edit = {.start = 0};
    if (annotation_path_find(&e, object) < 0)
        return -1;
    if (is_as_wanted(&e))
        return 0;
    if ((change->value ? annotation_set : annotation_remove)(&e, &edit, &new_bytes) < 0)
        return -1;
    edit.len = new_bytes.len;
    strbuf_add(&result, text->buf, edit.start);
    strbuf_add(&result, new_bytes.buf, new_bytes.len);
    strbuf_add(&result, text->buf + edit.end, text->len - edit.end);
    if (annotation_verify(yaml, text->buf, object, change, &edit, &result, err) < 0 ||
        (!change->value && check_removal(&result, place, change, err) < 0))
        return -1;
    strbuf_reset(text);
    strbuf_add(text, result.buf, result.len);
    return 0;
}

int annotation_edit(const struct resource *resource, const struct annotation_change *changes, size_t len,
                    struct strbuf *out, struct error *err)
{
    struct place place;
    if (find_place(resource, &place, err) < 0)
        return -1;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_add(&text, resource->file->text, resource->file->len);
    for (size_t i = 0; i < len; i++) {
        const char *value = changes[i].value;
        if (value && utf8_valid_length(value, strlen(value)) != strlen(value))
            return error_set(err, ERROR_INVALID, "the value of %s is no UTF-8", changes[i].key);
        if (change_one(&text, &place, &changes[i], err) < 0)
            return error_wrap(err, "%s", changes[i].key);
    }
    strbuf_add(out, text.buf, text.len);
    return 0;
}
