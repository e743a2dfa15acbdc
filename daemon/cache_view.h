/*
 * The cache seen from outside: what `pawl cache` shows and removes. A daemon may use the same cache meanwhile.
 *
 * Listing and pruning walk through the cache, which memcached does not offer (ERROR_UNSUPPORTED); a single repository
 * can be looked at there as well.
 */
#ifndef DAEMON_CACHE_VIEW_H
#define DAEMON_CACHE_VIEW_H

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "cache/record_list.h"
#include "daemon/config.h"

/* Both fill the list, which is to be released in any case. ERROR_NOT_FOUND: there is no cache, or nothing of the
 * repository in it. ERROR_USAGE or ERROR_INVALID for a cache or a repository that cannot be read. The records of
 * a repository come with their images. */
int cache_view_list(const struct config *config, struct record_list *list, struct error *err) MUST_CHECK;
int cache_view_inspect(const struct config *config, const char *image, struct record_list *records,
                       struct error *err) MUST_CHECK;

/* As record_prune. */
int cache_view_prune(const struct config *config, struct record_prune *prune, struct error *err) MUST_CHECK;

/* As `pawl cache -o json` prints them (docs/interface.md). New references. */
json_t *cache_view_list_json(const struct record_list *list) MUST_CHECK;
json_t *cache_view_inspect_json(const struct record_list *records) MUST_CHECK;
json_t *cache_view_prune_json(const struct record_prune *prune) MUST_CHECK;

#endif
