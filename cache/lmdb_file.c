#include "cache/lmdb_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cache/lmdb_users.h"

/* Opening and setting aside exclude each other between processes; both take milliseconds. */
#define GUARD_TRIES    100
#define GUARD_PAUSE_US 50000

/* Of LMDB's 126 readers. In a longer file it takes more of them. */
#define LOCK_FILE_BYTES 8192

bool lmdb_file_is_damage(int code)
{
    static const int codes[] = {LMDB_FILE_DAMAGED,    MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID,
                                MDB_VERSION_MISMATCH, MDB_PANIC,     MDB_BAD_TXN};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (codes[i] == code)
            return true;
    }
    return false;
}

void lmdb_txn_release(MDB_txn **txn)
{
    if (*txn)
        mdb_txn_abort(*txn);
    *txn = NULL;
}

void lmdb_cursor_release(MDB_cursor **cursor)
{
    if (*cursor)
        mdb_cursor_close(*cursor);
    *cursor = NULL;
}

int lmdb_txn_commit(MDB_txn **txn)
{
    return mdb_txn_commit(steal(txn));
}

void lmdb_file_close(struct lmdb_file *f)
{
    if (!f->env)
        return;
    mdb_env_close(f->env);
    f->env = NULL;
    lmdb_users_leave(f->users_fd);
}

/*
 * LMDB makes its lock file a hole and writes to it through a memory map, which raises SIGBUS where the disk has no room
 * for the page. So the room is taken before: 0, or ENOSPC and its like. What else is wrong with the file LMDB says itself.
 */
static int reserve_lock_file(const struct lmdb_file *f)
{
    AUTO_FREE char *path = xasprintf("%s-lock", f->path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int rc = fd >= 0 && fallocate(fd, 0, 0, LOCK_FILE_BYTES) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return rc == ENOSPC || rc == EDQUOT ? rc : 0;
}

static int open_environment(struct lmdb_file *f)
{
    int rc = mdb_env_create(&f->env);
    if (rc)
        return rc;
    rc = mdb_env_set_mapsize(f->env, f->map_size);
    if (!rc)
        rc = mdb_env_open(f->env, f->path, MDB_NOSUBDIR | MDB_NOMETASYNC | MDB_NOTLS | MDB_NORDAHEAD, 0600);
    if (rc)
        mdb_env_close(steal(&f->env));
    return rc;
}

/* With less address space than wanted where so much is not given. */
static int open_environment_that_fits(struct lmdb_file *f)
{
    int rc = reserve_lock_file(f);
    if (!rc)
        rc = open_environment(f);
    while (rc == ENOMEM && f->map_size / 2 >= f->map_min) {
        f->map_size /= 2;
        rc = open_environment(f);
    }
    return rc;
}

/* The bytes that the file must have at least, and has. */
static int measure_file(const struct lmdb_file *f, size_t *needed, size_t *actual, int *fd)
{
    MDB_envinfo info;
    struct stat file;
    int rc = mdb_env_info(f->env, &info);
    if (!rc)
        rc = mdb_env_get_fd(f->env, fd);
    if (!rc && fstat(*fd, &file) < 0)
        rc = errno;
    if (rc)
        return rc;
    *needed = (info.me_last_pgno + 1) * f->page_size;
    *actual = (size_t)file.st_size;
    return 0;
}

static int reserve(const struct lmdb_file *f, size_t bytes)
{
    size_t needed, actual;
    int fd;
    int rc = measure_file(f, &needed, &actual, &fd);
    if (rc || actual >= needed + bytes + LMDB_FILE_SLACK)
        return rc;
    off_t longer = (off_t)(needed + bytes + 2 * LMDB_FILE_SLACK);
    return ftruncate(fd, longer) < 0 ? errno : 0;
}

int lmdb_file_begin_write(const struct lmdb_file *f, size_t bytes, MDB_txn **txn)
{
    int rc = mdb_txn_begin(f->env, NULL, 0, txn);
    return rc ? rc : reserve(f, bytes);
}

/* A new map of the same size has no pages yet. */
int lmdb_file_let_go(struct lmdb_file *f)
{
    MDB_envinfo info;
    int rc = mdb_env_info(f->env, &info);
    if (!rc)
        rc = mdb_env_set_mapsize(f->env, info.me_mapsize);
    if (rc)
        lmdb_file_close(f);
    return rc;
}

/* LMDB reads through a memory map, and touching it behind the end of the file raises SIGBUS. */
static int check_length(const struct lmdb_file *f)
{
    size_t needed, actual;
    int fd;
    int rc = measure_file(f, &needed, &actual, &fd);
    return !rc && actual < needed ? LMDB_FILE_DAMAGED : rc;
}

static int open_database(struct lmdb_file *f)
{
    CLEANUP(lmdb_txn_release) MDB_txn *txn = NULL;
    MDB_stat stat;
    int dead;
    int rc = mdb_env_stat(f->env, &stat);
    if (rc)
        return rc;
    f->page_size = stat.ms_psize;
    rc = mdb_reader_check(f->env, &dead);
    if (!rc)
        rc = mdb_txn_begin(f->env, NULL, MDB_RDONLY, &txn);
    if (!rc)
        rc = mdb_dbi_open(txn, NULL, 0, &f->dbi);
    if (!rc)
        rc = lmdb_txn_commit(&txn);
    return rc ? rc : check_length(f);
}

static int open_once(struct lmdb_file *f)
{
    bool left_open;
    f->users_fd = lmdb_users_enter(f->path, &left_open);
    bool is_readable = !left_open || access(f->path, F_OK) < 0 || lmdb_users_can_read(f->path, f->map_size);
    int rc = is_readable ? open_environment_that_fits(f) : LMDB_FILE_DAMAGED;
    if (rc) {
        lmdb_users_leave(f->users_fd);
        return rc;
    }
    rc = open_database(f);
    if (rc)
        lmdb_file_close(f);
    return rc;
}

static void close_descriptor(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* Holds PATH-guard while the descriptor is open; -1 with errno. Not the directory, which is not ours alone.
 */
static int take_guard(const struct lmdb_file *f)
{
    AUTO_FREE char *path = xasprintf("%s-guard", f->path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    for (int i = 0; i < GUARD_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        usleep(GUARD_PAUSE_US);
    }
    close(fd);
    errno = EBUSY;
    return -1;
}

/* The lock file goes with the data: whoever still has the old pair open keeps both and disturbs nobody. */
static int set_aside(struct lmdb_file *f)
{
    AUTO_FREE char *bad = xasprintf("%s.bad", f->path);
    AUTO_FREE char *lock = xasprintf("%s-lock", f->path);
    if (rename(f->path, bad) < 0 && errno != ENOENT)
        return errno;
    f->was_set_aside = true;
    return unlink(lock) < 0 && errno != ENOENT ? errno : 0;
}

/* Under the guard. A file that cannot be used is set aside, once. */
static int open_or_begin_anew(struct lmdb_file *f)
{
    int rc = open_once(f);
    if (lmdb_file_is_damage(rc)) {
        rc = set_aside(f);
        if (!rc)
            rc = open_once(f);
    }
    return rc;
}

int lmdb_file_open(struct lmdb_file *f)
{
    CLEANUP(close_descriptor) int guard = take_guard(f);
    return guard < 0 ? errno : open_or_begin_anew(f);
}

/* True if the name leads to the file we have open: no other process has set it aside yet. */
static bool is_still_ours(const struct lmdb_file *f)
{
    int fd;
    struct stat ours, named;
    return !mdb_env_get_fd(f->env, &fd) && fstat(fd, &ours) == 0 && stat(f->path, &named) == 0 &&
           ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

int lmdb_file_begin_anew(struct lmdb_file *f)
{
    CLEANUP(close_descriptor) int guard = take_guard(f);
    if (guard < 0)
        return errno;
    int rc = f->env && is_still_ours(f) ? set_aside(f) : 0;
    lmdb_file_close(f);
    return rc ? rc : open_or_begin_anew(f);
}
