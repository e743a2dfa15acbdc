/*
 * A walk over all values of an LMDB file that other processes write to meanwhile.
 *
 * It goes in steps with a short read transaction each: a long one would keep the writers from using freed pages
 * again, and the file would grow. What is written during the walk may or may not be seen. Values that are to go are
 * deleted between the steps, each step's in one transaction: killed at any moment, the file is whole.
 */
#ifndef CACHE_LMDB_WALK_H
#define CACHE_LMDB_WALK_H

#include <lmdb.h>
#include <stdbool.h>

#include "base/attr.h"
#include "cache/lmdb_file.h"

/* True to have the value deleted, unless it has changed by then. Both are borrowed until it returns; it must not
 * touch the file. */
typedef bool (*lmdb_visit)(const MDB_val *key, const MDB_val *value, void *context);

/* Calls `visit` for each value in the order of the keys. 0 or an LMDB or errno code. */
int lmdb_walk(const struct lmdb_file *f, lmdb_visit visit, void *context) MUST_CHECK;

#endif
