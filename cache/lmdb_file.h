/*
 * An LMDB environment in one file, for data that may be lost: it opens, or it sets aside what cannot be
 * opened and begins anew.
 *
 * Damage is: a file that LMDB refuses (not its format, another version), one that is shorter than its own
 * count of pages, one that cannot be read through after somebody did not come to its end with it
 * (cache/lmdb_users.h), and what its user finds while reading. Such a file is renamed to PATH.bad (replacing an
 * older one), its lock file is removed, and an empty one takes its place. Processes that still have the old
 * pair open go on with it undisturbed. PATH-guard keeps two processes from doing this at once.
 *
 * LMDB itself leaves a file shorter than its count when the last pages were taken and given back in one
 * transaction. So that shortness always means damage, writers reserve the room first: the file is some MiB
 * longer than what is in it, with a hole at its end that takes no space on the disk.
 *
 * Used by one thread at a time; opened once per process.
 */
#ifndef CACHE_LMDB_FILE_H
#define CACHE_LMDB_FILE_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"

struct lmdb_file {
    const char *path; /* the user's, like the two below; set before lmdb_file_open */
    size_t map_size;  /* bytes wanted; after opening: what was given, which may be less */
    size_t map_min;
    MDB_env *env; /* NULL: not open */
    int users_fd; /* while it is open: the note that we use it */
    MDB_dbi dbi;  /* the unnamed database */
    size_t page_size;
    bool was_set_aside; /* set when it happens; the user clears it */
};

/* Damage that LMDB has no code for; beside its negative codes and errno's positive ones. */
#define LMDB_FILE_DAMAGED (-1)

/* True for codes that mean the file, not the disk or the machine, is at fault. */
bool lmdb_file_is_damage(int code);

/* 0 or an LMDB or errno code. */
int lmdb_file_open(struct lmdb_file *f) MUST_CHECK;

/* Sets the file aside, unless another process did so already, and opens a new one. 0 or a code; then env is
 * NULL and it may be tried again. */
int lmdb_file_begin_anew(struct lmdb_file *f) MUST_CHECK;

void lmdb_file_close(struct lmdb_file *f);

/* Begins a write transaction with the file made long enough for `bytes` more of values and LMDB_FILE_SLACK for the tree.
 * 0 or a code; release the transaction in any case. */
#define LMDB_FILE_SLACK ((size_t)8 << 20)
int lmdb_file_begin_write(const struct lmdb_file *f, size_t bytes, MDB_txn **txn) MUST_CHECK;

/* Without a transaction: lets go of the pages that were touched, which count as this process's memory though they are the
 * kernel's copy of the file. What is read next is mapped again. 0 or a code; then env is NULL. */
int lmdb_file_let_go(struct lmdb_file *f) MUST_CHECK;

/* For CLEANUP; NULL inside does nothing. */
void lmdb_txn_release(MDB_txn **txn);
void lmdb_cursor_release(MDB_cursor **cursor);
/* Commits and forgets the transaction. 0 or a code. */
int lmdb_txn_commit(MDB_txn **txn) MUST_CHECK;

#endif
