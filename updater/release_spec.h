/*
 * What a person asks to be released: which workloads, and which images. Flux v1's release specs
 * (ReleaseImageSpec, ReleaseContainersSpec), and which workloads of a repository one means.
 *
 * Filters, the first that fails counts:
 *
 *   not among the workloads named                            ignored  "not included"
 *   among those excluded                                     ignored  "excluded"
 *   no container has the image named, whatever its tag       ignored  "a different image"
 *   locked, now                                              skipped  "locked"
 *   to be ignored                                            skipped  "ignore"
 *
 * With force, the last two let those workloads pass that were named, one by one. A workload that was named and is
 * not there is skipped, and missing: "not found in repository", with the nearest name that there is; one that was excluded
 * and is not there is ignored, with the same words, and meant to be seen. One that cannot be decided on (defined twice, an
 * annotation that is not understood) is skipped with the reason. There is no cluster: containers are those in git.
 */
#ifndef UPDATER_RELEASE_SPEC_H
#define UPDATER_RELEASE_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "model/image_ref.h"
#include "model/manifest.h"
#include "updater/workload_policy.h"
#include "updater/workload_result.h"

enum release_kind {
    RELEASE_LATEST,     /* for each container the best that its policy takes */
    RELEASE_IMAGE,      /* one image for all containers of its repository */
    RELEASE_CONTAINERS, /* an image for each of the containers named */
};

/* An image for one container, whatever its policy and its repository are. */
struct container_spec {
    char *workload; /* id text */
    char *container;
    char *current; /* only if the container has this image; NULL: whatever it has */
    char *target;
};

struct release_spec {
    enum release_kind kind;
    struct strvec workloads;           /* id texts; empty: all */
    struct strvec excludes;            /* id texts */
    struct image_ref image;            /* RELEASE_IMAGE; has a tag and no digest */
    struct container_spec *containers; /* RELEASE_CONTAINERS; their workloads are those above */
    size_t containers_len, containers_capacity;
    bool force;
    int64_t now_ms; /* wall time: a lock that has ended is none */
};
#define RELEASE_SPEC_INIT                                                                                    \
    {                                                                                                        \
        .kind = RELEASE_LATEST, .image = IMAGE_REF_INIT                                                      \
    }
void release_spec_release(struct release_spec *spec);

/* Reads ids as a person gives them (in `space` where they name none) into a list of id texts, each once. ERROR_USAGE for
 * what is none. */
int release_spec_add_ids(const struct strvec *texts, const char *space, struct strvec *out, struct error *err)
    MUST_CHECK;
/* Makes it the release of that image. ERROR_USAGE for what is no reference, or has no tag. */
int release_spec_set_image(struct release_spec *spec, const char *image, struct error *err) MUST_CHECK;
/* Adds one container, of a workload that is named already. `current` NULL: whatever it has. ERROR_USAGE for a target
 * that is no reference, or if the container has one already. */
int release_spec_add_container(struct release_spec *spec, const char *workload, const char *container,
                               const char *current, const char *target, struct error *err) MUST_CHECK;

/* The policies of the workloads that a spec means. Zero is empty. */
struct workload_selection {
    struct workload_policy *
        *items; /* in the order of the manifests; of a kustomization maybe several, side by side */
    size_t len, capacity;
};
void workload_selection_release(struct workload_selection *selection);

/* Selects, and adds a result for each workload that is left out. */
void release_select(const struct release_spec *spec, const struct manifest_set *manifests,
                    struct workload_selection *selection, struct result_list *results);

/*
 * The commit message, Flux v1's: "Release IMAGE to WORKLOADS" ("all latest", "all"), or for containers "Update image
 * refs in WORKLOADS" with a list of what changed and of what failed. free() it.
 */
char *release_spec_message(const struct release_spec *spec, const struct result_list *results) MUST_CHECK;

#endif
