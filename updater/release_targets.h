/*
 * Which images the selected workloads of a release get, from what the registries have: targets, and a result for
 * each workload that gets none. Flux v1's calculation, by containers in git.
 *
 *   every image is there already                        skipped  "image(s) up to date"
 *   a container's images are not known or not taken     skipped  "cannot find one or more images: CONTAINER: why"
 *   a container is held by more than a lock             skipped  "CONTAINER: held: why"
 *   there is none that its policy takes                 ignored  "does not use image(s): CONTAINER: why"
 *   a container that was named is not there             failed   "container(s) not found: a, b"
 *   it has another image than was said                  failed   "container(s) tag mismatch: a, b"
 *
 * A workload of which at least one container gets another image is released, whatever is with the rest. Of several
 * reasons not to, the one that tells more is the result: held, then cannot find, then up to date (Flux v1 took that of
 * the last container).
 */
#ifndef UPDATER_RELEASE_TARGETS_H
#define UPDATER_RELEASE_TARGETS_H

#include "base/attr.h"
#include "base/error.h"
#include "model/image_info.h"
#include "updater/choose.h"
#include "updater/release_spec.h"
#include "updater/target_list.h"

/*
 * RELEASE_LATEST: for each container the candidate of choose(). `decisions` are those of all containers of the selection, in
 * its order. A person may go back where a policy alone may not: the
 * candidate need not come after the current tag. What is blocked, or held for any other reason, stays. The policies of
 * the selection are made such that locks, missing automation and a step back do not hold (release_unlock).
 */
void release_latest(const struct workload_selection *selection, const struct decision *decisions,
                    struct target_list *targets, struct result_list *results);
void release_unlock(struct workload_selection *selection);

/* RELEASE_IMAGE, which is known to be there. Unless forced, the policy of a container must take its tag. `digest`
 * (NULL: not known) is that of the tag: a container that is pinned stays so. */
void release_image(const struct release_spec *spec, const struct workload_selection *selection,
                   const char *digest, struct target_list *targets, struct result_list *results);

/* RELEASE_CONTAINERS. A workload of which one container cannot be fails as a whole. */
void release_containers(const struct release_spec *spec, const struct workload_selection *selection,
                        struct target_list *targets, struct result_list *results);

#endif
