#include "updater/release.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "updater/alias_list.h"
#include "updater/diff.h"
#include "updater/image_reread.h"

/* A target on its way into its file. */
struct edit {
    const struct image_target *target;
    const struct manifest_file *file;
    size_t order; /* among the targets */
    struct splice_list splices;
    char *problem; /* why it cannot be done; NULL: it can, so far */
};

/* A scalar that some edit changes. */
struct touch {
    struct edit *edit;
    const struct splice *splice;
    size_t uses; /* of the first touch of a scalar: the containers in the file that use it */
};

/* The edits of one file. */
struct batch {
    struct release *release;
    const struct manifest_file *file;
    struct edit *edits;
    size_t len;
    struct touch *touches; /* in the order of the text; those of one scalar side by side */
    size_t touches_len, touches_capacity;
    struct alias_list aliases;
};

static int compare_places(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static size_t line_of(const struct edit *edit)
{
    return (size_t)edit->target->container->line;
}

static int compare_edits(const void *left, const void *right)
{
    const struct edit *a = left, *b = right;
    int order = strcmp(a->file->path, b->file->path);
    if (!order)
        order = compare_places(line_of(a), line_of(b));
    return order ? order : compare_places(a->order, b->order);
}

static int compare_touches(const void *left, const void *right)
{
    const struct touch *a = left, *b = right;
    int order = compare_places(a->splice->node->start, b->splice->node->start);
    return order ? order : compare_places(a->edit->order, b->edit->order);
}

static void reject(struct edit *edit, char *problem)
{
    if (edit->problem)
        free(problem);
    else
        edit->problem = problem;
}

static struct edit *collect(const struct image_target *targets, size_t len)
{
    struct edit *edits = xcalloc(len + 1, sizeof(*edits));
    for (size_t i = 0; i < len; i++)
        edits[i] = (struct edit){.target = &targets[i], .file = targets[i].resource->file, .order = i};
    qsort(edits, len, sizeof(*edits), compare_edits);
    return edits;
}

static void prepare(struct batch *batch, struct edit *edit)
{
    struct error err = ERROR_INIT;
    if (image_edit(edit->file, edit->target->container, edit->target->image, &edit->splices, &err) < 0)
        reject(edit, xstrdup(err.text));
    for (size_t i = 0; i < edit->splices.len; i++) {
        vec_grow(batch->touches, batch->touches_len, batch->touches_capacity);
        batch->touches[batch->touches_len++] =
            (struct touch){.edit = edit, .splice = &edit->splices.items[i]};
    }
}

/* The first touch of the scalar that starts there, or NULL. */
static struct touch *find_touch(const struct batch *batch, size_t start)
{
    size_t low = 0, high = batch->touches_len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (batch->touches[middle].splice->node->start < start)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_there = low < batch->touches_len && batch->touches[low].splice->node->start == start;
    return is_there ? &batch->touches[low] : NULL;
}

static void count_container(struct batch *batch, const struct container *container)
{
    const struct yaml_node *const nodes[] = {container->image_node, container->registry_node,
                                             container->tag_node, container->digest_node};
    for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
        struct touch *touch = nodes[i] ? find_touch(batch, nodes[i]->start) : NULL;
        if (touch)
            touch->uses++;
    }
}

static void count_uses(struct batch *batch)
{
    for (size_t i = 0; i < batch->file->resources_len; i++) {
        const struct resource *resource = &batch->file->resources[i];
        for (size_t k = 0; k < resource->containers_len; k++)
            count_container(batch, &resource->containers[k]);
    }
}

/* Whether all containers that use the scalar of the touches [first, end) are to have the same new text in it. */
static bool is_agreed(const struct touch *touches, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        if (touches[i].edit->problem || strcmp(touches[i].splice->value, touches[first].splice->value) != 0)
            return false;
    }
    return touches[first].uses <= end - first;
}

/* True if it rejected any. */
static bool reject_group(struct touch *touches, size_t first, size_t end)
{
    bool rejected = false;
    for (size_t i = first; i < end; i++) {
        const struct image_target *target = touches[i].edit->target;
        rejected = rejected || !touches[i].edit->problem;
        reject(touches[i].edit,
               xasprintf("container %s: the image is shared with other containers by an anchor, and not all "
                         "of them are to have %s; write it out for each",
                         target->container->name, target->image));
    }
    return rejected;
}

/* Until nothing more is rejected: what one scalar forbids may have been the half of another. */
static void check_sharing(struct batch *batch)
{
    bool again = true;
    while (again) {
        again = false;
        for (size_t first = 0, end; first < batch->touches_len; first = end) {
            size_t start = batch->touches[first].splice->node->start;
            end = first + 1;
            while (end < batch->touches_len && batch->touches[end].splice->node->start == start)
                end++;
            if (!is_agreed(batch->touches, first, end))
                again = reject_group(batch->touches, first, end) || again;
        }
    }
}

/* The file with all that is not rejected; if that fails, all of it is. False: there is no new text. */
static bool apply(struct batch *batch, struct strbuf *text)
{
    AUTO_FREE struct splice *splices = xcalloc(batch->touches_len + 1, sizeof(*splices));
    size_t len = 0;
    for (size_t i = 0; i < batch->touches_len; i++) {
        if (!batch->touches[i].edit->problem)
            splices[len++] = *batch->touches[i].splice;
    }
    struct error err = ERROR_INIT;
    if (len == 0)
        return false;
    if (edit_apply(batch->file, splices, len, text, &err) == 0)
        return true;
    for (size_t i = 0; i < batch->len; i++)
        reject(&batch->edits[i], xstrdup(err.text));
    return false;
}

/* True if it rejected any: those whose container would not have its image in the new text. */
static bool reject_misread(struct batch *batch, const struct strbuf *text)
{
    bool rejected = false;
    struct manifest_file *again = image_reread(batch->file, text);
    for (size_t i = 0; i < batch->len; i++) {
        struct edit *edit = &batch->edits[i];
        const struct image_target *target = edit->target;
        struct error err = ERROR_INIT;
        if (edit->problem ||
            image_reads_as(batch->file, again, target->resource, target->container, target->image, &err) == 0)
            continue;
        reject(edit, xstrdup(err.text));
        rejected = true;
    }
    manifest_file_unref(again);
    return rejected;
}

/* Writes what is not rejected, once every image of it is read as asked. */
static void write_file(struct batch *batch)
{
    struct release *release = batch->release;
    struct strbuf text = STRBUF_INIT;
    while (apply(batch, &text) && reject_misread(batch, &text)) {
        text.len = 0;
        check_sharing(batch);
    }
    if (text.len == 0) {
        strbuf_release(&text);
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
        .line = edit->target->container->line,
        .workload = resource_id_text(&edit->target->resource->id),
        .message = steal(&edit->problem),
    };
}

/* The reason of the change, where it was made if that is not where the container is, and what else it changes. */
static char *describe(const struct batch *batch, const struct edit *edit)
{
    struct strbuf out = STRBUF_INIT;
    strbuf_addstr(&out, edit->target->reason);
    if (edit->target->container->is_alias)
        strbuf_addf(&out, "; the image is shared by an anchor, and changed where it is written: line %d",
                    edit->splices.items[0].node->line);
    alias_list_describe(&batch->aliases, edit->target->container, edit->splices.items[0].node, &out);
    return strbuf_detach(&out, NULL);
}

static void add_change(const struct batch *batch, const struct edit *edit)
{
    struct release *release = batch->release;
    const struct image_target *target = edit->target;
    const struct container *container = target->container;
    vec_grow(release->changes, release->changes_len, release->changes_capacity);
    release->changes[release->changes_len++] = (struct release_change){
        .resource = target->resource,
        .container = container,
        .line = container->line,
        .from = xstrdup(container->image.text ? container->image.text : ""),
        .to = xstrdup(target->image),
        .reason = describe(batch, edit),
        .decision = target->decision,
    };
}

static void release_batch(struct batch *batch)
{
    for (size_t i = 0; i < batch->len; i++)
        prepare(batch, &batch->edits[i]);
    if (batch->touches_len)
        qsort(batch->touches, batch->touches_len, sizeof(*batch->touches), compare_touches);
    count_uses(batch);
    check_sharing(batch);
    write_file(batch);
    alias_list_find(&batch->aliases, batch->file);
    for (size_t i = 0; i < batch->len; i++) {
        struct edit *edit = &batch->edits[i];
        if (edit->problem)
            add_problem(batch->release, edit);
        else if (edit->splices.len)
            add_change(batch, edit);
        splice_list_release(&edit->splices);
    }
    free(batch->touches);
    alias_list_release(&batch->aliases);
}

struct release *release_new(const struct image_target *targets, size_t len)
{
    struct release *release = xcalloc(1, sizeof(*release));
    AUTO_FREE struct edit *edits = collect(targets, len);
    for (size_t first = 0, end; first < len; first = end) {
        end = first + 1;
        while (end < len && strcmp(edits[end].file->path, edits[first].file->path) == 0)
            end++;
        struct batch batch = {
            .release = release, .file = edits[first].file, .edits = edits + first, .len = end - first};
        release_batch(&batch);
    }
    return release;
}

struct release *release_of_decisions(const struct decision *decisions, size_t len)
{
    AUTO_FREE struct image_target *targets = xcalloc(len + 1, sizeof(*targets));
    size_t targets_len = 0;
    for (size_t i = 0; i < len; i++) {
        if (decisions[i].kind == DECISION_UPDATE)
            targets[targets_len++] = (struct image_target){.resource = decisions[i].resource,
                                                           .container = decisions[i].container,
                                                           .image = decisions[i].target,
                                                           .reason = decisions[i].reason,
                                                           .decision = &decisions[i]};
    }
    return release_new(targets, targets_len);
}

void release_free(struct release *release)
{
    if (!release)
        return;
    for (size_t i = 0; i < release->changes_len; i++) {
        free(release->changes[i].from);
        free(release->changes[i].to);
        free(release->changes[i].reason);
        json_decref(release->changes[i].labels);
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

char *release_message(const struct release *release)
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
    return strbuf_detach(&message, NULL);
}

void release_add_diff(const struct release_file *file, struct strbuf *out)
{
    diff_add_unified(out, file->file->path, file->file->text, file->file->len, file->text.buf,
                     file->text.len);
}
