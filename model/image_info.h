/*
 * What is known of a repository's images: its tags, and of each tag what some policy needed to know.
 *
 * A repository_info is a snapshot: it never changes once it is published, is counted by reference, and may be
 * shared between threads. Times are milliseconds since 1970, UTC; 0 means not known (never fetched, or the
 * image does not say).
 *
 * Its strings are its own: they are put in by the functions below, live in one arena, and are freed with it.
 * A tag that nothing but its name is known of costs 41 bytes and the name, so a million tags fit into 64 MiB.
 */
#ifndef MODEL_IMAGE_INFO_H
#define MODEL_IMAGE_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"

struct image_info {
    const char *tag;
    const char *digest;  /* of what the tag points at (a manifest or an index); NULL if not fetched */
    int64_t created_ms;  /* from the image's config; of an index: of the wanted platform's image */
    int64_t checked_ms;  /* when digest was last read from the registry */
    const char *problem; /* why its details could not be read; NULL if they could or were not asked for */
};

struct repository_info {
    int references;            /* atomic; by _ref and _unref only */
    const char *repository;    /* "index.docker.io/library/alpine" */
    struct image_info *images; /* sorted by tag, in byte order; no tag twice */
    size_t images_len, images_capacity;
    int64_t scanned_ms; /* when the tag list was read from the registry, whole */
    bool is_truncated;  /* more tags than the limit; never a reason to update */
    /* The registry now lists far fewer tags, which is not believed yet: these are those that it listed before;
     * never a reason to update. */
    bool is_shrunken;
    size_t shrunken_len;  /* then: how many it lists, */
    int64_t shrunken_ms;  /* and when it was first seen to do so */
    const char *etag;     /* of the list, if it is one page and the registry gave one; else NULL */
    int64_t etag_ms;      /* when that page was read */
    struct arena strings; /* repository, and every string in images */
};

/* One reference, which is the caller's. */
struct repository_info *repository_info_new(const char *repository) MUST_CHECK;
/* From any thread that has a reference; returns `info`. */
struct repository_info *repository_info_ref(struct repository_info *info);
void repository_info_unref(struct repository_info *info);    /* NULL does nothing */
void repository_info_release(struct repository_info **info); /* for CLEANUP */

/* Makes room for so many tags at once, which leaves no smaller arrays behind for others to fit into. */
void repository_info_reserve(struct repository_info *info, size_t len);
/* While building, by one thread: adds a tag (copied) at the end and returns it, valid until the next call. */
struct image_info *repository_info_add(struct repository_info *info, const char *tag);
/* Set an image's string to a copy; NULL unsets it. What was there before stays allocated until the end. */
void repository_info_set_digest(struct repository_info *info, struct image_info *image, const char *digest);
void repository_info_set_problem(struct repository_info *info, struct image_info *image, const char *problem);
/* Makes everything but the tag of `to`, in `info`, what it is in `from`, of another. */
void repository_info_copy_details(struct repository_info *info, struct image_info *to,
                                  const struct image_info *from);
/* Sets the list's ETag to a copy; NULL unsets it. */
void repository_info_set_etag(struct repository_info *info, const char *etag, int64_t etag_ms);
/* Sorts, drops all but the first of equal tags, and gives back spare memory. Call once when built. */
void repository_info_finish(struct repository_info *info);

/* A snapshot does not change: what is to be changed is a copy. One reference, which is the caller's. */
struct repository_info *repository_info_copy(const struct repository_info *from) MUST_CHECK;

/* NULL if the tag is not there. By binary search, so only after repository_info_finish. */
const struct image_info *repository_info_find(const struct repository_info *info, const char *tag);

#endif
