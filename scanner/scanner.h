/*
 * The scanner: answers demands with what registries say, from the cache where that cannot have changed.
 *
 * One scan runs any number of repositories at once over one http_client; requests to one host are held to a
 * number in flight, to a rate that gives way when the host refuses (rate_limit.h), and to the quotas it tells of
 * (rate_quota.h). Everything counts: lists, manifests, configs, tokens, and finding out whether it speaks https; the
 * answers of its token server are taken for its own. All this is kept by host, so one host's trouble is its own. A
 * scan in the steady state is one request for each repository. A repository that fails does not delay or fail another. What a registry
 * answers is bounded and checked (base/limits.h): a list that is partial is never given out as whole, digests
 * are compared with the bytes, a bad tag spoils only itself.
 *
 * Protocol: OCI distribution specification 1.1 and Docker Registry HTTP API V2; token authentication as
 * docker/distribution specifies it. A scanner belongs to one thread.
 */
#ifndef SCANNER_SCANNER_H
#define SCANNER_SCANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/http.h"
#include "base/strbuf.h"
#include "cache/cache.h"
#include "model/demand.h"
#include "model/image_info.h"
#include "scanner/credentials.h"
#include "scanner/registry_stats.h"

struct scanner;

struct scanner_options {
    struct cache *cache;                   /* borrowed */
    const struct credentials *credentials; /* borrowed; NULL: anonymous everywhere */
    const struct clock *clock;             /* borrowed */
    const char *platform;                  /* "linux/amd64": whose image of an index is dated */
    const struct strvec *insecure_hosts; /* http, or https unchecked, as --registry-insecure-host; borrowed */
    double rps;                          /* requests a second and host, at most */
    double burst;                        /* requests a host may get at once after a rest */
    size_t tag_limit;                    /* tags kept of one repository; beyond it is_truncated */
    int64_t timeout_ms;                  /* of one request */
    http_observer observer; /* told of each request to a registry or its token server; NULL: nobody is */
};

struct scanner *scanner_new(const struct scanner_options *options);
void scanner_free(struct scanner *scanner);

/* Takes other credentials for what is asked for from now on; those it had are not used any more. */
void scanner_replace_credentials(struct scanner *scanner, const struct credentials *credentials);

struct scan_result {
    struct repository_info *info; /* the new answer, or the last good one (older); NULL if there is none.
                                     Owned by the result. */
    bool is_fresh;                /* as new as was asked for: read in this scan, or younger than max_age_ms */
    bool is_behind;     /* what is asked has changed since, and a newer answer will come; where it is not
                                     waited for (daemon/scan_thread.h) */
    struct error error; /* why it is not fresh; code ERROR_NONE if it is */
    unsigned requests;  /* sent for this repository, tokens included */
    size_t bad_tags;    /* listed, but no tags by the grammar: they were skipped */
};

/*
 * Called once per submitted scan, from scanner_run on the same thread. The callee may take over result->info
 * (steal it); what it leaves is released afterwards. It may submit further scans.
 */
typedef void (*scan_done)(const struct demand *demand, struct scan_result *result, void *context);

/*
 * Starts a scan. The demand is copied; its context and its credential must live until `done`. A repository whose cached answer is
 * younger than `max_age_ms` and has all that is asked for is answered without a request; 0 asks anew.
 */
void scanner_submit(struct scanner *scanner, const struct demand *demand, int64_t max_age_ms, scan_done done,
                    void *context);
/* Looks at pushed tags alone (scanner/pushed_tags.h) and puts them into `base`, the last whole answer; both are copied
 * or referenced. On an error the result has what could be read all the same. Of a Helm repository the index is
 * read: there are no single versions to ask for. */
void scanner_submit_pushed(struct scanner *scanner, const struct demand *demand, struct repository_info *base,
                           const struct strvec *tags, scan_done done, void *context);
/* The cache is flushed after scans have ended, but once a second at most, at the end of scanner_scan and by
 * scanner_cancel.
 *
 * Runs until no scan is left, scanner_wake was called or `timeout_ms` (-1: none) passed; the number of scans under
 * way. With no scan under way it waits for the time or the wake all the same. */
size_t scanner_run(struct scanner *scanner, int64_t timeout_ms);
/* Makes scanner_run return soon; the one function that another thread may call. */
void scanner_wake(struct scanner *scanner);
/* Shows what was asked of each registry host so far (registry_stats.h), in no order. On the scanner's thread. */
void scanner_stats_visit(struct scanner *scanner, registry_stats_visit visit, void *context);
/* Ends all scans under way with ERROR_CANCELLED, and tells their owners. */
void scanner_cancel(struct scanner *scanner);

/*
 * Scans all demands and returns when each has its result (results[i] answers demands[i]; the array is the
 * caller's). `progress` (NULL: none) is called as each repository is done.
 */
void scanner_scan(struct scanner *scanner, const struct demand *demands, size_t len, int64_t max_age_ms,
                  void (*progress)(size_t done, size_t total, void *context), void *context,
                  struct scan_result *results);
void scan_results_release(struct scan_result *results, size_t len);

#endif
