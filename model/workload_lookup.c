#include "model/workload_lookup.h"

#include <ctype.h>
#include <string.h>

#include "base/alloc.h"

/* Names differ by a slip up to here; further away it is another one. */
#define FARTHEST_SLIP 4

/* The same kind and name elsewhere is nearer than any slip. */
static size_t distance(const struct resource_id *wanted, const struct resource_id *there)
{
    if (!strcmp(wanted->kind, there->kind) && !strcmp(wanted->name, there->name))
        return 1;
    return 1 + str_distance(wanted->name, there->name) + (strcmp(wanted->kind, there->kind) != 0) +
           (strcmp(wanted->space, there->space) != 0);
}

static const struct resource *find_nearest(const struct manifest_set *manifests, const struct resource_id *id)
{
    const struct resource *nearest = NULL;
    size_t least = FARTHEST_SLIP;
    for (size_t i = 0; i < manifests->resources_len; i++) {
        const struct resource *each = manifests->resources[i];
        size_t here = each->is_workload ? distance(id, &each->id) : least;
        if (here < least) {
            least = here;
            nearest = each;
        }
    }
    return nearest;
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '.' || c == '_';
}

/* True if the name is a word of the text. */
static bool speaks_of(const char *text, size_t len, const char *name)
{
    size_t name_len = strlen(name);
    for (const char *at = text, *end = text + len, *found;
         (found = memmem(at, (size_t)(end - at), name, name_len)); at = found + 1) {
        const char *behind = found + name_len;
        if ((found == text || !is_name_char(found[-1])) && (behind == end || !is_name_char(*behind)))
            return true;
    }
    return false;
}

static bool document_speaks_of(const struct manifest_file *file, const struct manifest_document *document,
                               const char *name)
{
    return speaks_of(file->text + document->start, document->end - document->start, name);
}

/* The document that the line is in. */
static const struct manifest_document *document_at(const struct manifest_file *file, int line)
{
    const struct manifest_document *found = NULL;
    for (size_t i = 0; i < file->documents_len && file->documents[i].line <= line; i++)
        found = &file->documents[i];
    return found;
}

/* Adds what is wrong with a document of the file that speaks of the name: it is broken, or no object. False if nothing is. */
static bool add_broken_in(const struct manifest_file *file, const char *name, struct strbuf *out)
{
    for (size_t i = 0; i < file->documents_len; i++) {
        const struct manifest_document *document = &file->documents[i];
        if (!document->error || !document_speaks_of(file, document, name))
            continue;
        strbuf_addf(out, "; it may be in %s, which cannot be read: line %d: %s", file->path,
                    document->error_line, document->error);
        return true;
    }
    for (size_t i = 0; i < file->problems_len; i++) {
        const struct manifest_problem *problem = &file->problems[i];
        const struct manifest_document *document =
            problem->workload ? NULL : document_at(file, problem->line);
        if (!document || document->error || !document_speaks_of(file, document, name))
            continue;
        strbuf_addf(out, "; it may be in %s: line %d: %s", file->path, problem->line, problem->message);
        return true;
    }
    return false;
}

/* Why nothing of the file can be read: it is UTF-16, or too large. NULL if something can. */
static const char *why_unreadable(const struct manifest_file *file)
{
    bool is_whole = !file->documents_len && file->problems_len && !file->problems[0].line;
    return is_whole ? file->problems[0].message : NULL;
}

static bool add_broken(const struct manifest_set *manifests, const char *name, struct strbuf *out)
{
    bool is_added = false;
    for (size_t i = 0; i < manifests->files_len && !is_added; i++)
        is_added = add_broken_in(manifests->files[i], name, out);
    return is_added;
}

static void add_unreadable(const struct manifest_set *manifests, struct strbuf *out)
{
    for (size_t i = 0; i < manifests->files_len; i++) {
        const struct manifest_file *file = manifests->files[i];
        const char *why = why_unreadable(file);
        if (!why)
            continue;
        strbuf_addf(out, "; it may be in %s, which cannot be read: %s", file->path, why);
        return;
    }
}

void workload_add_unread(const struct manifest_set *manifests, const struct resource_id *id,
                         struct strbuf *out)
{
    if (!add_broken(manifests, id->name, out))
        add_unreadable(manifests, out);
}

static void say_missing(const struct manifest_set *manifests, const struct resource_id *id, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf hint = STRBUF_INIT;
    const struct resource *nearest = NULL;
    if (!add_broken(manifests, id->name, &hint) && !(nearest = find_nearest(manifests, id)))
        add_unreadable(manifests, &hint);
    AUTO_FREE char *name = nearest ? resource_id_text(&nearest->id) : NULL;
    if (name)
        strbuf_addf(&hint, "; did you mean %s?", name);
    error_set(err, ERROR_NOT_FOUND, "not found in repository%s", hint.len ? hint.buf : "");
}

/* True if the problem spoils what was asked for. Of a file with markers it may be that there is no good one. */
static bool concerns(const struct manifest_problem *problem, const char *name, const struct resource_id *id)
{
    if (problem->workload)
        return !strcmp(problem->workload, name);
    AUTO_FREE char *file = manifest_name_of_path(problem->file);
    return !strcmp(id->kind, "file") && !strcmp(id->name, file);
}

/* True if the manifest is there and spoiled. */
bool workload_say_problem(const struct manifest_set *manifests, const struct resource_id *id,
                          struct error *err)
{
    AUTO_FREE char *name = resource_id_text(id);
    for (size_t i = 0; i < manifests->problems_len; i++) {
        const struct manifest_problem *problem = &manifests->problems[i];
        if (concerns(problem, name, id)) {
            error_set(err, ERROR_INVALID, "%s:%d: %s", problem->file, problem->line, problem->message);
            return true;
        }
    }
    return false;
}

const struct resource *workload_find(const struct manifest_set *manifests, const struct resource_id *id,
                                     struct error *err)
{
    const struct resource *found = manifest_set_find(manifests, id);
    if (found && found->is_workload)
        return found;
    if (found)
        error_set(err, ERROR_UNSUPPORTED, "%s:%d: a %s does not have containers", found->file->path,
                  found->line, found->kind);
    else if (!workload_say_problem(manifests, id, err))
        say_missing(manifests, id, err);
    return NULL;
}
