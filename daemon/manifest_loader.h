/*
 * Step 2 of a round: the manifests of a commit, each blob parsed once for as long as it stays at its path.
 *
 * The loader reads what Flux v1 read: *.yaml and *.yml below the configured paths, without the directories of
 * Helm charts (those that hold both Chart.yaml and values.yaml), of whose values*.yaml only the markers are read. It keeps the parsed files of the last commit
 * and reuses those whose blob has not changed. One thread.
 */
#ifndef DAEMON_MANIFEST_LOADER_H
#define DAEMON_MANIFEST_LOADER_H

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "git/mirror.h"
#include "model/manifest.h"

struct manifest_loader;

/* `default_space`: the namespace of objects that name none. Copied. */
struct manifest_loader *manifest_loader_new(const char *default_space);
void manifest_loader_free(struct manifest_loader *loader);

/* All manifests of `commit` below `paths` (empty: all). ERROR_NOT_FOUND for a path that is not there; a file
 * that is broken or too large is a problem in the set. */
struct manifest_set *manifest_loader_load(struct manifest_loader *loader, struct mirror *mirror,
                                          const char *commit, const struct strvec *paths, struct error *err)
    MUST_CHECK;

#endif
