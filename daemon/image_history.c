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
    size_t texts, steps; /* versions searched, and read */
    size_t texts_beside; /* of other files */
    /* Set where the workload came into the file from another one: what is older is in that one. */
    char *origin_path; /* NULL: it did not; owned */
    size_t origin_order;
    bool is_cut; /* a limit was reached */
};

/* Counts one more; 1 if that is too many, as visits return it. */
static int use_up(struct reading *reading, size_t *count, size_t limit)
{
    reading->is_cut = reading->is_cut || *count >= limit;
    return (*count)++ >= limit;
}

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

/* As of the path that it has today: resources that are named by their path are then those of today. */
static struct version parse(const struct reading *reading, const char *blob, struct strbuf *text)
{
    struct version version = {.file = NULL};
    memcpy(version.blob, blob, sizeof(version.blob));
    if (!text->len)
        return version;
    size_t len = 0;
    char *bytes = strbuf_detach(text, &len);
    version.file = manifest_file_new(reading->question->workload->file->path, bytes, len,
                                     reading->repository->default_space);
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

/* -- from file to file ------------------------------------------------------------------------------------------ */

static bool is_of_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-_.", c));
}

/* How often the workload's name stands in the text, not as a part of another one. */
static size_t count_name(const struct reading *reading, const struct strbuf *text)
{
    const char *name = reading->question->workload->id.name;
    size_t count = 0, len = strlen(name);
    const char *at = text->len && len ? text->buf : NULL;
    while (at && (at = memmem(at, text->len - (size_t)(at - text->buf), name, len))) {
        bool is_begin = at == text->buf || !is_of_name(at[-1]);
        at += len;
        count += is_begin && !is_of_name(*at);
    }
    return count;
}

/* Where the workload came from with the commit of a change, if from another file. */
struct origin {
    struct reading *reading;
    const struct history_change *change;
    bool is_renamed; /* looked for in files of the same name, which a moved one most often has */
    struct version version;
    const struct resource *workload; /* NULL: it was nowhere */
};

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Another file that the commit changed. */
static int look_beside(const struct history_change *other, void *context, struct error *err)
{
    struct origin *origin = context;
    struct reading *reading = origin->reading;
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
    bool has_other_name = strcmp(name_of(other->path), name_of(origin->change->path)) != 0;
    if (has_other_name != origin->is_renamed)
        return 0;
    if (reading->texts_beside++ >= LIMIT_HISTORY_TEXTS)
        return 1; /* not at the cost of the file's own history */
    if (read_text(reading, other->before, &before, err) < 0 ||
        read_text(reading, other->after, &after, err) < 0)
        return -1;
    if (count_name(reading, &before) <= count_name(reading, &after))
        return 0;
    struct version version = parse(reading, other->before, &before);
    origin->workload = find(&version, reading->question->workload);
    if (!origin->workload) {
        manifest_file_unref(version.file);
        return 0;
    }
    origin->version = version;
    reading->origin_path = xstrdup(other->path);
    reading->origin_order = other->order;
    return 1;
}

static int find_origin(struct origin *origin, struct error *err)
{
    const struct history *history = origin->reading->repository->history;
    if (history_beside(history, origin->change, look_beside, origin, err) < 0)
        return -1;
    origin->is_renamed = true;
    return origin->workload ? 0 : history_beside(history, origin->change, look_beside, origin, err);
}

/* -- the steps --------------------------------------------------------------------------------------------------- */

static void release_version(struct version *version)
{
    manifest_file_unref(version->file);
}

static void release_origin(struct origin *origin)
{
    release_version(&origin->version);
}

static int visit_step(struct reading *reading, const struct history_change *change,
                      const struct origin *origin, struct strbuf *before_text, struct strbuf *after_text,
                      struct error *err)
{
    CLEANUP(release_version) struct version after = {.file = NULL};
    if (!strcmp(reading->last.blob, change->after) && reading->last.file)
        after = (struct version){.file = manifest_file_ref(reading->last.file)};
    else
        after = parse(reading, change->after, after_text);
    manifest_file_unref(reading->last.file);
    reading->last = parse(reading, change->before, before_text);
    const struct resource *workload = reading->question->workload;
    struct workload_step step = {.before = find(&reading->last, workload), .after = find(&after, workload)};
    memcpy(step.commit, change->commit, sizeof(step.commit));
    bool has_come = origin->workload && step.after && !step.before;
    step.before = has_come ? origin->workload : step.before;
    int result = step.before || step.after ? reading->visit(&step, reading->context, err) : 0;
    if (result != 0 || !has_come)
        free(steal(&reading->origin_path));
    return result == 0 && has_come ? 1 : result;
}

/* Whether the workload is new in the file. Its name is counted first, as that is quick. */
static bool is_new_here(const struct reading *reading, const struct history_change *change,
                        const struct strbuf *before, const struct strbuf *after)
{
    if (count_name(reading, after) <= count_name(reading, before))
        return false;
    if (!before->len)
        return true;
    CLEANUP(strbuf_release) struct strbuf copy = STRBUF_INIT;
    strbuf_add(&copy, before->buf, before->len);
    CLEANUP(release_version) struct version version = parse(reading, change->before, &copy);
    return !find(&version, reading->question->workload);
}

static int visit_change(const struct history_change *change, void *context, struct error *err)
{
    struct reading *reading = context;
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
    CLEANUP(release_origin) struct origin origin = {.reading = reading, .change = change};
    if (use_up(reading, &reading->texts, LIMIT_HISTORY_TEXTS))
        return 1;
    if (read_text(reading, change->before, &before, err) < 0 ||
        read_text(reading, change->after, &after, err) < 0)
        return -1;
    if (is_new_here(reading, change, &before, &after) && find_origin(&origin, err) < 0)
        return -1;
    if (!origin.workload && !has_word(reading, &before) && !has_word(reading, &after))
        return 0;
    if (use_up(reading, &reading->steps, LIMIT_HISTORY_VERSIONS))
        return 1;
    return visit_step(reading, change, &origin, &before, &after, err);
}

int workload_history(struct repository *r, const struct history_question *question, workload_visit visit,
                     void *context, struct error *err)
{
    struct reading reading = {.repository = r, .question = question, .visit = visit, .context = context};
    int result = history_of_file(r->history, question->head, question->workload->file->path, visit_change,
                                 &reading, err);
    while (result == 0 && reading.origin_path && !reading.is_cut) {
        AUTO_FREE char *path = steal(&reading.origin_path);
        result = history_before(r->history, path, reading.origin_order, visit_change, &reading, err);
    }
    free(reading.origin_path);
    manifest_file_unref(reading.last.file);
    return result == 0 && reading.is_cut ? 1 : result;
}

const char *container_image_text(const struct container *container)
{
    return container ? container->image.text : NULL;
}

/* Of one without a note, by pawl's author. */
static enum commit_maker maker_by_message(const char *message)
{
    /* How commits of people begin that may have the same author: those of commands, of which -m may have replaced it but for
     * the trailer, and those of `git revert` where a robot's name is configured. */
    static const char *const commands[] = {"Release ", "Update image refs in ", "Rollback ", "Promote ",
                                           "Revert "};
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (str_starts_with(message, commands[i]))
            return MADE_BY_PERSON;
    }
    return strstr(message, "\nPawl-Rollback: ") ? MADE_BY_PERSON : MADE_BY_EITHER;
}

enum commit_maker commit_maker(const struct config *config, const struct commit_info *info,
                               const json_t *note)
{
    const char *type = commit_note_type(note);
    if (type)
        return !strcmp(type, "auto") ? MADE_BY_AUTOMATION : MADE_BY_PERSON;
    if (str_starts_with(info->message, "Auto-release "))
        return MADE_BY_AUTOMATION;
    if (strcmp(info->author, config->git_user) != 0 || strcmp(info->email, config->git_email) != 0)
        return MADE_BY_PERSON;
    return maker_by_message(info->message);
}
