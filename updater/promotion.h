/*
 * A promotion: the images of one place for the workloads of another, staging's for production's.
 *
 * A workload gets the images of the one of the same kind and name, container by container by their names; the
 * namespaces may differ. Where the other place has several of that kind and name, the one in the same namespace is
 * meant; if there is none such, it fails. What is named by its path (a kustomization without a name, a file with markers) goes
 * by its path within the place. The name of an image stays as it is written; only tag and digest come over.
 * An image of another repository is left alone, unless names are to come over too.
 *
 * Results, beside those of release_select: "there is none of its kind and name to promote" (ignored, and missing),
 * "image(s) up to date", "CONTAINER: another repository …" (skipped).
 */
#ifndef UPDATER_PROMOTION_H
#define UPDATER_PROMOTION_H

#include <stdbool.h>

#include "base/attr.h"
#include "model/manifest.h"
#include "updater/release_spec.h"
#include "updater/target_list.h"

struct promotion {
    const struct manifest_set *from;
    const char *from_path, *to_path; /* the places, without a slash at the end; "" is the whole repository */
    bool with_names;                 /* images of other repositories come over with their names */
};

/* `selection`: the workloads that are to get images. */
void promotion_targets(const struct promotion *promotion, const struct workload_selection *selection,
                       struct target_list *targets, struct result_list *results);

/* "Promote FROM to TO" and what changed. free() it. */
char *promotion_message(const char *from, const char *to, const struct result_list *results) MUST_CHECK;

#endif
