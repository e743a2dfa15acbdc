/*
 * A release that changes both images of a pod, one of them to a digest, for the tests of what commits say of it.
 */
#ifndef TESTS_COMMIT_FIXTURE_H
#define TESTS_COMMIT_FIXTURE_H

#include "release_fixture.h"
#include "updater/release.h"

struct world {
    struct manifest_set *set;
    struct release *release;
};

static inline int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));
    w->set = set_of(POD_WITH_SIDE("a", "web", "example.test/web:1", "localhost:5000/side", ""));
    const struct resource *web = w->set->resources[0];
    const struct image_target targets[] = {
        {web, &web->containers[0], "example.test/web:2", "2 is the newest", NULL},
        {web, &web->containers[1],
         "localhost:5000/side:x@sha256:"
         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
         "why", NULL},
    };
    w->release = release_new(targets, ARRAY_LEN(targets));
    *state = w;
    return w->release->changes_len == 2 ? 0 : -1;
}

static inline int teardown(void **state)
{
    struct world *w = *state;
    release_free(w->release);
    manifest_set_free(w->set);
    free(w);
    return 0;
}

#endif
