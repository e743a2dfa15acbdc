/*
 * Any values of a HelmRelease: an image is refused, or the result verifies and reads as was asked. The input is the
 * file; where it has no kind, it is the values alone.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tests/fuzz/refusal.h"
#include "updater/image_edit.h"
#include "updater/image_reread.h"

static struct manifest_file *read_file(const char *text, size_t len)
{
    return manifest_file_new("f.yaml", xmemdupz(text, len), len, "default");
}

/*
 * Where nothing is shared, no edit changes another image or a name. Only a marked tag at a place for images may be read
 * otherwise afterwards, and then the round refuses it.
 */
static void check_result(const struct manifest_file *file, const struct strbuf *out, size_t resource,
                         size_t container, const char *image)
{
    struct manifest_file *again = image_reread(file, out);
    const struct container *edited = &file->resources[resource].containers[container];
    bool is_marked_tag = edited->policy_text && edited->tag_node && !edited->image_node;
    struct error err = ERROR_INIT;
    if (image_reads_as(file, again, &file->resources[resource], edited, image, &err) < 0 && !is_marked_tag) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    manifest_file_unref(again);
}

static void check_edit(const struct manifest_file *file, size_t resource, size_t container, const char *image)
{
    struct error err = ERROR_INIT;
    CLEANUP(splice_list_release) struct splice_list splices = {.items = NULL};
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    const struct container *edited = &file->resources[resource].containers[container];
    if (image_edit(file, edited, image, &splices, &err) < 0)
        return;
    if (edit_apply(file, splices.items, splices.len, &out, &err) < 0) {
        if (err.code != ERROR_CONFLICT)
            found_refusal(&err);
        return;
    }
    if (!memchr(file->text, '*', file->len))
        check_result(file, &out, resource, container, image);
}

static void check_file(const char *text, size_t len)
{
    static const char *const images[] = {
        "a:1.10", "host:5000/b/c:v9.8.7-longer", "quay.io/a:yes", "a",
        "a:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};
    struct manifest_file *file = read_file(text, len);
    for (size_t i = 0; i < file->resources_len; i++) {
        for (size_t k = 0; k < file->resources[i].containers_len && k < 10; k++) {
            for (size_t m = 0; m < ARRAY_LEN(images); m++)
                check_edit(file, i, k, images[m]);
        }
    }
    manifest_file_unref(file);
}

/* The same values as YAML in a string. */
static void check_embedded(const char *text, size_t len)
{
    CLEANUP(strbuf_release) struct strbuf file = STRBUF_INIT;
    strbuf_addstr(
        &file, "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: x}\nspec:\n  source:\n"
               "    helm:\n      values: |\n");
    for (size_t i = 0; i < len;) {
        const char *end = memchr(text + i, '\n', len - i);
        size_t line = end ? (size_t)(end - text) + 1 - i : len - i;
        strbuf_addstr(&file, "        ");
        strbuf_add(&file, text + i, line);
        i += line;
    }
    check_file(file.buf, file.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[] = "apiVersion: helm.fluxcd.io/v1\nkind: HelmRelease\nspec:\n  values: ";
    static const char tail[] =
        "\nmetadata:\n  name: x\n  annotations:\n    repository.fluxcd.io/m: m.i\n    tag.fluxcd.io/m: m.t\n"
        "    registry.fluxcd.io/n: n.r\n    repository.fluxcd.io/n: n.i\n";
    if (memmem(data, size, "kind:", strlen("kind:"))) {
        check_file((const char *)data, size);
        return 0;
    }
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_addstr(&text, head);
    strbuf_add(&text, (const char *)data, size);
    strbuf_addstr(&text, tail);
    check_file(text.buf, text.len);
    check_embedded((const char *)data, size);
    return 0;
}
