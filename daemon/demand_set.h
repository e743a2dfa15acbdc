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

/* What has to be known of the tags that a policy matches. */
struct tag_question {
    struct tag_policy *policy; /* owned */
    unsigned wants;            /* DEMAND_… */
};

struct repository_demand {
    char *repository;               /* normalised, "host/path" */
    bool dates_by_labels;           /* as in struct demand */
    struct tag_question *questions; /* no policy twice; none: the names of the tags are enough */
    size_t questions_len, questions_capacity;
};

struct demand_set {
    int references;                  /* atomic */
    struct repository_demand *items; /* in order of first use; no repository twice */
    size_t len, capacity;
};

/* Which images may be asked about at all: globs on the normalised name, as --registry-exclude-image and
 * --registry-include-image (exclude wins; an empty include list is everything). And those that are dated by their
 * labels, as --registry-use-labels (NULL: none). Borrowed lists. */
struct image_filter {
    const struct strvec *exclude, *include, *use_labels;
};
bool image_filter_allows(const struct image_filter *filter, const char *repository);
bool image_filter_dates_by_labels(const struct image_filter *filter, const char *repository);

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

/* Appends all that an item asks, as text: two that ask the same give the same. */
void demand_add_text(const struct repository_demand *item, struct strbuf *out);

#endif
