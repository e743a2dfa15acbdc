/*
 * What one commit's policies need to know, repository by repository: step 3 of a round.
 *
 * Workloads whose pull secrets give another log-in for a repository ask for themselves: an answer is only for those who
 * may have it. Those with the same log-in, whatever Secret it is in, share one demand, and so do those without any.
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
#include "daemon/image_filter.h"
#include "daemon/pull_credential.h"
#include "daemon/pull_secrets.h"
#include "model/demand.h"
#include "updater/workload_policy.h"

/* What has to be known of the tags that a policy matches. */
struct tag_question {
    struct tag_policy *policy; /* owned */
    unsigned wants;            /* DEMAND_… */
};

/* A tag of which more has to be known than the questions ask of all. */
struct tag_want {
    char *tag;
    unsigned wants; /* DEMAND_… */
};

struct repository_demand {
    char *repository;                   /* normalised, "host/path" */
    struct pull_credential *credential; /* a reference; NULL: what pawl has for the repository */
    bool dates_by_labels;               /* as in struct demand */
    bool wants_push_times;              /* the same: somebody asks for an age */
    struct tag_question *questions;     /* no policy twice; none: the names of the tags are enough */
    size_t questions_len, questions_capacity;
    struct tag_want *tags; /* in byte order; no tag twice */
    size_t tags_len, tags_capacity;
};

/* A container, and the item that asks for it. */
struct demand_user {
    const struct container *container; /* to compare only: the set may outlive it */
    size_t item;
};

struct demand_set {
    int references;                  /* atomic */
    struct repository_demand *items; /* in order of first use; none twice with the same log-in */
    size_t len, capacity;
    struct demand_user *users; /* sorted by container */
    size_t users_len, users_capacity;
};

/* Whether the workload's images are asked about: it is automated, and nothing stands against that. */
bool workload_has_demands(const struct workload_policy *policy, const struct image_filter *filter);

/* The demands of all automated containers that can be read, with the pull secrets of their workloads (NULL: there are
 * none). For an image that a kustomization overrides nothing is asked that others do not ask. One reference. */
struct demand_set *demand_set_from(struct workload_policy *const *policies, size_t len,
                                   const struct image_filter *filter, struct pull_secrets *secrets)
    MUST_CHECK;
struct demand_set *demand_set_ref(struct demand_set *set);
void demand_set_unref(struct demand_set *set);
void demand_set_release(struct demand_set **set); /* for CLEANUP */

/* Whether both ask the same, with the same log-ins, for the same containers of one commit. */
bool demand_set_equal(const struct demand_set *a, const struct demand_set *b);
/* Asks for more of one tag; while the set is being made, before anybody else has it. */
void demand_add_tag(struct repository_demand *item, const char *tag, unsigned flags);
/* Whether the item asks for anything beside the names of the tags. */
bool repository_demand_has_questions(const struct repository_demand *item);

/* The index of the item that asks about a container's image, or -1: nobody does. */
ptrdiff_t demand_set_find(const struct demand_set *set, const struct container *container);

/* What tells the item apart from all others of its set, and is the same in other sets for the same question: the
 * repository, and in memory only whose log-in. free() it. */
char *repository_demand_key(const struct repository_demand *item) MUST_CHECK;

/* An item as the scanner takes it; the item must outlive it. */
struct demand demand_of(const struct repository_demand *item);

/* Appends all that an item asks, as text: two that ask the same give the same. */
void demand_add_text(const struct repository_demand *item, struct strbuf *out);

#endif
