#include "model/manifest.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/manifest_containers.h"
#include "model/manifest_file.h"
#include "model/manifest_keep.h"
#include "model/manifest_kustomization.h"
#include "model/manifest_markers.h"
#include "model/manifest_objects.h"

bool manifest_path_is_yaml(const char *path)
{
    return str_ends_with(path, ".yaml") || str_ends_with(path, ".yml");
}

const char *resource_annotation(const struct resource *resource, const char *key)
{
    for (size_t i = 0; i < resource->annotations_len; i++) {
        if (!strcmp(resource->annotations[i].key, key))
            return resource->annotations[i].value;
    }
    return NULL;
}

void manifest_file_add_problem(struct manifest_file *file, int line, char *workload, char *message)
{
    vec_grow(file->problems, file->problems_len, file->problems_capacity);
    file->problems[file->problems_len++] = (struct manifest_problem){
        .file = xstrdup(file->path), .line = line, .workload = workload, .message = message};
}

void manifest_file_add_broken(struct manifest_file *file, const struct yaml_document *document)
{
    manifest_file_add_problem(file, document->error_line, NULL,
                              xasprintf("column %d: %s", document->error_column, document->error.text));
}

struct resource *manifest_file_add_resource(struct manifest_file *file, size_t *capacity)
{
    vec_grow(file->resources, file->resources_len, *capacity);
    struct resource *resource = &file->resources[file->resources_len++];
    *resource = (struct resource){.file = file};
    return resource;
}

char *manifest_name_of_path(const char *path)
{
    char *name = xstrdup(path);
    for (char *c = name; *c; c++) {
        if (*c == '/')
            *c = '.';
        else if (!isalnum((unsigned char)*c) && !strchr("_-.:", *c))
            *c = '-';
    }
    return name;
}

static struct manifest_file *new_file(const char *path, char *text, size_t len)
{
    struct manifest_file *file = xcalloc(1, sizeof(*file));
    file->references = 1;
    file->path = xstrdup(path);
    file->text = text;
    file->len = len;
    return file;
}

static bool parse(struct manifest_file *file)
{
    struct error err = ERROR_INIT;
    file->yaml = yaml_read(file->text, file->len, &err);
    if (!file->yaml) {
        manifest_file_add_problem(file, 0, NULL, xstrdup(err.text));
        return false;
    }
    file->documents_len = file->yaml->len;
    file->documents = xcalloc(file->documents_len, sizeof(*file->documents));
    for (size_t i = 0; i < file->documents_len; i++) {
        const struct yaml_document *document = &file->yaml->documents[i];
        file->documents[i] = (struct manifest_document){
            .start = document->start,
            .end = document->end,
            .line = document->line,
            .error_line = document->error_line,
            .error = document->error.code != ERROR_NONE ? document->error.text : NULL};
    }
    return true;
}

struct manifest_file *manifest_file_new(const char *path, char *text, size_t len, const char *default_space)
{
    struct manifest_file *file = new_file(path, text, len);
    if (!parse(file))
        return file;
    size_t capacity = manifest_read_objects(file, default_space);
    manifest_read_below(file);
    if (manifest_has_markers(text, len))
        manifest_read_markers(file, default_space, capacity);
    manifest_report_kustomizations(file);
    if (file->resources_len) /* most files have one, and all files are kept */
        file->resources = xreallocarray(file->resources, file->resources_len, sizeof(*file->resources));
    manifest_keep(file);
    return file;
}

static void report_broken(struct manifest_file *file)
{
    for (size_t i = 0; i < file->yaml->len; i++) {
        const struct yaml_document *document = &file->yaml->documents[i];
        if (document->error.code != ERROR_NONE)
            manifest_file_add_broken(file, document);
    }
}

struct manifest_file *manifest_file_new_values(const char *path, char *text, size_t len,
                                               const char *default_space)
{
    struct manifest_file *file = new_file(path, text, len);
    file->is_values = true;
    if (!manifest_has_markers(text, len)) {
        free(file->text);
        file->text = xstrdup("");
        file->len = 0;
    } else if (parse(file)) {
        report_broken(file);
        manifest_read_markers(file, default_space, 0);
        manifest_keep(file);
    }
    return file;
}

struct manifest_file *manifest_file_with_text(const struct manifest_file *file, char *text, size_t len,
                                              const char *default_space)
{
    return file->is_values ? manifest_file_new_values(file->path, text, len, default_space)
                           : manifest_file_new(file->path, text, len, default_space);
}

struct manifest_file *manifest_file_unreadable(const char *path, const char *message)
{
    struct manifest_file *file = manifest_file_new(path, xstrdup(""), 0, "");
    manifest_file_add_problem(file, 0, NULL, xstrdup(message));
    return file;
}

struct manifest_file *manifest_file_ref(struct manifest_file *file)
{
    __atomic_add_fetch(&file->references, 1, __ATOMIC_RELAXED);
    return file;
}

void manifest_problem_release(struct manifest_problem *problem)
{
    free(problem->file);
    free(problem->workload);
    free(problem->message);
    free(problem->topic);
}

static void release_resource(struct resource *resource)
{
    resource_id_release(&resource->id);
    free(resource->annotations);
    free(resource->labels);
    free(resource->pull_secrets);
    manifest_release_containers(resource);
}

void manifest_file_unref(struct manifest_file *file)
{
    if (!file || __atomic_sub_fetch(&file->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < file->resources_len; i++)
        release_resource(&file->resources[i]);
    free(file->resources);
    for (size_t i = 0; i < file->problems_len; i++)
        manifest_problem_release(&file->problems[i]);
    free(file->problems);
    free(file->documents);
    free(file->below);
    free(file->patches);
    free(file->nodes);
    free(file->texts);
    free(file->text);
    free(file->path);
    free(file);
}
