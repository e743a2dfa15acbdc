/*
 * Whole files: read within a limit, written atomically. Paths are the system's bytes.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"

/* Appends the file's bytes to `out`. ERROR_NOT_FOUND, ERROR_FORBIDDEN, ERROR_IO, or ERROR_TOO_LARGE over
 * `limit` bytes. */
int file_read(const char *path, size_t limit, struct strbuf *out, struct error *err) MUST_CHECK;

/*
 * Replaces the file as one step that a reader or a crash sees either wholly or not at all: a temporary file
 * beside it (its name begins with ".pawl-"), fsync, rename, fsync of the directory. `mode` as for open(2),
 * the umask applies; an existing file keeps its own mode. A symbolic link stays, and the file behind it is
 * replaced.
 */
int file_write_atomic(const char *path, const void *bytes, size_t len, mode_t mode, struct error *err)
    MUST_CHECK;

/* What tells one state of a file from another; all 0: there is none. Of a symbolic link, it is that of the file behind it. */
struct file_stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};
struct file_stamp file_stamp_of(const char *path);
bool file_stamp_is_same(const struct file_stamp *a, const struct file_stamp *b);

/* Makes the directory and its parents (mode 0777 and the umask for parents, `mode` for the last). */
int file_make_directories(const char *path, mode_t mode, struct error *err) MUST_CHECK;

/* `a` and `b` joined by exactly one slash; `b` alone if it is absolute. free() it. */
char *file_join(const char *a, const char *b) MUST_CHECK;

/* A path inside the home directory of the user ($HOME, else the password file); NULL if there is none. */
char *file_in_home(const char *relative) MUST_CHECK;

#endif
