/*
 * libgit2 as this program uses it: started once, with small caches and the machine's git configuration left
 * out, its errors turned into ours, its objects released by CLEANUP. Internal to git/.
 */
#ifndef GIT_LIBRARY_H
#define GIT_LIBRARY_H

/* Not <git2.h>: one of its headers has a field named as a function that base/banned.h takes away. */
#include <git2/blob.h>
#include <git2/commit.h>
#include <git2/common.h>
#include <git2/config.h>
#include <git2/errors.h>
#include <git2/global.h>
#include <git2/graph.h>
#include <git2/notes.h>
#include <git2/odb.h>
#include <git2/odb_backend.h>
#include <git2/oid.h>
#include <git2/pack.h>
#include <git2/refs.h>
#include <git2/remote.h>
#include <git2/repository.h>
#include <git2/revwalk.h>
#include <git2/signature.h>
#include <git2/sys/odb_backend.h>
#include <git2/sys/repository.h>
#include <git2/sys/transport.h>
#include <git2/tree.h>

#include "base/attr.h"
#include "base/error.h"

/* Starts libgit2 on the first call of the process; from any thread. It is never shut down. */
int library_start(struct error *err) MUST_CHECK;

/*
 * Sets `err` to "context: libgit2's message" with a code chosen from the kind of error, and returns -1. Must
 * be called at once: libgit2 keeps one message per thread, and the next call into it may replace it.
 */
int library_error(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

void release_commit(git_commit **item);
void release_tree(git_tree **item);
void release_tree_entry(git_tree_entry **item);
void release_odb(git_odb **item);
void release_odb_object(git_odb_object **item);
void release_packbuilder(git_packbuilder **item);
void release_reference(git_reference **item);
void release_remote(git_remote **item);
void release_repository(git_repository **item);
void release_revwalk(git_revwalk **item);
void release_signature(git_signature **item);

#endif
