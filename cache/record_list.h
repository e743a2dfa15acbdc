/*
 * What is in a cache, as rows; and the removal of what is no longer of use. Both walk through all of it while other
 * processes may go on using it (cache_each), so both are ERROR_UNSUPPORTED for a backend that cannot list.
 */
#ifndef CACHE_RECORD_LIST_H
#define CACHE_RECORD_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "cache/cache.h"
#include "model/image_info.h"

/* -- rows -------------------------------------------------------------------------------------------------- */

/* One repository's record. */
struct record_row {
    char *repository, *platform, *identity, *scope; /* as in struct record_key */
    size_t tags, dated, problems;                   /* all; with a creation time; without, and why is known */
    size_t bytes;
    int64_t scanned_ms, expires_ms; /* wall time; expires_ms 0: not known */
    bool is_truncated;
    struct repository_info *info; /* NULL unless it was asked for */
};

struct record_list {
    struct record_row *rows; /* by repository, then platform and scope */
    size_t len, capacity;
    size_t facts, facts_bytes;     /* records of digests */
    size_t useless, useless_bytes; /* expired, damaged, malformed, or of another version */
    const char *only_repository;   /* the caller's; NULL: all */
    bool wants_info;               /* the caller's: keep each row's repository_info */
};
#define RECORD_LIST_INIT                                                                                     \
    {                                                                                                        \
        .rows = NULL, .len = 0, .capacity = 0                                                                \
    }

/* Fills the list. With `only_repository` that works with memcached too, for what was put there of late; the sums of
 * facts and of useless records are then zero, and it is ERROR_NETWORK if nothing was found and a server failed.
 * Release it in any case. */
int record_list_read(struct cache *cache, struct record_list *list, struct error *err) MUST_CHECK;
void record_list_release(struct record_list *list);

/* -- removal ------------------------------------------------------------------------------------------------ */

enum record_use {
    RECORD_USED,
    RECORD_EXPIRED,
    RECORD_UNREADABLE, /* damaged, malformed, or of another version */
    RECORD_OLD, /* older than was asked for: a repository by its scan, the rest by when it was written */
};
#define RECORD_USES 4

struct record_prune {
    int64_t now_ms;        /* wall time */
    int64_t older_than_ms; /* remove what is older; 0: only what is of no use */
    bool all;              /* remove everything */
    bool dry_run;          /* count only */
    /* Filled in, by what became of them. With `all`, what was in use counts as RECORD_OLD. */
    size_t count[RECORD_USES], bytes[RECORD_USES];
};

int record_prune(struct cache *cache, struct record_prune *prune, struct error *err) MUST_CHECK;

#endif
