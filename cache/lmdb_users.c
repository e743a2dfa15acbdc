#include "cache/lmdb_users.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cache/cache.h"

#define READ_LIMIT_S 20 /* a gigabyte off a slow disk */
#define FREE_PAGES   0  /* LMDB's own database of them */

/* -- the note --------------------------------------------------------------------------------------------- */

int lmdb_users_enter(const char *path, bool *left_open)
{
    AUTO_FREE char *name = xasprintf("%s-users", path);
    struct stat note;
    *left_open = false;
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        *left_open = fstat(fd, &note) == 0 && note.st_size > 0;
    if (flock(fd, LOCK_SH | LOCK_NB) == 0 && pwrite(fd, "1", 1, 0) == 1)
        return fd;
    close(fd);
    return -1;
}

void lmdb_users_leave(int fd)
{
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && ftruncate(fd, 0) < 0)
        errno = 0; /* the next one reads the file through, for nothing */
    close(fd);
}

/* -- the child -------------------------------------------------------------------------------------------- */

/* What it dies of is expected: no dump, no words. */
static void be_quiet(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM};
    const struct rlimit none = {0, 0};
    int null = open("/dev/null", O_RDWR);
    setrlimit(RLIMIT_CORE, &none);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        signal(signals[i], SIG_DFL);
    if (null >= 0)
        dup2(null, STDERR_FILENO);
}

/* Of all bytes, so that each is read. */
static volatile uint64_t sum;

/* 0 or an LMDB or errno code. */
static int read_database(MDB_txn *txn, MDB_dbi dbi)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    int rc = mdb_cursor_open(txn, dbi, &cursor);
    if (rc)
        return rc;
    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
        sum ^= cache_checksum(key.mv_data, key.mv_size) ^ cache_checksum(value.mv_data, value.mv_size);
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int read_file(const char *path, size_t map_size)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    int rc = mdb_env_create(&env);
    if (!rc)
        rc = mdb_env_set_mapsize(env, map_size);
    if (!rc)
        rc = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0600);
    if (!rc)
        rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
    if (!rc)
        rc = mdb_dbi_open(txn, NULL, 0, &dbi);
    if (!rc)
        rc = read_database(txn, FREE_PAGES);
    return rc ? rc : read_database(txn, dbi);
}

bool lmdb_users_can_read(const char *path, size_t map_size)
{
    int status = 0;
    pid_t child = fork();
    if (child < 0)
        return true;
    if (child == 0) {
        be_quiet();
        alarm(READ_LIMIT_S);
        int rc = read_file(path, map_size);
        _exit(rc == 0 || rc == ENOMEM ? 0 : 1);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
           (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
}
