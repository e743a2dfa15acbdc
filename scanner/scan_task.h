/*
 * What all scans have in common (repository_scan.h, index_scan.h, pushed_tags.h): first they get the log-in of their demand,
 * by which the cache knows whose answer it has; an error of theirs says what was asked, and with whose credentials;
 * last they tell whoever started them.
 *
 * A task is the first member of its scan, and is set up by its first five members; the rest is zero.
 */
#ifndef SCANNER_SCAN_TASK_H
#define SCANNER_SCAN_TASK_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "cache/cache.h"
#include "model/demand.h"
#include "scanner/credential_grant.h"
#include "scanner/credential_source.h"
#include "scanner/index_source.h"
#include "scanner/registry.h"
#include "scanner/scanner.h"

struct scan_environment {
    struct registry *registry;    /* all borrowed */
    struct index_source *indexes; /* for index_scan.h alone */
    struct cache *cache;
    struct credential_source *credentials;
    const struct clock *clock;
    const char *platform;
    size_t tag_limit;
};

struct scan_task {
    const struct scan_environment *env;
    const struct demand *demand;
    struct scan_result *result;
    void (*finished)(void *context);
    void *context;

    struct credential credential; /* from scan_task_log_in on */
    char *scope;                  /* of the record in the cache; NULL: the credentials are not had */
    struct credential_grant
        grant; /* what `credential` borrows from: what was lent may change while the scan runs */
    void (*ready)(struct scan_task *task, const struct error *err);
};

/* Gets the credentials, the demand's own (of a pull secret) or those of the source, and calls `ready`, perhaps within
 * this call: with NULL, or with why they cannot be had. */
void scan_task_log_in(struct scan_task *task, void (*ready)(struct scan_task *task, const struct error *err));

/* Milliseconds since 1970. */
int64_t scan_task_now(const struct scan_task *task);

/* Puts the error into the result as "DOING REPOSITORY: …". Credentials of the source that were refused are got anew for
 * the next scan; those of a pull secret are their reader's to renew. */
void scan_task_fail(struct scan_task *task, const char *doing, const struct error *err);

/* Frees the scan that the task begins, whose other members have been released, and calls `finished`. */
void scan_task_end(struct scan_task *task);

#endif
