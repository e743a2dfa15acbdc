/*
 * Nothing is written until every assignment has become a splice and the result has been verified.
 */
#include "daemon/set_image.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "daemon/manifest_directory.h"
#include "model/workload_lookup.h"
#include "updater/diff.h"
#include "updater/edit.h"
#include "updater/image_edit.h"
#include "updater/image_reread.h"

#define MOST_WORKLOADS_NAMED 10

static int no_such_container(const struct resource *workload, const char *assignment, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf known = STRBUF_INIT;
    for (size_t i = 0; i < workload->containers_len; i++) {
        if (*workload->containers[i].name)
            strbuf_addf(&known, "%s%s", known.len ? ", " : "there is: ", workload->containers[i].name);
    }
    return error_set(err, ERROR_NOT_FOUND, "%s:%d: there is no container \"%.*s\"; %s", workload->file->path,
                     workload->line, (int)strcspn(assignment, "="), assignment,
                     known.len ? known.buf : "no image of it is written where pawl can read it");
}

/* That of "CONTAINER=IMAGE", or NULL. */
static const struct container *find_assigned(const struct resource *workload, const char *assignment)
{
    AUTO_FREE char *name = xmemdupz(assignment, strcspn(assignment, "="));
    return resource_container(workload, name);
}

/* "CONTAINER=IMAGE" to splices, and a line that says what changes. */
static int edit_one(const struct resource *workload, const char *assignment, struct splice_list *out,
                    struct strbuf *summary, struct error *err)
{
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment || !equals[1])
        return error_set(err, ERROR_USAGE, "\"%s\" is not of the form CONTAINER=IMAGE", assignment);
    const struct container *container = find_assigned(workload, assignment);
    if (!container)
        return no_such_container(workload, assignment, err);
    CLEANUP(image_ref_release) struct image_ref image = IMAGE_REF_INIT;
    if (image_ref_parse_any(equals + 1, &image, err) < 0) {
        err->code = ERROR_USAGE;
        return -1;
    }
    if (image_edit(workload->file, container, equals + 1, out, err) < 0)
        return error_wrap(err, "%s", workload->file->path);
    strbuf_addf(summary, "%s:%d: %s: %s -> %s\n", workload->file->path, container->line, container->name,
                container->image.text ? container->image.text : "(unreadable)", equals + 1);
    return 0;
}

/* True if the same was asked for before; ERROR_USAGE in `err` if something else was asked for the container:
 * which one is meant is not ours to guess. */
static bool is_repeated(const struct set_image_request *request, size_t at, struct error *err)
{
    char *const *all = request->assignments->items;
    size_t name = strcspn(all[at], "=") + 1;
    for (size_t i = request->first; i < at; i++) {
        if (!strcmp(all[i], all[at]))
            return true;
        if (!strncmp(all[i], all[at], name))
            error_set(err, ERROR_USAGE, "two images are given for the container %.*s", (int)name - 1,
                      all[at]);
    }
    return false;
}

/* "; there are: a, b": enough to see a slip of the pen. */
static void add_known_workloads(struct strbuf *out, const struct manifest_set *set)
{
    size_t count = 0;
    for (size_t i = 0; i < set->resources_len; i++) {
        if (!set->resources[i]->is_workload || ++count > MOST_WORKLOADS_NAMED)
            continue;
        AUTO_FREE char *name = resource_id_text(&set->resources[i]->id);
        strbuf_addf(out, "%s%s", count == 1 ? "; there are: " : ", ", name);
    }
    if (count > MOST_WORKLOADS_NAMED)
        strbuf_addf(out, " and %zu more", count - MOST_WORKLOADS_NAMED);
}

static const struct resource *find_workload(const struct manifest_set *set,
                                            const struct set_image_request *request, struct error *err)
{
    CLEANUP(resource_id_release) struct resource_id id = RESOURCE_ID_INIT;
    if (resource_id_parse(request->workload, request->default_space, &id, err) < 0) {
        err->code = ERROR_USAGE;
        return NULL;
    }
    const struct resource *workload = manifest_set_find(set, &id);
    if (workload && workload->is_workload)
        return workload;
    if (workload_say_problem(set, &id, err))
        return NULL;
    AUTO_FREE char *full = resource_id_text(&id);
    CLEANUP(strbuf_release) struct strbuf known = STRBUF_INIT;
    if (!workload)
        workload_add_unread(set, &id, &known);
    add_known_workloads(&known, set);
    error_set(err, ERROR_NOT_FOUND, "%s %s in %s%s", full,
              workload ? "is no workload with containers" : "is not defined", request->path, known.buf);
    return NULL;
}

/* All assignments are as edit_one has found them to be. */
static int check_all(const struct set_image_request *request, const struct resource *workload,
                     const struct strbuf *text, struct error *err)
{
    int status = 0;
    struct manifest_file *again = image_reread(workload->file, text);
    for (size_t i = request->first; status == 0 && i < request->assignments->len; i++) {
        const char *assignment = request->assignments->items[i], *image = strchr(assignment, '=') + 1;
        status =
            image_reads_as(workload->file, again, workload, find_assigned(workload, assignment), image, err);
    }
    manifest_file_unref(again);
    return status;
}

/* The new text of the workload's file. */
static int edit_all(const struct set_image_request *request, const struct resource *workload,
                    struct strbuf *text, struct strbuf *summary, struct error *err)
{
    CLEANUP(splice_list_release) struct splice_list edits = {.items = NULL};
    for (size_t i = request->first; i < request->assignments->len; i++) {
        if (is_repeated(request, i, err))
            continue;
        if (err->code != ERROR_NONE)
            return -1;
        if (edit_one(workload, request->assignments->items[i], &edits, summary, err) < 0)
            return -1;
    }
    if (edit_apply(workload->file, edits.items, edits.len, text, err) < 0 ||
        check_all(request, workload, text, err) < 0)
        return error_wrap(err, "%s", workload->file->path);
    return 0;
}

int set_image(const struct set_image_request *request, struct set_image_result *result, struct error *err)
{
    CLEANUP(manifest_set_release)
    struct manifest_set *set = manifest_directory_read(request->path, request->default_space, err);
    const struct resource *workload = set ? find_workload(set, request, err) : NULL;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (!workload || edit_all(request, workload, &text, &result->summary, err) < 0)
        return -1;
    const struct manifest_file *file = workload->file;
    result->is_changed = text.len != file->len || memcmp(text.buf, file->text, file->len) != 0;
    diff_add_unified(&result->diff, file->path, file->text, file->len, text.buf, text.len);
    if (!result->is_changed || request->dry_run)
        return 0;
    return file_write_atomic(file->path, text.buf, text.len, 0666, err);
}

void set_image_result_release(struct set_image_result *result)
{
    strbuf_release(&result->summary);
    strbuf_release(&result->diff);
}
