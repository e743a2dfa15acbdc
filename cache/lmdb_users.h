/*
 * Who uses an LMDB file, and whether the last of them came to its end.
 *
 * LMDB trusts the pages of its tree: one in which bits have changed (a disk, a file that was copied while in use) can end the
 * process that reads it, by an assertion or a signal, and would end the next one too. So users note in PATH-users that they
 * are there, and take the note back when they close the file. Whoever finds the note of a user that is no more has the
 * file read through by a child, which may die of it.
 *
 * Not everything that is wrong is found by reading; what is not costs a crash, as it did before.
 */
#ifndef CACHE_LMDB_USERS_H
#define CACHE_LMDB_USERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

/*
 * Notes that this process uses the file. The descriptor to keep until lmdb_users_leave, or -1 if no note can be made, which
 * is no reason not to use the file. *left_open: somebody did not come to its end, and nobody else is there. Under the guard
 * of cache/lmdb_file.h.
 */
int lmdb_users_enter(const char *path, bool *left_open) MUST_CHECK;
/* Takes the note back; -1 does nothing. */
void lmdb_users_leave(int fd);

/* Has a child read all of the file, which nobody may have open. False if that failed or ended the child; true as well where
 * it took too long to tell, or no child could be made. */
bool lmdb_users_can_read(const char *path, size_t map_size);

#endif
