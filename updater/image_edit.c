#include "updater/image_edit.h"

#include <string.h>

#include "base/alloc.h"
#include "updater/part_edit.h"

static int edit_parts(const struct manifest_file *file, const struct container *container, const char *image,
                      struct splice_list *out, struct error *err)
{
    CLEANUP(image_ref_release) struct image_ref to = IMAGE_REF_INIT;
    CLEANUP(splice_list_release) struct splice_list parts = {.items = NULL};
    if (image_ref_parse(image, &to, err) < 0 || part_edit(file, container, &to, &parts, err) < 0)
        return -1;
    for (size_t i = 0; i < parts.len; i++)
        splice_list_add(out, parts.items[i]);
    parts.len = 0;
    return 0;
}

int image_edit(const struct manifest_file *file, const struct container *container, const char *image,
               struct splice_list *out, struct error *err)
{
    if (container->image.text && !strcmp(container->image.text, image))
        return 0;
    if (part_edit_concerns(container))
        return edit_parts(file, container, image, out, err);
    struct splice splice = SPLICE_INIT;
    if (edit_set_image(file, container, image, &splice, err) < 0)
        return -1;
    splice_list_add(out, splice);
    return 0;
}
