/* The index of a Helm repository: what is cut out is inside it, what is taken is a valid tag, and no more than the limit. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/image_ref.h"
#include "scanner/chart_index.h"

#define LIMIT 10

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("example.org/#app");
    struct error err = ERROR_INIT;
    struct chart_slice slice;
    size_t bad = 0;
    AUTO_FREE char *text = xmemdupz(data, size);
    if (chart_index_cut(text, size, "app", &slice, &err) < 0)
        return 0;
    if (slice.text < text || slice.text + slice.len > text + size)
        abort();
    if (chart_index_read(&slice, "app", LIMIT, 1, info, &bad, &err) < 0 && info->images_len)
        abort();
    repository_info_finish(info);
    if (info->images_len > LIMIT)
        abort();
    for (size_t i = 0; i < info->images_len; i++) {
        const char *digest = repository_info_details(info, i)->digest;
        if (!image_tag_is_valid(repository_info_tag(info, i)) || (digest && !image_digest_is_valid(digest)))
            abort();
    }
    return 0;
}
