#include "updater/image_edit.h"

#include <string.h>

#include "base/alloc.h"

int image_edit(const struct manifest_file *file, const struct container *container, const char *image,
               struct splice_list *out, struct error *err)
{
    if (container->image.text && !strcmp(container->image.text, image))
        return 0;
    struct splice splice = SPLICE_INIT;
    if (edit_set_image(file, container, image, &splice, err) < 0)
        return -1;
    splice_list_add(out, splice);
    return 0;
}
