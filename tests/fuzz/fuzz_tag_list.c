/* A page of tags: what is taken is a valid tag, and no more than the limit. */
#include <stdint.h>
#include <stdlib.h>

#include "model/image_ref.h"
#include "scanner/tag_list.h"

#define LIMIT 10

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("example.org/a");
    struct error err = ERROR_INIT;
    size_t bad = 0;
    info->has_push_times = true;
    if (tag_list_read((const char *)data, size, LIMIT, info, &bad, &err) < 0 && info->images_len)
        abort();
    repository_info_finish(info);
    if (info->images_len > LIMIT)
        abort();
    for (size_t i = 0; i < info->images_len; i++) {
        const char *tag = repository_info_tag(info, i);
        if (!image_tag_is_valid(tag) || repository_info_find(info, tag) != i)
            abort();
        if (repository_info_details(info, i)->pushed_ms < 0)
            abort();
    }
    return 0;
}
