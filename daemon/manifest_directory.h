/*
 * Manifests on disk, for commands that work in a checkout without git.
 */
#ifndef DAEMON_MANIFEST_DIRECTORY_H
#define DAEMON_MANIFEST_DIRECTORY_H

#include "base/attr.h"
#include "base/error.h"
#include "model/manifest.h"

/*
 * Reads one file, or all *.yaml and *.yml below a directory (hidden directories and Helm charts left out, as
 * when reading from git; symbolic links to files are read, to directories not followed). The path of each file is
 * the one to open. ERROR_NOT_FOUND, ERROR_IO.
 */
struct manifest_set *manifest_directory_read(const char *path, const char *default_space, struct error *err)
    MUST_CHECK;

#endif
