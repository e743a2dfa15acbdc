#include "model/workload_lookup.h"

#include <ctype.h>
#include <stdlib.h>
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

void workload_search_init(struct workload_search *search, const struct resource_id *id)
{
    *search = (struct workload_search){.id = id, .distance = FARTHEST_SLIP};
}

void workload_search_release(struct workload_search *search)
{
    free(search->nearest);
    free(search->broken);
    free(search->unreadable);
    free(search->unread_first);
}

static void find_nearest(struct workload_search *search, const struct manifest_set *manifests)
{
    const struct resource *nearest = NULL;
    for (size_t i = 0; i < manifests->resources_len; i++) {
        const struct resource *each = manifests->resources[i];
        size_t here = each->is_workload ? distance(search->id, &each->id) : search->distance;
        if (here < search->distance) {
            search->distance = here;
            nearest = each;
        }
    }
    if (!nearest)
        return;
    free(search->nearest);
    search->nearest = resource_id_text(&nearest->id);
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

static void count_unread(struct workload_search *search, const struct manifest_set *manifests)
{
    for (size_t i = 0; i < manifests->problems_len; i++) {
        const struct manifest_problem *each = &manifests->problems[i];
        if (each->workload || search->unread++)
            continue;
        search->unread_first = each->line ? xasprintf("%s:%d", each->file, each->line) : xstrdup(each->file);
    }
}

/* The first that is said stays. */
static void take_hint(char **hint, struct strbuf *text)
{
    if (!*hint && text->len)
        *hint = xstrdup(text->buf);
    strbuf_reset(text);
}

void workload_search_add(struct workload_search *search, const struct manifest_set *manifests)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    find_nearest(search, manifests);
    add_broken(manifests, search->id->name, &text);
    take_hint(&search->broken, &text);
    add_unreadable(manifests, &text);
    take_hint(&search->unreadable, &text);
    count_unread(search, manifests);
}

void workload_search_describe(const struct workload_search *search, struct strbuf *out)
{
    const char *plural = search->unread == 1 ? "" : "s";
    if (search->broken) {
        strbuf_addstr(out, search->broken);
        return;
    }
    if (search->nearest)
        strbuf_addf(out, "; did you mean %s?", search->nearest);
    else if (search->unreadable)
        strbuf_addstr(out, search->unreadable);
    if (search->unread && (search->nearest || !search->unreadable))
        strbuf_addf(out, "; %zu file%s or document%s could not be read (%s first), see `pawl once --dry-run`",
                    search->unread, plural, plural, search->unread_first);
}

static void say_missing(const struct manifest_set *manifests, const struct resource_id *id, struct error *err)
{
    CLEANUP(workload_search_release) struct workload_search search;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    workload_search_init(&search, id);
    workload_search_add(&search, manifests);
    strbuf_addstr(&text, "not found in repository");
    workload_search_describe(&search, &text);
    error_set(err, ERROR_NOT_FOUND, "%s", text.buf);
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
