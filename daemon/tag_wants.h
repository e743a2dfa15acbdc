/*
 * What has to be known of single tags, beside what policies ask of all that they match: platforms and digests are asked of
 * candidates alone, and which tag is a candidate is found out while deciding (daemon/plan.h).
 *
 * Kept from round to round, so that the scanner is asked the same as long as the candidates are the same.
 */
#ifndef DAEMON_TAG_WANTS_H
#define DAEMON_TAG_WANTS_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/strmap.h"
#include "daemon/demand_set.h"
#include "updater/decision.h"

/* Rounds of asking for what candidates turn out to need. The first asks for one, the others for some more each. */
#define TAG_WANTS_PASSES 5
/* What was asked in these rounds counts as asked now; the rest is for clocks that do not run as one. */
#define TAG_WANTS_SLACK_MS 10

struct tag_wants {
    struct strmap lists; /* repository_demand_key -> the tags of it */
};

void tag_wants_init(struct tag_wants *wants);
void tag_wants_release(struct tag_wants *wants); /* may be used again */

/* Adds DEMAND_… of a tag of the item's repository. True if any of it was not there. */
bool tag_wants_add(struct tag_wants *wants, const struct repository_demand *item, const char *tag,
                   unsigned flags);

/* Adds what the decision needs to be known of its candidates. True if any of it was not there. */
bool tag_wants_add_needs(struct tag_wants *wants, const struct demand_set *demands,
                         const struct decision *decision);

/* Adds all to the items that they are of. The set is not shared yet. */
void tag_wants_put(const struct tag_wants *wants, struct demand_set *set);

#endif
