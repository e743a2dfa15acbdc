#include <dirent.h>
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

static int insert_all(git_packbuilder *builder, const char *index)
{
    CLEANUP(release_odb) git_odb *odb = NULL;
    git_odb_backend *backend = NULL;
    if (git_odb_new(&odb) < 0 || git_odb_backend_one_pack(&backend, index) < 0)
        return -1;
    if (git_odb_add_backend(odb, backend, 1) < 0) {
        backend->free(backend);
        return -1;
    }
    return git_odb_foreach(odb, insert, builder);
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
