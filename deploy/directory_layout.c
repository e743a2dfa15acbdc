#include "deploy/directory_layout.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "deploy/selection.h"

/* "./a//b/" becomes "a/b", "." and "" become "". */
static char *plain_path(const char *path)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    while (*path) {
        size_t len = strcspn(path, "/");
        bool is_here = len == 1 && path[0] == '.';
        if (len && !is_here)
            strbuf_addf(&out, "%s%.*s", out.len ? "/" : "", (int)len, path);
        path += len + (path[len] == '/');
    }
    return strbuf_detach(&out, NULL);
}

/* No part of it is empty or leads elsewhere. */
static bool is_inside(const char *path)
{
    if (!*path)
        return false;
    for (;;) {
        size_t len = strcspn(path, "/");
        if (!len || (len <= 2 && strncmp(path, "..", len) == 0))
            return false;
        if (!path[len])
            return true;
        path += len + 1;
    }
}

char *directory_layout_place(const char *path, const char *const *configured, struct error *err)
{
    bool has_one = configured && configured[0] && !configured[1];
    AUTO_FREE char *base = plain_path(has_one ? configured[0] : "");
    size_t len = strlen(base);
    const char *place = path;
    if (len && strncmp(path, base, len) == 0 && path[len] == '/')
        place = path + len + 1;
    else if (len && strcmp(path, base) == 0 && strrchr(path, '/')) /* the configured path is this very file */
        place = strrchr(path, '/') + 1;
    if (!is_inside(place)) {
        error_set(err, ERROR_INVALID, "%s would lead out of the target directory", path);
        return NULL;
    }
    return xstrdup(place);
}

static const struct manifest_document *first_broken(const struct manifest_file *file)
{
    for (size_t i = 0; i < file->documents_len; i++) {
        if (file->documents[i].error)
            return &file->documents[i];
    }
    return NULL;
}

/* What becomes of one document: how many of its resources stay, and how many do not. */
struct document_use {
    size_t kept, left_out;
};

/* Sorts the resources; false (with *why) if one cannot be applied. */
static bool use_documents(const struct apply_request *request, struct resource *const *resources, size_t len,
                          struct document_use *uses, char **why, struct apply_report *report)
{
    for (size_t i = 0; i < len; i++) {
        const struct resource *resource = resources[i];
        char *message;
        if (selection_includes(request, resource, &message)) {
            uses[resource->document].kept++;
        } else if (!resource->is_duplicate) {
            uses[resource->document].left_out++;
            apply_report_add(report, resource, resource->file, APPLY_SKIPPED, message);
        } else {
            AUTO_FREE char *reason = message;
            AUTO_FREE char *id = resource_id_text(&resource->id);
            *why = xasprintf("line %d: %s is %s", resource->line, id, reason);
            return false;
        }
    }
    return true;
}

static bool is_whole(const struct manifest_file *file, const struct document_use *uses, char **why)
{
    const struct manifest_document *broken = first_broken(file);
    if (broken) {
        *why = xasprintf("line %d is no YAML, so the file as it was before is kept: %s", broken->error_line,
                         broken->error);
        return false;
    }
    for (size_t i = 0; i < file->documents_len; i++) {
        if (!uses[i].kept || !uses[i].left_out)
            continue;
        *why = xasprintf(
            "line %d: some items of this List are to be left alone, and a file cannot do that: give "
            "them documents of their own",
            file->documents[i].line);
        return false;
    }
    return true;
}

enum layout_verdict directory_layout_bytes(const struct apply_request *request,
                                           const struct manifest_file *file,
                                           struct resource *const *resources, size_t resources_len,
                                           struct strbuf *bytes, char **why, struct apply_report *report)
{
    if (!file->documents_len || !resources_len)
        return LAYOUT_NOTHING;
    AUTO_FREE struct document_use *uses = xcalloc(file->documents_len + 1, sizeof(*uses));
    if (!use_documents(request, resources, resources_len, uses, why, report) || !is_whole(file, uses, why))
        return LAYOUT_BROKEN;
    size_t kept = 0;
    for (size_t i = 0; i < file->documents_len; i++) {
        const struct manifest_document *document = &file->documents[i];
        kept += uses[i].kept;
        if (!uses[i].left_out)
            strbuf_add(bytes, file->text + document->start, document->end - document->start);
    }
    return kept ? LAYOUT_WRITE : LAYOUT_NOTHING;
}
