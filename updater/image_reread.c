#include "updater/image_reread.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

struct manifest_file *image_reread(const struct manifest_file *file, const struct strbuf *text)
{
    /* Any default namespace does: ids are not compared. */
    return manifest_file_with_text(file, xmemdupz(text->buf, text->len), text->len, "default");
}

/* The number of the resource in its file; a set's copy of it has the same node. */
static size_t find_resource(const struct manifest_file *file, const struct resource *resource)
{
    for (size_t i = 0; i < file->resources_len; i++) {
        if (file->resources[i].node == resource->node && !strcmp(file->resources[i].kind, resource->kind))
            return i;
    }
    return SIZE_MAX;
}

static const struct container *container_at(const struct manifest_file *file, size_t resource,
                                            size_t container)
{
    bool is_there = resource < file->resources_len && container < file->resources[resource].containers_len;
    return is_there ? &file->resources[resource].containers[container] : NULL;
}

int image_reads_as(const struct manifest_file *old, const struct manifest_file *again,
                   const struct resource *resource, const struct container *container, const char *image,
                   struct error *err)
{
    CLEANUP(image_ref_release) struct image_ref asked = IMAGE_REF_INIT;
    size_t i = find_resource(old, resource);
    if (i == SIZE_MAX || container->chart.name)
        return 0;
    if (image_ref_parse_any(image, &asked, err) < 0)
        return -1;
    const struct container *now = container_at(again, i, (size_t)(container - resource->containers));
    if (now && !strcmp(now->name, container->name) && now->image.text && image_ref_equal(&now->image, &asked))
        return 0;
    return error_set(err, ERROR_UNSUPPORTED,
                     "line %d, container %s: what stands there after an update to %s would be read as %s; "
                     "write the whole image there",
                     container->line, container->name, image,
                     now && now->image.text ? now->image.text : "no image");
}
