/* The mirror's directory: made in one step, made anew when damaged, locked, swept after a death. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "git/mirror_private.h"

#define DESCRIPTORS 16 /* for walking directories */

/* -- removing -------------------------------------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *stat UNUSED, int kind UNUSED,
                        struct FTW *at UNUSED)
{
    remove(path);
    return 0;
}

static void remove_tree(const char *path)
{
    nftw(path, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

/* libgit2's lock files: a writer that dies leaves them, and nobody else may write until they are gone. */
static int remove_lock(const char *path, const struct stat *stat UNUSED, int kind, struct FTW *at UNUSED)
{
    if (kind == FTW_F && str_ends_with(path, ".lock"))
        unlink(path);
    return 0;
}

/* libgit2's temporary objects and packs. */
static int remove_temporary(const char *path, const struct stat *stat UNUSED, int kind, struct FTW *at)
{
    if (kind == FTW_F && strstr(path + at->base, "_git2_"))
        unlink(path);
    return 0;
}

void mirror_store_sweep(struct mirror *mirror)
{
    static const char *const locks[] = {"HEAD.lock", "config.lock", "packed-refs.lock"};
    for (size_t i = 0; i < ARRAY_LEN(locks); i++) {
        AUTO_FREE char *path = file_join(mirror->directory, locks[i]);
        unlink(path);
    }
    AUTO_FREE char *refs = file_join(mirror->directory, "refs");
    AUTO_FREE char *objects = file_join(mirror->directory, "objects");
    AUTO_FREE char *pushes = file_join(mirror->directory, "refs/pawl");
    nftw(refs, remove_lock, DESCRIPTORS, FTW_PHYS);
    nftw(objects, remove_temporary, DESCRIPTORS, FTW_PHYS);
    remove_tree(pushes);
}

/* -- the lock -------------------------------------------------------------------------------------------- */

static long long read_holder(int fd)
{
    char text[32] = "";
    ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
    return len > 0 ? strtoll(text, NULL, 10) : 0;
}

/* Tries until the deadline; the first tries are close together, as most rounds are short. */
static int wait_for_lock(int fd, const struct mirror *mirror, int64_t timeout_ms, struct error *err)
{
    int64_t deadline = clock_monotonic_ms(&system_clock) + timeout_ms;
    useconds_t pause_us = 2000;
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return error_errno(err, errno, "cannot lock %s.lock", mirror->directory);
        if (clock_monotonic_ms(&system_clock) >= deadline)
            return error_set(err, ERROR_TIMEOUT,
                             "the mirror of %s is in use by process %lld: wait for it, or end it",
                             mirror->url.shown, read_holder(fd));
        usleep(pause_us);
        pause_us = pause_us < 100000 ? pause_us * 2 : pause_us;
    }
    return 0;
}

int mirror_lock(struct mirror *mirror, int64_t timeout_ms, struct error *err)
{
    if (mirror->lock >= 0)
        return 0;
    AUTO_FREE char *path = xasprintf("%s.lock", mirror->directory);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, errno, "cannot open %s", path);
    if (wait_for_lock(fd, mirror, timeout_ms, err) < 0) {
        close(fd);
        return -1;
    }
    mirror->lock = fd;
    /* Who ends in order leaves the file empty. */
    if (read_holder(fd) > 0)
        mirror_store_sweep(mirror);
    char text[32];
    int len = snprintf(text, sizeof(text), "%lld\n", (long long)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) == len)
        return 0;
    error_errno(err, errno, "cannot write %s", path);
    mirror_unlock(mirror);
    return -1;
}

void mirror_unlock(struct mirror *mirror)
{
    if (mirror->lock < 0)
        return;
    if (ftruncate(mirror->lock, 0) == 0)
        flock(mirror->lock, LOCK_UN);
    close(mirror->lock);
    mirror->lock = -1;
}

int mirror_lock_enter(struct mirror *mirror, bool *taken, struct error *err)
{
    *taken = mirror->lock < 0;
    return *taken ? mirror_lock(mirror, mirror->timeout_ms, err) : 0;
}

void mirror_lock_leave(struct mirror *mirror, bool taken)
{
    if (taken)
        mirror_unlock(mirror);
}

/* -- opening and making ---------------------------------------------------------------------------------- */

void mirror_store_mark_damaged(const struct mirror *mirror)
{
    AUTO_FREE char *path = file_join(mirror->directory, MIRROR_DAMAGED_FILE);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

static bool is_marked_damaged(const struct mirror *mirror)
{
    AUTO_FREE char *path = file_join(mirror->directory, MIRROR_DAMAGED_FILE);
    return access(path, F_OK) == 0;
}

static int open_existing(struct mirror *mirror, struct error *err)
{
    release_repository(&mirror->repository);
    if (is_marked_damaged(mirror))
        return error_set(err, ERROR_IO, "the mirror was found to be damaged");
    if (git_repository_open_bare(&mirror->repository, mirror->directory) < 0)
        return library_error(err, "cannot open %s", mirror->directory);
    git_config *config = NULL; /* read only when it is asked for, and then it is late to find it broken */
    if (git_repository_config_snapshot(&config, mirror->repository) < 0)
        return library_error(err, "cannot read the configuration of %s", mirror->directory);
    git_config_free(config);
    return mirror_read_head(mirror, err);
}

/* What is there must be ours to remove before it is called damaged. */
static int check_access(const struct mirror *mirror, struct error *err)
{
    if (access(mirror->directory, R_OK | W_OK) < 0 && errno != ENOENT)
        return error_errno(err, errno, "cannot use the mirror in %s", mirror->directory);
    return 0;
}

static int make(const struct mirror *mirror, struct error *err)
{
    AUTO_FREE char *fresh = xasprintf("%s.new", mirror->directory);
    AUTO_FREE char *old = xasprintf("%s.old", mirror->directory);
    CLEANUP(release_repository) git_repository *repository = NULL;
    git_repository_init_options options;
    git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
    options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_NO_REINIT | GIT_REPOSITORY_INIT_MKDIR;
    remove_tree(fresh);
    remove_tree(old);
    if (git_repository_init_ext(&repository, fresh, &options) < 0)
        return library_error(err, "cannot make the mirror %s", fresh);
    if (rename(mirror->directory, old) < 0 && errno != ENOENT)
        return error_errno(err, errno, "cannot move the damaged mirror %s away", mirror->directory);
    if (rename(fresh, mirror->directory) < 0)
        return error_errno(err, errno, "cannot put the new mirror at %s", mirror->directory);
    remove_tree(old);
    return 0;
}

int mirror_store_open(struct mirror *mirror, struct error *err)
{
    if (check_access(mirror, err) < 0)
        return -1;
    if (access(mirror->directory, F_OK) == 0 && open_existing(mirror, NULL) == 0)
        return 0;
    bool taken = false;
    if (mirror_lock_enter(mirror, &taken, err) < 0)
        return -1;
    int result = 0;
    if (open_existing(mirror, NULL) < 0) /* nobody else made it meanwhile */
        result = make(mirror, err) < 0 ? -1 : open_existing(mirror, err);
    mirror_lock_leave(mirror, taken);
    return result;
}
