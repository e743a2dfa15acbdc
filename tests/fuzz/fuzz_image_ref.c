/* Any text: what parses is made of its parts, and its normalised form parses to an equal reference. */
#include <stdint.h>

#include "base/alloc.h"
#include "model/image_ref.h"

static void check_parts(const struct image_ref *ref, const char *text)
{
    AUTO_FREE char *again =
        xasprintf("%.*s%s%s%s%s", (int)ref->name_len, text, ref->tag ? ":" : "", ref->tag ? ref->tag : "",
                  ref->digest ? "@" : "", ref->digest ? ref->digest : "");
    if (strcmp(again, text) != 0 || strcmp(ref->text, text) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    AUTO_FREE char *text = xmemdupz(data, size);
    CLEANUP(image_ref_release) struct image_ref ref = IMAGE_REF_INIT, normal = IMAGE_REF_INIT;
    if (image_ref_parse(text, &ref, &err) < 0)
        return 0;
    check_parts(&ref, text);
    AUTO_FREE char *repository = image_ref_repository(&ref);
    bool says_host = strpbrk(ref.host, ".:") || !strcmp(ref.host, "localhost"); /* not if only its case did */
    if (says_host && strlen(repository) <= 255) {
        if (image_ref_parse(repository, &normal, &err) < 0)
            abort();
        if (strcmp(normal.host, ref.host) != 0 || strcmp(normal.path, ref.path) != 0)
            abort();
    }
    AUTO_FREE char *tagged = image_ref_with_tag(&ref, "v1");
    CLEANUP(image_ref_release) struct image_ref other = IMAGE_REF_INIT;
    if (image_ref_parse(tagged, &other, &err) < 0 || strcmp(other.tag, "v1") != 0)
        abort();
    return 0;
}
