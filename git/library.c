#include "git/library.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

/*
 * Caches. The defaults (256 MiB of objects, windows of 1 GiB) are for programs that walk whole histories;
 * ours reads the trees of one commit, and blobs once each. The limit on open pack files keeps a mirror that
 * was fetched into a thousand times from using up the descriptors.
 */
#define CACHE_BYTES      (4 << 20)
#define WINDOW_BYTES     (1 << 20)
#define MAPPED_BYTES     (16 << 20)
#define OPEN_FILES_LIMIT 128

/* libgit2's options are global and not for concurrent use, so they are set before the first mirror. */
static pthread_once_t started = PTHREAD_ONCE_INIT;
static int start_result;

static void start(void)
{
    start_result = git_libgit2_init();
    if (start_result < 0)
        return;
    git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)CACHE_BYTES);
    git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, (size_t)WINDOW_BYTES);
    git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)MAPPED_BYTES);
    git_libgit2_opts(GIT_OPT_SET_MWINDOW_FILE_LIMIT, (size_t)OPEN_FILES_LIMIT);
    /* What a mirror holds must not depend on the configuration of whoever runs us. */
    static const int levels[] = {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL};
    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
}

int library_start(struct error *err)
{
    pthread_once(&started, start);
    return start_result < 0 ? library_error(err, "cannot start libgit2") : 0;
}

static enum error_code code_of(int klass)
{
    switch (klass) {
    case GIT_ERROR_NET:
    case GIT_ERROR_SSH:
    case GIT_ERROR_HTTP:
        return ERROR_NETWORK;
    case GIT_ERROR_SSL:
        return ERROR_TLS;
    case GIT_ERROR_OS:
    case GIT_ERROR_REPOSITORY:
    case GIT_ERROR_ODB:
    case GIT_ERROR_OBJECT:
    case GIT_ERROR_ZLIB:
    case GIT_ERROR_INDEXER:
    case GIT_ERROR_REFERENCE:
    case GIT_ERROR_FILESYSTEM:
        return ERROR_IO;
    default:
        return ERROR_INTERNAL;
    }
}

int library_error(struct error *err, const char *format, ...)
{
    const git_error *last = git_error_last();
    error_set(err, code_of(last ? last->klass : GIT_ERROR_NONE), "%s",
              last && last->message ? last->message : "libgit2 does not say why");
    char context[512];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof(context), format, args);
    va_end(args);
    return error_wrap(err, "%s", context);
}

#define RELEASE(type)                                                                                        \
    void release_##type(git_##type **item)                                                                   \
    {                                                                                                        \
        git_##type##_free(*item);                                                                            \
        *item = NULL;                                                                                        \
    }

RELEASE(commit)
RELEASE(tree)
RELEASE(tree_entry)
RELEASE(odb)
RELEASE(odb_object)
RELEASE(packbuilder)
RELEASE(reference)
RELEASE(remote)
RELEASE(repository)
RELEASE(revwalk)
RELEASE(signature)
