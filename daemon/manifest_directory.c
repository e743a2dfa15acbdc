#include "daemon/manifest_directory.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"

static bool is_there(const char *directory, const char *name)
{
    AUTO_FREE char *path = file_join(directory, name);
    return access(path, F_OK) == 0;
}

static bool is_left_out(const FTSENT *directory)
{
    bool hidden = directory->fts_level > FTS_ROOTLEVEL && directory->fts_name[0] == '.';
    return hidden || (is_there(directory->fts_accpath, "Chart.yaml") &&
                      is_there(directory->fts_accpath, "values.yaml"));
}

/* "./a/b" is "a/b": so diffs name it, which git apply wants. */
static const char *without_dot(const char *path)
{
    return str_starts_with(path, "./") ? path + 2 : path;
}

static int add_file(struct manifest_set *set, const char *path, const char *default_space, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (file_read(path, LIMIT_YAML_BYTES, &text, err) < 0)
        return -1;
    size_t len = 0;
    char *bytes = strbuf_detach(&text, &len);
    manifest_set_add(set, manifest_file_new(path, bytes, len, default_space));
    return 0;
}

static int compare_names(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void close_walk(FTS **walk)
{
    if (*walk)
        fts_close(*walk);
}

static int walk_directory(struct manifest_set *set, const char *path, const char *default_space,
                          struct error *err)
{
    AUTO_FREE char *copy = xstrdup(path);
    char *const roots[] = {copy, NULL};
    CLEANUP(close_walk) FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, compare_names);
    if (!walk)
        return error_errno(err, errno, "cannot read %s", path);
    for (FTSENT *each; (each = fts_read(walk)) != NULL;) {
        bool is_file = each->fts_info == FTS_F || each->fts_info == FTS_SL;
        if (each->fts_info == FTS_DNR || each->fts_info == FTS_ERR || each->fts_info == FTS_NS)
            return error_errno(err, each->fts_errno, "cannot read %s", each->fts_path);
        if (each->fts_info == FTS_D && is_left_out(each))
            fts_set(walk, each, FTS_SKIP);
        else if (is_file &&
                 (each->fts_level == FTS_ROOTLEVEL || manifest_path_is_yaml(each->fts_path) ||
                  manifest_path_is_kustomization(each->fts_path)) &&
                 add_file(set, without_dot(each->fts_path), default_space, err) < 0)
            return -1;
    }
    return 0;
}

struct manifest_set *manifest_directory_read(const char *path, const char *default_space, struct error *err)
{
    CLEANUP(manifest_set_release) struct manifest_set *set = manifest_set_new();
    if (walk_directory(set, path, default_space, err) < 0)
        return NULL;
    manifest_set_finish(set);
    return steal(&set);
}
