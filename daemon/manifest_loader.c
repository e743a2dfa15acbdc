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
};

/* A chart's templates are not YAML, and its values are no manifests. */
static bool is_chart(const char *path UNUSED, const struct tree_directory *directory, void *context UNUSED)
{
    return tree_directory_has(directory, "Chart.yaml") && tree_directory_has(directory, "values.yaml");
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
    return manifest_file_new(file->path, bytes, len, load->loader->default_space);
}

static int visit(const struct tree_file *file, void *context, struct error *err)
{
    struct load *load = context;
    if (!manifest_path_is_yaml(file->path))
        return 0;
    AUTO_FREE char *key = xasprintf("%s %s", file->blob, file->path);
    if (strmap_has(load->files, key))
        return 0; /* below two of the configured paths */
    struct manifest_file *known = strmap_get(load->loader->files, key);
    struct manifest_file *manifest = known ? manifest_file_ref(known) : read_manifest(load, file, err);
    if (!manifest)
        return -1;
    strmap_set(load->files, key, manifest_file_ref(manifest));
    manifest_set_add(load->set, manifest);
    return 0;
}

struct manifest_set *manifest_loader_load(struct manifest_loader *loader, struct mirror *mirror,
                                          const char *commit, const struct strvec *paths, struct error *err)
{
    CLEANUP(manifest_set_release) struct manifest_set *set = manifest_set_new();
    struct load load = {.loader = loader, .mirror = mirror, .set = set, .files = new_files()};
    int status = 0;
    if (!paths->len)
        status = mirror_walk(mirror, commit, NULL, is_chart, visit, &load, err);
    for (size_t i = 0; i < paths->len && status == 0; i++)
        status = mirror_walk(mirror, commit, paths->items[i], is_chart, visit, &load, err);
    if (status < 0) {
        free_files(load.files);
        return NULL;
    }
    free_files(loader->files);
    loader->files = load.files;
    manifest_set_finish(set);
    return steal(&set);
}
