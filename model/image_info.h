/*
 * What is known of a repository's images: its tags, and of each tag what some policy needed to know.
 *
 * A repository_info is a snapshot: it never changes once it is published, is counted by reference, and may be
 * shared between threads. Times are milliseconds since 1970, UTC; 0 means not known (never fetched, or the
 * image does not say).
 */
#ifndef MODEL_IMAGE_INFO_H
#define MODEL_IMAGE_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct image_info {
    char *tag;
    char *digest;       /* of what the tag points at (a manifest or an index); NULL if not fetched */
    int64_t created_ms; /* from the image's config; of an index: of the wanted platform's image */
    int64_t checked_ms; /* when digest was last read from the registry */
    char *problem;      /* why its details could not be read; NULL if they could or were not asked for */
};

struct repository_info {
    int references;            /* atomic */
    char *repository;          /* "index.docker.io/library/alpine" */
    struct image_info *images; /* sorted by tag, in byte order; no tag twice */
    size_t images_len, images_capacity;
    int64_t scanned_ms; /* when the tag list was read from the registry, whole */
    bool is_truncated;  /* more tags than the limit; never a reason to update */
};

struct repository_info *repository_info_new(const char *repository);
struct repository_info *repository_info_ref(struct repository_info *info);
void repository_info_unref(struct repository_info *info);    /* NULL does nothing */
void repository_info_release(struct repository_info **info); /* for CLEANUP */

/* While building: adds a tag (copied) at the end and returns it, valid until the next call. */
struct image_info *repository_info_add(struct repository_info *info, const char *tag);
/* Sorts, and drops all but the first of equal tags. Call once when built. */
void repository_info_finish(struct repository_info *info);
/* NULL if the tag is not there. By binary search. */
const struct image_info *repository_info_find(const struct repository_info *info, const char *tag);

#endif
