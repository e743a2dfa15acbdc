#include "daemon/manifest_loader.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strmap.h"

struct manifest_loader {
    char *default_space;
    struct strmap *files; /* "BLOB PATH" -> manifest_file, a reference each: those of the last load */
};

static void unref_file(void *file)
{
    manifest_file_unref(file);
}

static struct strmap *new_files(void)
{
    struct strmap *files = xcalloc(1, sizeof(*files));
    strmap_init(files, unref_file);
    return files;
}

static void free_files(struct strmap *files)
{
    strmap_release(files);
    free(files);
}

struct manifest_loader *manifest_loader_new(const char *default_space)
{
    struct manifest_loader *loader = xcalloc(1, sizeof(*loader));
    loader->default_space = xstrdup(default_space);
    loader->files = new_files();
    return loader;
}

void manifest_loader_free(struct manifest_loader *loader)
{
    if (!loader)
        return;
    free_files(loader->files);
    free(loader->default_space);
    free(loader);
}

struct load {
    struct manifest_loader *loader;
    struct mirror *mirror;
    struct manifest_set *set;
    struct strmap *files; /* what the loader will keep; also finds files that two paths share */
    char *chart;          /* the last directory of a Helm chart that was met; NULL: none */
};

/* True if the file is in the directory itself. */
static bool is_directly_in(const char *path, const char *directory)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    return strlen(directory) == len && !strncmp(path, directory, len);
}

/* A chart's templates are not YAML, and its values are no manifests, but may have markers. Walks are depth first, so
 * there is one chart at a time; what is below it is passed over. */
static bool is_below_chart(const char *path, const struct tree_directory *directory, void *context)
{
    struct load *load = context;
    size_t len = load->chart ? strlen(load->chart) : 0;
    if (load->chart && (!len || (!strncmp(path, load->chart, len) && path[len] == '/')))
        return true;
    if (tree_directory_has(directory, "Chart.yaml") && tree_directory_has(directory, "values.yaml")) {
        free(load->chart);
        load->chart = xstrdup(path);
    }
    return false;
}

static bool is_chart_file(const struct load *load, const struct tree_file *file)
{
    return load->chart && is_directly_in(file->path, load->chart);
}

static struct manifest_file *read_manifest(struct load *load, const struct tree_file *file, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (mirror_read_blob(load->mirror, file->blob, LIMIT_YAML_BYTES, &text, err) < 0) {
        if (err->code != ERROR_TOO_LARGE)
            return NULL;
        struct manifest_file *file_without_text = manifest_file_unreadable(file->path, err->text);
        error_clear(err);
        return file_without_text;
    }
    size_t len = 0;
    char *bytes = strbuf_detach(&text, &len);
    const char *space = load->loader->default_space;
    return is_chart_file(load, file) ? manifest_file_new_values(file->path, bytes, len, space)
                                     : manifest_file_new(file->path, bytes, len, space);
}

static int visit(const struct tree_file *file, void *context, struct error *err)
{
    struct load *load = context;
    bool is_values = is_chart_file(load, file);
    bool is_read = manifest_path_is_yaml(file->path) || manifest_path_is_kustomization(file->path);
    if (!is_read || (is_values && !str_starts_with(file->name, "values")))
        return 0;
    AUTO_FREE char *key = xasprintf("%s%s %s", is_values ? "values " : "", file->blob, file->path);
    if (strmap_has(load->files, key))
        return 0; /* below two of the configured paths */
    struct manifest_file *known = strmap_get(load->loader->files, key);
    struct manifest_file *manifest = known ? manifest_file_ref(known) : read_manifest(load, file, err);
    if (!manifest)
        return -1;
    strmap_set(load->files, key, manifest_file_ref(manifest));
    if (is_values && !manifest->resources_len && !manifest->problems_len)
        manifest_file_unref(manifest); /* remembered, so that it is not read again */
    else
        manifest_set_add(load->set, manifest);
    return 0;
}

static int walk(struct load *load, const char *commit, const char *path, struct error *err)
{
    int status = mirror_walk(load->mirror, commit, path, is_below_chart, visit, load, err);
    free(steal(&load->chart));
    return status;
}

struct manifest_set *manifest_loader_load(struct manifest_loader *loader, struct mirror *mirror,
                                          const char *commit, const struct strvec *paths, struct error *err)
{
    CLEANUP(manifest_set_release) struct manifest_set *set = manifest_set_new();
    struct load load = {.loader = loader, .mirror = mirror, .set = set, .files = new_files()};
    int status = 0;
    if (!paths->len)
        status = walk(&load, commit, NULL, err);
    for (size_t i = 0; i < paths->len && status == 0; i++)
        status = walk(&load, commit, paths->items[i], err);
    if (status < 0) {
        free_files(load.files);
        return NULL;
    }
    free_files(loader->files);
    loader->files = load.files;
    manifest_set_finish(set);
    return steal(&set);
}
