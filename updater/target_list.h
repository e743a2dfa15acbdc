/*
 * The images that somebody wants, workload by workload, on the way to a release and its results. What a release, a
 * rollback and a promotion have in common.
 */
#ifndef UPDATER_TARGET_LIST_H
#define UPDATER_TARGET_LIST_H

#include <stddef.h>

#include "base/attr.h"
#include "base/strbuf.h"
#include "updater/release.h"
#include "updater/workload_result.h"

/* Targets in the order in which they were added: those of one workload side by side. Zero is empty. */
struct target_list {
    struct image_target *items;
    size_t len, capacity;
    struct strvec texts; /* what the items point at */
    struct strvec notes; /* of workloads: id, what to say, and so on */
};

/* Resource and container are borrowed; the texts are taken over. */
void target_list_add(struct target_list *list, const struct resource *resource,
                     const struct container *container, char *image, char *reason);
/* What the result of a workload (its id) that succeeds says beside its updates; taken over. */
void target_list_note(struct target_list *list, const char *workload, char *text);
void target_list_release(struct target_list *list);

/*
 * The release of all targets, and a result for each workload that has one. A workload changes as a whole or, if one
 * of its images cannot be written, fails and stays as it is: then its targets leave the list.
 */
struct release *target_list_make(struct target_list *list, struct result_list *results) MUST_CHECK;

#endif
