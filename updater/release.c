#include "updater/release.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "updater/diff.h"

/* One update on its way into a file. */
struct edit {
    const struct decision *decision;
    const struct manifest_file *file;
    size_t start; /* of the scalar in the file: edits with the same one share it */
    size_t order; /* among the decisions */
    size_t uses;  /* of the first edit of a scalar: the containers in the file that use it */
    struct splice splice;
    char *problem; /* why it cannot be done; NULL: it can, so far */
};

/* The edits of one file, in the order of its text. */
struct batch {
    struct release *release;
    const struct manifest_file *file;
    struct edit *edits;
    size_t len;
};

static int compare_edits(const void *left, const void *right)
{
    const struct edit *a = left, *b = right;
    int order = strcmp(a->file->path, b->file->path);
    if (!order)
        order = (a->start > b->start) - (a->start < b->start);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

static struct edit *collect(const struct decision *decisions, size_t decisions_len, size_t *len)
{
    struct edit *edits = xcalloc(decisions_len + 1, sizeof(*edits));
    *len = 0;
    for (size_t i = 0; i < decisions_len; i++) {
        if (decisions[i].kind != DECISION_UPDATE)
            continue;
        edits[*len] = (struct edit){.decision = &decisions[i],
                                    .file = decisions[i].resource->file,
                                    .start = decisions[i].container->image_node->start,
                                    .order = i,
                                    .splice = SPLICE_INIT};
        ++*len;
    }
    qsort(edits, *len, sizeof(*edits), compare_edits);
    return edits;
}

static void reject(struct edit *edit, char *problem)
{
    free(edit->problem);
    edit->problem = problem;
}

/* The first edit of the scalar that starts there, or NULL. */
static struct edit *find_edit(const struct batch *batch, size_t start)
{
    size_t low = 0, high = batch->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (batch->edits[middle].start < start)
            low = middle + 1;
        else
            high = middle;
    }
    return low < batch->len && batch->edits[low].start == start ? &batch->edits[low] : NULL;
}

static void count_uses(struct batch *batch)
{
    for (size_t i = 0; i < batch->file->resources_len; i++) {
        const struct resource *resource = &batch->file->resources[i];
        for (size_t k = 0; k < resource->containers_len; k++) {
            const struct yaml_node *image = resource->containers[k].image_node;
            struct edit *edit = image ? find_edit(batch, image->start) : NULL;
            if (edit)
                edit->uses++;
        }
    }
}

/* Whether all containers that use the scalar of the edits [first, end) are to have the same new image. */
static bool is_agreed(const struct edit *edits, size_t first, size_t end)
{
    for (size_t i = first + 1; i < end; i++) {
        if (strcmp(edits[i].decision->candidate, edits[first].decision->candidate) != 0)
            return false;
    }
    return edits[first].uses == end - first;
}

static void check_sharing(struct batch *batch)
{
    count_uses(batch);
    for (size_t first = 0, end; first < batch->len; first = end) {
        end = first + 1;
        while (end < batch->len && batch->edits[end].start == batch->edits[first].start)
            end++;
        if (is_agreed(batch->edits, first, end))
            continue;
        for (size_t i = first; i < end; i++)
            reject(
                &batch->edits[i],
                xasprintf("container %s: the image is shared with other containers by an anchor, and not all "
                          "of them are to have %s; write it out for each",
                          batch->edits[i].decision->container->name, batch->edits[i].decision->candidate));
    }
}

static void prepare(struct edit *edit)
{
    struct error err = ERROR_INIT;
    if (!edit->problem && edit_set_tag(edit->file, edit->decision->container, edit->decision->candidate,
                                       &edit->splice, &err) < 0)
        reject(edit, xstrdup(err.text));
}

/* Writes what is not rejected; if that fails, all of it is. */
static void apply(struct batch *batch)
{
    AUTO_FREE struct splice *splices = xcalloc(batch->len, sizeof(*splices));
    size_t len = 0;
    for (size_t i = 0; i < batch->len; i++) {
        if (!batch->edits[i].problem)
            splices[len++] = batch->edits[i].splice;
    }
    if (len == 0)
        return;
    struct release *release = batch->release;
    struct strbuf text = STRBUF_INIT;
    struct error err = ERROR_INIT;
    if (edit_apply(batch->file, splices, len, &text, &err) < 0) {
        strbuf_release(&text);
        for (size_t i = 0; i < batch->len; i++) {
            if (!batch->edits[i].problem)
                reject(&batch->edits[i], xstrdup(err.text));
        }
        return;
    }
    vec_grow(release->files, release->files_len, release->files_capacity);
    release->files[release->files_len++] = (struct release_file){.file = batch->file, .text = text};
}

static void add_problem(struct release *release, struct edit *edit)
{
    vec_grow(release->problems, release->problems_len, release->problems_capacity);
    release->problems[release->problems_len++] = (struct manifest_problem){
        .file = xstrdup(edit->file->path),
        .line = edit->decision->container->line,
        .workload = resource_id_text(&edit->decision->resource->id),
        .message = steal(&edit->problem),
    };
}

static void add_change(struct release *release, const struct decision *decision)
{
    const struct container *container = decision->container;
    vec_grow(release->changes, release->changes_len, release->changes_capacity);
    release->changes[release->changes_len++] = (struct release_change){
        .resource = decision->resource,
        .container = container,
        .line = container->line,
        .from = xstrdup(container->image.text),
        .to = image_ref_with_tag(&container->image, decision->candidate),
        .reason = xstrdup(decision->reason),
    };
}

static void release_batch(struct batch *batch)
{
    check_sharing(batch);
    for (size_t i = 0; i < batch->len; i++)
        prepare(&batch->edits[i]);
    apply(batch);
    for (size_t i = 0; i < batch->len; i++) {
        if (batch->edits[i].problem)
            add_problem(batch->release, &batch->edits[i]);
        else
            add_change(batch->release, batch->edits[i].decision);
        splice_release(&batch->edits[i].splice);
    }
}

struct release *release_new(const struct decision *decisions, size_t len)
{
    struct release *release = xcalloc(1, sizeof(*release));
    size_t edits_len;
    AUTO_FREE struct edit *edits = collect(decisions, len, &edits_len);
    for (size_t first = 0, end; first < edits_len; first = end) {
        end = first + 1;
        while (end < edits_len && strcmp(edits[end].file->path, edits[first].file->path) == 0)
            end++;
        struct batch batch = {
            .release = release, .file = edits[first].file, .edits = edits + first, .len = end - first};
        release_batch(&batch);
    }
    return release;
}

void release_free(struct release *release)
{
    if (!release)
        return;
    for (size_t i = 0; i < release->changes_len; i++) {
        free(release->changes[i].from);
        free(release->changes[i].to);
        free(release->changes[i].reason);
    }
    for (size_t i = 0; i < release->files_len; i++)
        strbuf_release(&release->files[i].text);
    for (size_t i = 0; i < release->problems_len; i++)
        manifest_problem_release(&release->problems[i]);
    free(release->changes);
    free(release->files);
    free(release->problems);
    free(release);
}

/* The new images, sorted, each once. */
static void add_images(const struct release *release, struct strvec *images)
{
    CLEANUP(strvec_release) struct strvec all = STRVEC_INIT;
    for (size_t i = 0; i < release->changes_len; i++)
        strvec_push(&all, release->changes[i].to);
    strvec_sort(&all);
    for (size_t i = 0; i < all.len; i++) {
        if (i == 0 || strcmp(all.items[i], all.items[i - 1]) != 0)
            strvec_push(images, all.items[i]);
    }
}

char *release_message(const struct release *release, const char *suffix)
{
    CLEANUP(strvec_release) struct strvec images = STRVEC_INIT;
    struct strbuf message = STRBUF_INIT;
    add_images(release, &images);
    if (images.len == 0) {
        strbuf_addstr(&message, "Auto-release (no images)\n");
    } else if (images.len == 1) {
        strbuf_addf(&message, "Auto-release %s", images.items[0]);
    } else {
        strbuf_addf(&message, "Auto-release multiple (%zu) images\n\n", images.len);
        for (size_t i = 0; i < images.len; i++)
            strbuf_addf(&message, " - %s\n", images.items[i]);
    }
    strbuf_addstr(&message, suffix ? suffix : "");
    return strbuf_detach(&message, NULL);
}

void release_add_diff(const struct release_file *file, struct strbuf *out)
{
    diff_add_unified(out, file->file->path, file->file->text, file->file->len, file->text.buf,
                     file->text.len);
}
