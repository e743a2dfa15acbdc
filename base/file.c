#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

static void close_descriptor(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static int read_all(int fd, const char *path, size_t limit, struct strbuf *out, struct error *err)
{
    size_t total = 0;
    char chunk[65536];
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof(chunk));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, errno, "cannot read %s", path);
        if (got == 0)
            return 0;
        total += (size_t)got;
        if (total > limit)
            return error_set(err, ERROR_TOO_LARGE, "%s is larger than %zu bytes", path, limit);
        strbuf_add(out, chunk, (size_t)got);
    }
}

int file_read(const char *path, size_t limit, struct strbuf *out, struct error *err)
{
    CLEANUP(close_descriptor) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "cannot open %s", path);
    size_t before = out->len;
    if (read_all(fd, path, limit, out, err) == 0)
        return 0;
    out->len = before;
    if (out->size)
        out->buf[before] = '\0';
    return -1;
}

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t wrote = write(fd, bytes, len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return -1;
        bytes += wrote;
        len -= (size_t)wrote;
    }
    return 0;
}

/* A rename lives in the directory: without this a crash may bring the old file back. */
static void sync_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *directory = slash ? xmemdupz(path, (size_t)(slash - path) + 1) : xstrdup(".");
    CLEANUP(close_descriptor) int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        fsync(fd);
}

/* Creates a new file beside `path`; the umask applies to `mode`. */
static int create_beside(const char *path, mode_t mode, char **temporary)
{
    const char *slash = strrchr(path, '/');
    size_t directory = slash ? (size_t)(slash - path) + 1 : 0;
    uint64_t random = 0;
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return -1;
    *temporary = xasprintf("%.*s.pawl-%016" PRIx64, (int)directory, path, random);
    return open(*temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
}

int file_write_atomic(const char *path, const void *bytes, size_t len, mode_t mode, struct error *err)
{
    AUTO_FREE char *behind_links = realpath(path, NULL);
    if (behind_links)
        path = behind_links;
    AUTO_FREE char *temporary = NULL;
    CLEANUP(close_descriptor) int fd = create_beside(path, mode, &temporary);
    if (fd < 0)
        return error_errno(err, errno, "cannot create a file beside %s", path);
    struct stat old;
    bool keep_mode = stat(path, &old) == 0;
    if ((keep_mode && fchmod(fd, old.st_mode & 07777) < 0) || write_all(fd, bytes, len) < 0 ||
        fsync(fd) < 0 || rename(temporary, path) < 0) {
        int problem = errno;
        unlink(temporary);
        return error_errno(err, problem, "cannot write %s", path);
    }
    sync_directory(path);
    return 0;
}

struct file_stamp file_stamp_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return (struct file_stamp){0};
    return (struct file_stamp){st.st_dev, st.st_ino, st.st_size, st.st_mtim, st.st_ctim};
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool file_stamp_is_same(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           is_same_time(&a->modified, &b->modified) && is_same_time(&a->changed, &b->changed);
}

int file_make_directories(const char *path, mode_t mode, struct error *err)
{
    AUTO_FREE char *copy = xstrdup(path);
    for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--)
        copy[len - 1] = '\0'; /* or the last would be taken for a parent */
    for (char *slash = strchr(copy + (*copy != '\0'), '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0777) < 0 && errno != EEXIST)
            return error_errno(err, errno, "cannot create the directory %s", copy);
        *slash = '/';
    }
    if (mkdir(copy, mode) < 0 && errno != EEXIST)
        return error_errno(err, errno, "cannot create the directory %s", copy);
    struct stat is;
    if (stat(copy, &is) < 0 || !S_ISDIR(is.st_mode))
        return error_set(err, ERROR_IO, "%s is not a directory", copy);
    return 0;
}

char *file_join(const char *a, const char *b)
{
    if (b[0] == '/' || !a[0])
        return xstrdup(b);
    size_t len = strlen(a);
    return xasprintf("%s%s%s", a, a[len - 1] == '/' ? "" : "/", b);
}

char *file_in_home(const char *relative)
{
    const char *home = getenv("HOME");
    if (home && *home)
        return file_join(home, relative);
    struct passwd entry, *found = NULL;
    char buffer[4096];
    if (getpwuid_r(getuid(), &entry, buffer, sizeof(buffer), &found) != 0 || !found)
        return NULL;
    return file_join(found->pw_dir, relative);
}
