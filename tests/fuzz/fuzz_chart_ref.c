/* Any text: a chart's reference is its name and its version, and with another version reads as that. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "model/chart_ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    AUTO_FREE char *text = xmemdupz(data, size);
    CLEANUP(image_ref_release) struct image_ref ref = IMAGE_REF_INIT, other = IMAGE_REF_INIT;
    (void)chart_version_is_exact(text);
    if (!chart_ref_has_scheme(text) || chart_ref_parse(text, &ref, &err) < 0)
        return 0;
    AUTO_FREE char *again = xasprintf("%.*s%s%s", (int)ref.name_len, ref.text, ref.tag ? ":" : "",
                                      ref.tag ? image_ref_written_tag(&ref) : "");
    AUTO_FREE char *newer = image_ref_with_tag(&ref, "1.2.3_b");
    AUTO_FREE char *repository = image_ref_repository(&ref);
    bool is_index = !str_starts_with(text, "oci:");
    if (strcmp(again, text) != 0 || !ref.is_chart || image_repository_is_index(repository) != is_index)
        abort();
    if (chart_ref_parse(newer, &other, &err) < 0 || strcmp(other.tag, "1.2.3_b") != 0 ||
        strcmp(other.host, ref.host) != 0 || strcmp(other.path, ref.path) != 0)
        abort();
    return 0;
}
