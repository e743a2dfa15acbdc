/*
 * The directory target: the files of a commit, for programs that watch a folder (k3s, kubelet's static pods,
 * `podman kube play`).
 *
 * Such a program sees the folder at every moment, so each file changes in one step, by a rename, and the only
 * other thing it may ever meet is a temporary file of ours with a leading dot, which a kill at the wrong
 * moment leaves behind; the next apply removes it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/strmap.h"
#include "deploy/directory_layout.h"
#include "deploy/target.h"

struct directory_target {
    struct deploy_target base;
    char *path;
};

/* One apply. */
struct directory_apply {
    const char *root;
    bool dry_run;
    struct strmap swept; /* directories that were cleaned of temporary files */
};

/* -- what a crash left behind ---------------------------------------------------------------------------- */

static bool is_temporary(const char *name)
{
    static const char prefix[] = ".pawl-";
    const char *digits = name + sizeof(prefix) - 1;
    return str_starts_with(name, prefix) && strlen(digits) == 16 && strspn(digits, "0123456789abcdef") == 16;
}

static void close_directory(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

/* Once per directory and apply; what cannot be removed does no harm. */
static void sweep(struct directory_apply *apply, const char *directory)
{
    if (strmap_has(&apply->swept, directory))
        return;
    strmap_set(&apply->swept, directory, NULL);
    CLEANUP(close_directory) DIR *open = opendir(directory);
    for (struct dirent *entry = open ? readdir(open) : NULL; entry; entry = readdir(open)) {
        if (is_temporary(entry->d_name))
            unlinkat(dirfd(open), entry->d_name, 0);
    }
}

/* -- one file -------------------------------------------------------------------------------------------- */

/* Checks each directory between the root and the file: it must be a directory and no link, or be missing. */
static int check_parents(const struct directory_apply *apply, const char *place, bool *missing,
                         struct error *err)
{
    *missing = false;
    for (const char *slash = strchr(place, '/'); slash; slash = strchr(slash + 1, '/')) {
        AUTO_FREE char *part = xmemdupz(place, (size_t)(slash - place));
        AUTO_FREE char *directory = file_join(apply->root, part);
        struct stat is;
        if (lstat(directory, &is) < 0) {
            *missing = errno == ENOENT;
            return *missing ? 0 : error_errno(err, errno, "cannot look at %s", directory);
        }
        if (S_ISLNK(is.st_mode))
            return error_set(err, ERROR_FORBIDDEN,
                             "%s is a link, and links inside the target are not followed", directory);
        if (!S_ISDIR(is.st_mode))
            return error_set(err, ERROR_CONFLICT, "%s is in the way: a directory is needed there", directory);
    }
    return 0;
}

/* What is at the file's place: nothing, or a plain file whose bytes are compared. */
static int compare(const char *path, const struct strbuf *bytes, enum apply_result *result, struct error *err)
{
    struct stat is;
    *result = APPLY_CREATED;
    if (lstat(path, &is) < 0)
        return errno == ENOENT ? 0 : error_errno(err, errno, "cannot look at %s", path);
    if (S_ISLNK(is.st_mode))
        return error_set(err, ERROR_FORBIDDEN, "%s is a link, and links inside the target are not followed",
                         path);
    if (!S_ISREG(is.st_mode))
        return error_set(err, ERROR_CONFLICT, "%s is in the way: it is no plain file", path);
    *result = APPLY_CONFIGURED;
    if ((size_t)is.st_size != bytes->len)
        return 0;
    CLEANUP(strbuf_release) struct strbuf old = STRBUF_INIT;
    if (file_read(path, bytes->len + 1, &old, err) < 0)
        return -1;
    if (old.len == bytes->len && memcmp(old.buf, bytes->buf, old.len) == 0)
        *result = APPLY_UNCHANGED;
    return 0;
}

static int write_file(struct directory_apply *apply, const char *place, const struct strbuf *bytes,
                      enum apply_result *result, struct error *err)
{
    AUTO_FREE char *path = file_join(apply->root, place);
    AUTO_FREE char *directory = xmemdupz(path, (size_t)(strrchr(path, '/') - path));
    bool missing;
    *result = APPLY_CREATED;
    if (check_parents(apply, place, &missing, err) < 0 || (!missing && compare(path, bytes, result, err) < 0))
        return -1;
    if (apply->dry_run)
        return 0;
    if (missing && file_make_directories(directory, 0777, err) < 0)
        return -1;
    sweep(apply, directory);
    return *result == APPLY_UNCHANGED ? 0 : file_write_atomic(path, bytes->buf, bytes->len, 0666, err);
}

static void apply_file(struct directory_apply *apply, const struct apply_request *request,
                       const struct manifest_file *file, struct resource *const *resources,
                       size_t resources_len, struct apply_report *report)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct error problem = ERROR_INIT;
    enum apply_result result = APPLY_FAILED;
    char *why = NULL;
    switch (directory_layout_bytes(request, file, resources, resources_len, &bytes, &why, report)) {
    case LAYOUT_NOTHING:
        return;
    case LAYOUT_BROKEN:
        result = APPLY_SKIPPED;
        break;
    case LAYOUT_WRITE: {
        AUTO_FREE char *place = directory_layout_place(file->path, request->paths, &problem);
        if (!place || write_file(apply, place, &bytes, &result, &problem) < 0) {
            result = APPLY_FAILED;
            why = xstrdup(problem.text);
        }
        break;
    }
    }
    apply_report_add(report, NULL, file, result, why);
}

/* -- the target ------------------------------------------------------------------------------------------ */

static int prepare_root(const struct directory_apply *apply, struct error *err)
{
    struct stat is;
    bool is_missing = stat(apply->root, &is) < 0 && errno == ENOENT;
    if (is_missing && apply->dry_run)
        return 0;
    if (file_make_directories(apply->root, 0777, err) < 0)
        return error_wrap(err, "the target directory");
    if (!apply->dry_run && access(apply->root, W_OK | X_OK) < 0)
        return error_errno(err, errno, "the target directory %s cannot be written to", apply->root);
    return 0;
}

/* Those that are objects, in the set's order; `*len` of them. */
static struct resource **applied_resources(const struct manifest_set *set, size_t *len)
{
    struct resource **resources = xcalloc(set->resources_len + 1, sizeof(struct resource *));
    *len = 0;
    for (size_t i = 0; i < set->resources_len; i++) {
        if (set->resources[i]->is_applied)
            resources[(*len)++] = set->resources[i];
    }
    return resources;
}

static int apply_manifests(struct deploy_target *base, const struct apply_request *request,
                           struct apply_report *report, struct error *err)
{
    const struct directory_target *target = (struct directory_target *)base;
    struct directory_apply apply = {.root = target->path, .dry_run = request->dry_run};
    strmap_init(&apply.swept, NULL);
    if (prepare_root(&apply, err) < 0)
        return -1;
    if (!apply.dry_run)
        sweep(&apply, target->path);
    const struct manifest_set *set = request->manifests;
    size_t len;
    AUTO_FREE struct resource **resources = applied_resources(set, &len);
    for (size_t i = 0, first = 0, end; i < set->files_len; i++, first = end) {
        /* The set's resources lie in the order of its files. */
        for (end = first; end < len && resources[end]->file == set->files[i];)
            end++;
        apply_file(&apply, request, set->files[i], resources + first, end - first, report);
    }
    strmap_release(&apply.swept);
    return 0;
}

static void free_target(struct deploy_target *base)
{
    struct directory_target *target = (struct directory_target *)base;
    free(target->path);
    free(target->base.description);
    free(target);
}

static const struct deploy_target_operations operations = {.apply = apply_manifests, .free = free_target};

int directory_target_open(const char *path, struct deploy_target **out, struct error *err)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (!len)
        return error_set(err, ERROR_USAGE, "--deploy-to: dir: needs a path");
    struct directory_target *target = xcalloc(1, sizeof(*target));
    target->base.operations = &operations;
    target->path = xmemdupz(path, len);
    target->base.description = xasprintf("directory %s", target->path);
    *out = &target->base;
    return 0;
}
