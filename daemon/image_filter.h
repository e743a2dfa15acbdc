/*
 * Which images may be asked about at all, and which are dated by their labels: what the options --registry-exclude-image,
 * -include-image, -disable-scanning, -ecr-region, -ecr-include-id, -ecr-exclude-id and -use-labels say, with the meaning
 * that they have in Flux v1. Exclusion wins; an empty list of what to include is everything.
 */
#ifndef DAEMON_IMAGE_FILTER_H
#define DAEMON_IMAGE_FILTER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "daemon/config.h"
#include "model/image_ref.h"

/* The lists are borrowed; NULL is an empty one. {0} lets everything be asked about. */
struct image_filter {
    const struct strvec *exclude, *include; /* globs on the normalised name, as of image_ref_repository */
    const struct strvec *use_labels;        /* the same */
    const struct strvec *ecr_regions, *ecr_include_ids, *ecr_exclude_ids; /* of Amazon's registries alone */
    bool is_closed;                                                       /* nothing is asked */
    bool
        also_unautomated; /* for looking: also those of workloads that are not automated, or are to be ignored */
};
/* What the configuration says; it must live as long. */
struct image_filter image_filter_of(const struct config *config);

/* Why the repository may not be asked about, naming the option; static. NULL: it may. */
const char *image_filter_refusal(const struct image_filter *filter, const char *repository);
/* The same as an error, ERROR_UNSUPPORTED, for an image that is not asked about. */
struct error image_filter_error(const struct image_filter *filter, const struct image_ref *image);
bool image_filter_dates_by_labels(const struct image_filter *filter, const char *repository);

#endif
