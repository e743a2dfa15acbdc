/*
 * Any file: setting a tag or an image of a container is refused, or changes the bytes of the splice and no
 * other, and the new file says what was asked. It does not come to the proof to refuse it (refusal.h).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tests/fuzz/refusal.h"
#include "updater/edit.h"

static void check_result(const struct manifest_file *file, const struct splice *splice,
                         const struct strbuf *out)
{
    size_t text_len = strlen(splice->text), tail = file->len - splice->end;
    if (out->len != splice->start + text_len + tail || memcmp(out->buf, file->text, splice->start) != 0 ||
        memcmp(out->buf + splice->start, splice->text, text_len) != 0 ||
        memcmp(out->buf + splice->start + text_len, file->text + splice->end, tail) != 0)
        abort();
}

static void check_edit(const struct manifest_file *file, const struct container *container, const char *text,
                       int (*edit)(const struct manifest_file *, const struct container *, const char *,
                                   struct splice *, struct error *))
{
    struct error err = ERROR_INIT;
    CLEANUP(splice_release) struct splice splice = SPLICE_INIT;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    if (edit(file, container, text, &splice, &err) < 0)
        return;
    if (edit_apply(file, &splice, 1, &out, &err) < 0) {
        found_refusal(&err);
        return;
    }
    check_result(file, &splice, &out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct manifest_file *file = manifest_file_new("f.yaml", xmemdupz(data, size), size, "default");
    for (size_t i = 0; i < file->resources_len; i++) {
        for (size_t k = 0; k < file->resources[i].containers_len && k < 10; k++) {
            const struct container *container = &file->resources[i].containers[k];
            check_edit(file, container, "v9.8.7-longer", edit_set_tag);
            check_edit(file, container, "0", edit_set_tag);
            check_edit(file, container, "host:5000/other:1", edit_set_image);
        }
    }
    manifest_file_unref(file);
    return 0;
}
