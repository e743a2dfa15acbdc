/*
 * What a change that somebody asked for came to, workload by workload: the results of a release, a lock, a rollback.
 *
 * Statuses and their names are Flux v1's (release results); "ignored" is for workloads that were not meant, and is
 * shown only on request.
 */
#ifndef UPDATER_WORKLOAD_RESULT_H
#define UPDATER_WORKLOAD_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/strbuf.h"
#include "model/resource_id.h"

enum result_status {
    RESULT_SUCCESS, /* changed, or in a dry run would be */
    RESULT_FAILED,
    RESULT_SKIPPED, /* meant, and nothing was to be done, or something forbids it: the message says what */
    RESULT_IGNORED, /* not meant */
};
/* "success", "failed", "skipped", "ignored" */
const char *result_status_name(enum result_status status);

struct container_update {
    char *container;
    char *current, *target; /* references as written */
};

struct workload_result {
    char *workload; /* id text */
    enum result_status status;
    char *message; /* why it failed or was skipped; NULL: nothing to say */
    struct container_update *updates;
    size_t updates_len, updates_capacity;
    bool is_named; /* it was asked for by its name, and is meant to be seen whatever its status */
    bool
        is_missing; /* there is no such workload; of one that is named that is a failure, whatever Flux v1 calls it */
};

/* Zero is empty. */
struct result_list {
    struct workload_result *items;
    size_t len, capacity;
    struct strvec
        failures; /* what kept the results from being whole, such as a registry that did not answer */
};
/* Adds a result for a workload (its id as text) and returns it, valid until the next is added. `message` is taken
 * over; NULL: none. */
struct workload_result *result_add(struct result_list *list, const char *workload, enum result_status status,
                                   char *message);
/* The result of a workload, or NULL. */
struct workload_result *result_find(const struct result_list *list, const char *workload);
/* The texts are copied. */
void result_add_update(struct workload_result *result, const char *container, const char *current,
                       const char *target);
/* Marks the results of those workloads (ids as text). */
void result_list_mark_named(struct result_list *list, const struct strvec *workloads);
/* Something that was asked for could not be done. (To have nothing to do is no failure.) */
bool result_list_is_failure(const struct result_list *list);
/* By id, as tables show them. */
void result_list_sort(struct result_list *list);
bool result_list_has(const struct result_list *list, enum result_status status);
void result_list_release(struct result_list *list);

#endif
