/*
 * Any file: setting and removing an annotation of an object is refused with a reason, or leaves a file in which the
 * annotation reads as it was given and all objects are there. It does not come to the proof to refuse it (refusal.h). What
 * was set where there was no such annotation can be taken away again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tests/fuzz/refusal.h"
#include "updater/annotation_edit.h"

#define KEY "fluxcd.io/locked_msg"

static const char *const values[] = {"true", "plain text", "it's \"quoted\": # \\ \n\t\x01 \xc2\x85", "1e3",
                                     ""};

static const char *annotation_of(const struct manifest_file *file, size_t index)
{
    return resource_annotation(&file->resources[index], KEY);
}

/* The file after the change, or NULL if it was refused. */
static struct manifest_file *change(const struct manifest_file *file, size_t index, const char *value)
{
    struct error err = ERROR_INIT;
    const struct annotation_change change = {.key = KEY, .value = value};
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    if (annotation_edit(&file->resources[index], &change, 1, &out, &err) < 0) {
        if (err.code == ERROR_INTERNAL)
            found_refusal(&err);
        return NULL;
    }
    size_t len = out.len;
    char *text = strbuf_detach(&out, NULL);
    struct manifest_file *changed = manifest_file_new("f.yaml", text, len, "default");
    if (changed->resources_len != file->resources_len)
        abort();
    const char *now = annotation_of(changed, index);
    if (value ? !now || strcmp(now, value) != 0 : now != NULL)
        abort();
    return changed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct manifest_file *file = manifest_file_new("f.yaml", xmemdupz(data, size), size, "default");
    for (size_t i = 0; i < file->resources_len && i < 5; i++) {
        bool was_there = annotation_of(file, i) != NULL;
        for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
            struct manifest_file *set = change(file, i, values[k]);
            struct manifest_file *removed = set ? change(set, i, NULL) : NULL;
            struct error stuck = ERROR_INIT;
            error_set(&stuck, ERROR_INTERNAL, "what was set cannot be removed");
            if (set && !removed && !was_there)
                found_refusal(&stuck);
            manifest_file_unref(removed);
            manifest_file_unref(set);
        }
        manifest_file_unref(change(file, i, NULL));
    }
    manifest_file_unref(file);
    return 0;
}
