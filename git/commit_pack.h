/*
 * Where a large commit's objects are kept until all of them are there: in memory. Then they become one pack. Each object
 * in a file of its own would be two disk flushes for each, and a thousand changed files are two thousand objects.
 */
#ifndef GIT_COMMIT_PACK_H
#define GIT_COMMIT_PACK_H

#include "base/attr.h"
#include "base/error.h"
#include "git/mirror_private.h"

struct commit_pack {
    git_repository *repository; /* the mirror once more; what is written to it stays in memory */
};
void commit_pack_release(struct commit_pack *pack);

int commit_pack_open(const struct mirror *mirror, struct commit_pack *pack, struct error *err) MUST_CHECK;

/* Writes the commit, and what of its tree is not in its first parent's, into the mirror as one pack. */
int commit_pack_write(struct commit_pack *pack, struct mirror *mirror, const git_oid *commit,
                      struct error *err) MUST_CHECK;

#endif
