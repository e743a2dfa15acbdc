/*
 * The labels of images that are about to be written, for commit messages that show them (updater/commit_template.h).
 *
 * A lookup is a list of tags, each of a repository that is being followed, with its log-in. Of each it asks for the
 * image's config: two requests, three behind an index; what is in the cache by digest is not asked for again, and then it
 * is one request that finds out the digest. Labels are for people to read, and no reason to keep an image back: whoever
 * asks waits for LABEL_LOOKUP_WAIT_MS at most, and what is not there by then, or fails, has none.
 *
 * One thread makes a lookup, and reads it after it has waited; in between it belongs to the thread that scans. Each has a
 * reference.
 */
#ifndef DAEMON_LABEL_LOOKUP_H
#define DAEMON_LABEL_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/json.h"
#include "daemon/demand_set.h"
#include "model/image_info.h"
#include "scanner/scanner.h"

/* A registry that works answers within a second; a round that waits holds back what else it has. */
#define LABEL_LOOKUP_WAIT_MS 10000

struct label_lookup;

/* One reference. The demands are those that items are added of; they are kept. */
struct label_lookup *label_lookup_new(struct demand_set *demands) MUST_CHECK;
struct label_lookup *label_lookup_ref(struct label_lookup *lookup);
void label_lookup_unref(struct label_lookup *lookup);
void label_lookup_release(struct label_lookup **lookup); /* for CLEANUP */

/* Adds a tag of the repository of demands->items[item] and returns its index; one that is there already is not added
 * again. `known` (NULL: nothing) is what the repository's answer says of it, `digest` (NULL: any) what it must point at. */
size_t label_lookup_add(struct label_lookup *lookup, size_t item, const struct image_info *known,
                        const char *tag, const char *digest);

/* On the scanner's thread: submits all of it. The scans hold a reference until they have ended. */
void label_lookup_start(struct label_lookup *lookup, struct scanner *scanner);
bool label_lookup_is_done(struct label_lookup *lookup);
/* Until it is done, or LABEL_LOOKUP_WAIT_MS. For another thread than the scanner's. */
void label_lookup_wait(struct label_lookup *lookup);

/* The labels of a tag, an object; NULL: not known. A new reference. */
json_t *label_lookup_get(struct label_lookup *lookup, size_t index) MUST_CHECK;

#endif
