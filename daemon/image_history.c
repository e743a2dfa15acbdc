#include "daemon/image_history.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "daemon/commit_note.h"
#include "model/manifest_chart.h"

/* The file at one commit. */
struct version {
    char blob[GIT_ID_SIZE];
    struct manifest_file *file; /* NULL: it is not there or not readable */
};

struct reading {
    struct repository *repository;
    const struct history_question *question;
    workload_visit visit;
    void *context;
    struct version last; /* the `before` of the step before this one is its `after`, most often */
    size_t steps;
};

/* NULL without an error for a version that is too large; the text ends with NUL. */
static int read_text(const struct reading *reading, const char *blob, struct strbuf *out, struct error *err)
{
    if (!*blob || mirror_read_blob(reading->repository->mirror, blob, LIMIT_YAML_BYTES, out, err) == 0)
        return 0;
    if (err->code != ERROR_TOO_LARGE)
        return -1;
    error_clear(err);
    return 0;
}

static struct version parse(const struct reading *reading, const char *path, const char *blob,
                            struct strbuf *text)
{
    struct version version = {.file = NULL};
    memcpy(version.blob, blob, sizeof(version.blob));
    if (!text->len)
        return version;
    size_t len = 0;
    char *bytes = strbuf_detach(text, &len);
    version.file = manifest_file_new(path, bytes, len, reading->repository->default_space);
    return version;
}

/* What a chart's repository was then is not in this file; now it is known. */
static void adopt_charts(struct resource *then, const struct resource *now)
{
    for (size_t i = 0; i < then->containers_len; i++)
        manifest_chart_adopt(&then->containers[i], resource_container(now, then->containers[i].name));
}

static const struct resource *find(const struct version *version, const struct resource *workload)
{
    for (size_t i = 0; version->file && i < version->file->resources_len; i++) {
        struct resource *resource = &version->file->resources[i];
        if (!resource_id_equal(&resource->id, &workload->id))
            continue;
        adopt_charts(resource, workload);
        return resource;
    }
    return NULL;
}

static bool has_word(const struct reading *reading, const struct strbuf *text)
{
    const char *word = reading->question->word;
    return !word || memmem(text->buf, text->len, word, strlen(word));
}

static void release_version(struct version *version)
{
    manifest_file_unref(version->file);
}

static int visit_step(struct reading *reading, const struct history_change *change,
                      struct strbuf *before_text, struct strbuf *after_text, struct error *err)
{
    CLEANUP(release_version) struct version after = {.file = NULL};
    if (!strcmp(reading->last.blob, change->after) && reading->last.file)
        after = (struct version){.file = manifest_file_ref(reading->last.file)};
    else
        after = parse(reading, change->path, change->after, after_text);
    manifest_file_unref(reading->last.file);
    reading->last = parse(reading, change->path, change->before, before_text);
    const struct resource *workload = reading->question->workload;
    struct workload_step step = {.before = find(&reading->last, workload), .after = find(&after, workload)};
    memcpy(step.commit, change->commit, sizeof(step.commit));
    return step.before || step.after ? reading->visit(&step, reading->context, err) : 0;
}

static int visit_change(const struct history_change *change, void *context, struct error *err)
{
    struct reading *reading = context;
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
    if (reading->steps++ == LIMIT_HISTORY_VERSIONS)
        return 1;
    if (read_text(reading, change->before, &before, err) < 0 ||
        read_text(reading, change->after, &after, err) < 0)
        return -1;
    if (!has_word(reading, &before) && !has_word(reading, &after))
        return 0;
    return visit_step(reading, change, &before, &after, err);
}

int workload_history(struct repository *r, const struct history_question *question, workload_visit visit,
                     void *context, struct error *err)
{
    struct reading reading = {.repository = r, .question = question, .visit = visit, .context = context};
    int result = history_of_file(r->history, question->head, question->workload->file->path, visit_change,
                                 &reading, err);
    manifest_file_unref(reading.last.file);
    return result;
}

const char *container_image_text(const struct container *container)
{
    return container ? container->image.text : NULL;
}

bool commit_is_automatic(const struct config *config, const struct commit_info *info, const json_t *note)
{
    /* How the commits of commands begin, which have the same author; -m may have replaced it but for the trailer. */
    static const char *const commands[] = {"Release ", "Update image refs in ", "Rollback ", "Promote "};
    const char *type = commit_note_type(note);
    if (type)
        return !strcmp(type, "auto");
    if (str_starts_with(info->message, "Auto-release "))
        return true;
    if (strcmp(info->author, config->git_user) != 0 || strcmp(info->email, config->git_email) != 0 ||
        strstr(info->message, "\nPawl-Rollback: "))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (str_starts_with(info->message, commands[i]))
            return false;
    }
    return true;
}
