#include <dirent.h>
#include <malloc.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "git/mirror_private.h"

static void close_directory(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

/* "…/pack-1.idx" to "…/pack-1.pack". */
static char *pack_of(const char *index)
{
    return xasprintf("%.*s.pack", (int)(strlen(index) - strlen(".idx")), index);
}

static void list_small(const char *path, struct strvec *indexes)
{
    CLEANUP(close_directory) DIR *directory = opendir(path);
    const struct dirent *entry;
    while (directory && (entry = readdir(directory))) {
        struct stat is;
        if (!str_ends_with(entry->d_name, ".idx"))
            continue;
        AUTO_FREE char *index = file_join(path, entry->d_name);
        AUTO_FREE char *pack = pack_of(index);
        if (stat(pack, &is) == 0 && is.st_size <= LIMIT_GIT_SMALL_PACK)
            strvec_push(indexes, index);
    }
}

static int insert(const git_oid *id, void *builder)
{
    return git_packbuilder_insert(builder, id, NULL);
}

/* Visits what `backend` holds, which it frees; NULL is a failure. */
static int visit_all(git_odb_backend *backend, git_odb_foreach_cb visit, void *context)
{
    CLEANUP(release_odb) git_odb *odb = NULL;
    if (!backend || git_odb_new(&odb) < 0 || git_odb_add_backend(odb, backend, 1) < 0) {
        if (backend)
            backend->free(backend);
        return -1;
    }
    return git_odb_foreach(odb, visit, context);
}

static int insert_all(git_packbuilder *builder, const char *index)
{
    git_odb_backend *backend = NULL;
    return git_odb_backend_one_pack(&backend, index) < 0 ? -1 : visit_all(backend, insert, builder);
}

/* The index goes first: a pack without one is looked at by nobody. */
static void remove_pack(const char *index)
{
    AUTO_FREE char *pack = pack_of(index);
    unlink(index);
    unlink(pack);
}

/* libgit2 keeps what it has open of a pack that is gone, and looks into it first: a daemon's fetches would add up. */
static void forget_packs(struct mirror *mirror)
{
    AUTO_FREE char *objects = file_join(mirror->directory, "objects");
    CLEANUP(release_odb) git_odb *odb = NULL;
    if (git_odb_open(&odb, objects) == 0)
        git_repository_set_odb(mirror->repository, odb);
    malloc_trim(0); /* packing takes memory that nothing needs until the next time */
}

void mirror_packs_gather(struct mirror *mirror)
{
    AUTO_FREE char *directory = file_join(mirror->directory, "objects/pack");
    CLEANUP(strvec_release) struct strvec indexes = STRVEC_INIT;
    CLEANUP(release_packbuilder) git_packbuilder *builder = NULL;
    list_small(directory, &indexes);
    if (indexes.len < LIMIT_GIT_PACKS || git_packbuilder_new(&builder, mirror->repository) < 0)
        return;
    for (size_t i = 0; i < indexes.len; i++) {
        if (insert_all(builder, indexes.items[i]) < 0)
            return;
    }
    if (git_packbuilder_write(builder, NULL, 0, NULL, NULL) < 0)
        return;
    AUTO_FREE char *fresh = xasprintf("pack-%s.idx", git_packbuilder_name(builder));
    for (size_t i = 0; i < indexes.len; i++) {
        if (!str_ends_with(indexes.items[i], fresh))
            remove_pack(indexes.items[i]);
    }
    forget_packs(mirror);
}

/* -- objects in files of their own ------------------------------------------------------------------------ */

struct loose {
    const char *directory;
    git_packbuilder *builder;
    struct strvec paths;
};

/* Their names are hashes: one directory of the 256 tells of all, as in git gc --auto. */
static bool are_many(const char *objects)
{
    AUTO_FREE char *path = file_join(objects, "17");
    CLEANUP(close_directory) DIR *directory = opendir(path);
    const struct dirent *entry;
    size_t len = 0;
    while (directory && (entry = readdir(directory)))
        len += entry->d_name[0] != '.';
    return len >= LIMIT_GIT_LOOSE / 256;
}

static int insert_loose(const git_oid *id, void *context)
{
    struct loose *loose = context;
    char name[GIT_ID_SIZE];
    git_oid_tostr(name, sizeof(name), id);
    AUTO_FREE char *path = xasprintf("%s/%.2s/%s", loose->directory, name, name + 2);
    strvec_push(&loose->paths, path);
    return git_packbuilder_insert(loose->builder, id, NULL);
}

static void release_loose(struct loose *loose)
{
    strvec_release(&loose->paths);
    release_packbuilder(&loose->builder);
}

void mirror_loose_gather(struct mirror *mirror)
{
    AUTO_FREE char *directory = file_join(mirror->directory, "objects");
    CLEANUP(release_loose) struct loose loose = {.directory = directory};
    git_odb_backend *backend = NULL;
    if (!are_many(directory) || git_packbuilder_new(&loose.builder, mirror->repository) < 0 ||
        git_odb_backend_loose(&backend, directory, -1, 0, 0, 0) < 0 ||
        visit_all(backend, insert_loose, &loose) < 0 ||
        git_packbuilder_write(loose.builder, NULL, 0, NULL, NULL) < 0)
        return;
    for (size_t i = 0; i < loose.paths.len; i++)
        unlink(loose.paths.items[i]);
    forget_packs(mirror);
}
