/*
 * What one commit's policies need to know, repository by repository: step 3 of a round.
 *
 * A demand set owns all it refers to (policies are compiled again from their text), is immutable once made and
 * counted by reference, so that the scanner's thread can keep it while the round that made it goes on.
 */
#ifndef DAEMON_DEMAND_SET_H
#define DAEMON_DEMAND_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/strbuf.h"
#include "model/demand.h"
#include "updater/workload_policy.h"

struct repository_demand {
    char *repository;          /* normalised, "host/path" */
    struct tag_policy **dated; /* policies that order by creation time: owned */
    size_t dated_len, dated_capacity;
};

struct demand_set {
    int references;                  /* atomic */
    struct repository_demand *items; /* in order of first use; no repository twice */
    size_t len, capacity;
};

/* Which images may be asked about at all: globs on the normalised name, as --registry-exclude-image and
 * --registry-include-image (exclude wins; an empty include list is everything). Borrowed lists. */
struct image_filter {
    const struct strvec *exclude, *include;
};
bool image_filter_allows(const struct image_filter *filter, const char *repository);

/* The demands of all automated containers that can be read. One reference. */
struct demand_set *demand_set_from(struct workload_policy *const *policies, size_t len,
                                   const struct image_filter *filter) MUST_CHECK;
struct demand_set *demand_set_ref(struct demand_set *set);
void demand_set_unref(struct demand_set *set);
void demand_set_release(struct demand_set **set); /* for CLEANUP */

/* The index of a repository among the items, or -1. */
ptrdiff_t demand_set_find(const struct demand_set *set, const char *repository);

/* An item as the scanner takes it; the item must outlive it. */
struct demand demand_of(const struct repository_demand *item);

#endif
