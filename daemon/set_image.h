/*
 * Images set by hand in manifest files on disk: the same byte-exact edit as a round's, without git. What
 * `pawl set-image` does.
 */
#ifndef DAEMON_SET_IMAGE_H
#define DAEMON_SET_IMAGE_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"

struct set_image_request {
    const char *path;                 /* a file, or a directory */
    const char *default_space;        /* namespace of objects that name none, and of a workload without one */
    const char *workload;             /* "namespace:kind/name" or "kind/name" */
    const struct strvec *assignments; /* "CONTAINER=IMAGE"; from `first` on */
    size_t first;
    bool dry_run; /* write nothing */
};

struct set_image_result {
    bool is_changed;       /* false: all images were as asked for */
    struct strbuf summary; /* a line per image: "FILE:LINE: CONTAINER: OLD -> NEW" */
    struct strbuf diff;    /* the unified diff */
};
#define SET_IMAGE_RESULT_INIT                                                                                \
    {                                                                                                        \
        .summary = STRBUF_INIT, .diff = STRBUF_INIT                                                          \
    }
void set_image_result_release(struct set_image_result *result);

/* All assignments, or nothing is written. ERROR_USAGE for a workload, assignment or image that cannot be read;
 * ERROR_NOT_FOUND for a path, workload or container that is not there (the text names those there are);
 * ERROR_UNSUPPORTED where the bytes cannot be edited alone; ERROR_IO. */
int set_image(const struct set_image_request *request, struct set_image_result *result, struct error *err)
    MUST_CHECK;

#endif
