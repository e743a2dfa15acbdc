/*
 * The images of workloads in git and what their registries have of them: the answer to `pawl list-images`.
 *
 * It is for looking, not for deciding: every container of the workloads that are asked for, automated or not. All tags
 * are asked for their creation time, within the same budget and cache as any scan; where a registry stops answering,
 * what came before is there, and the newest tags, as far as names tell, were asked first.
 */
#ifndef DAEMON_IMAGE_LISTING_H
#define DAEMON_IMAGE_LISTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/config.h"
#include "model/image_info.h"
#include "model/manifest.h"
#include "updater/workload_policy.h"

struct image_listing_options {
    const char *space;    /* of the workloads; NULL: the one that objects have which name none */
    bool all_spaces;      /* then `space` says nothing */
    const char *workload; /* only this: "kind/name" in `space`, or "namespace:kind/name"; NULL: all */
    unsigned wants;       /* DEMAND_…, of every tag */
    void (*progress)(size_t done, size_t total, void *context); /* NULL: none */
    void *context;
};

struct image_listing_row {
    struct image_info image; /* borrowed from the container's info */
    bool matches;            /* the container's policy would take it */
    bool is_current;         /* the tag that the container has */
    bool is_newer;           /* comes before the current one */
};

struct image_listing_container {
    const struct container *container;  /* borrowed */
    const struct repository_info *info; /* borrowed; NULL: nothing is known */
    struct image_listing_row
        *rows; /* best first in the policy's order: newest, highest version (as Flux v1) or what is set */
    size_t rows_len;
    ptrdiff_t current; /* the row of the image that the container has, or -1 */
    ptrdiff_t latest;  /* the first row that matches, or -1 */
    char *problem;     /* why there are no rows, or why they may be incomplete; NULL: nothing */
};

struct image_listing_workload {
    struct workload_policy *policy;
    char *id;
    struct image_listing_container *containers;
    size_t containers_len;
};

/* Of one repository in git. */
struct image_listing {
    struct manifest_set *manifests;
    struct resource_id wanted;                /* the workload that is asked for; without a name: none is */
    struct image_listing_workload *workloads; /* sorted by id */
    size_t len;
    struct scan_result *answers;
    char **repositories; /* that were asked about: index by index with the answers */
    size_t repositories_len;
    bool is_complete; /* every container has all of its images */
};
#define IMAGE_LISTING_INIT                                                                                   \
    {                                                                                                        \
        0                                                                                                    \
    }

struct session;

/* Fetches the branch and reads the manifests at its head; then asks the registries. ERROR_USAGE for a workload whose
 * name cannot be one; what git says. One that is not there makes the listing empty. Release it in any case. */
int image_listing_make(const struct config *config, const struct repository_config *settings,
                       struct session *session, const struct image_listing_options *options,
                       struct image_listing *listing, struct error *err) MUST_CHECK;
void image_listing_release(struct image_listing *listing);

/* Appends the workloads to `list` as Flux v1's API gave them: an ImageStatus each (docs/interface.md), with at most
 * `limit` of the available images (0: all). */
void image_listing_add_json(const struct image_listing *listing, size_t limit, json_t *list);

#endif
