/*
 * What is known of a repository's images: its tags, and of each tag what some policy needed to know.
 *
 * A repository_info is a snapshot: it never changes once it is published, is counted by reference, and may be
 * shared between threads. Times are milliseconds since 1970, UTC; 0 means not known (never fetched, or the
 * image does not say).
 *
 * Names and details are kept apart, because of most tags nothing but the name is ever needed: the names are one block of
 * NUL-terminated texts with an offset of four bytes for each, and details exist for those tags alone of which more is
 * known. A tag costs five bytes and its name; in a repository that has details, four more, and with details of its own 64
 * and their texts. A million tags of a dozen characters are 17 MiB.
 *
 * Its strings are its own: they are put in by the functions below, and are freed with it.
 */
#ifndef MODEL_IMAGE_INFO_H
#define MODEL_IMAGE_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"

/* What can be known of a tag beyond its name. All zero: nothing is. */
struct image_details {
    const char *digest;    /* of what the tag points at (a manifest or an index); NULL if not fetched */
    int64_t created_ms;    /* from the image's config; of an index: of the wanted platform's image */
    bool is_undated;       /* it was looked for, and the image does not say when it was made */
    int64_t checked_ms;    /* when digest was last read from the registry */
    int64_t pushed_ms;     /* when what the tag points at was pushed, by the registry's own account of it */
    const char *problem;   /* why the details could not be read; NULL if they could or were not asked for */
    const char *platforms; /* that the tag offers: "linux/amd64 linux/arm64", sorted; NULL if not known */
    const char *labels;    /* chosen ones of the image's labels: a compact JSON object; NULL if not known */
};
extern const struct image_details image_details_unknown; /* nothing is known */

/* A tag of a snapshot as it is handed around; both borrowed from it. */
struct image_info {
    const char *tag;
    const struct image_details *details; /* never NULL of what repository_info_image returns */
};

struct repository_info {
    int references;        /* atomic; by _ref and _unref only */
    char *repository;      /* "index.docker.io/library/alpine" */
    size_t images_len;     /* tags, sorted in byte order; no tag twice */
    int64_t scanned_ms;    /* when the tag list was read from the registry, whole */
    bool is_truncated;     /* more tags than the limit; never a reason to update */
    bool is_label_dated;   /* created_ms is the time of the labels, where an image has one */
    bool has_no_page_size; /* the registry refused the page size that we asked for */
    bool has_push_times;   /* pushed_ms was looked for in the list; set before it is read, for it to be */
    /* The registry now lists far fewer tags, which is not believed yet: these are those that it listed before;
     * never a reason to update. */
    bool is_shrunken;
    size_t shrunken_len; /* then: how many it lists, */
    int64_t shrunken_ms; /* and when it was first seen to do so */
    char *etag;          /* of the list, if it is one page and the registry gave one; else NULL */
    int64_t etag_ms;     /* when that page was read */
    char *list_digest;   /* of the list's text, where it was one page of nothing but tags; NULL: not known */
    uint64_t record_sum; /* a checksum of its record in the cache (cache/records.h); 0: none was seen */
    uint64_t key_sum;    /* and of the key that it is under there: whose answer it is */

    /* The rest is for image_info.c alone. */
    char *names; /* in the order in which they were added */
    size_t names_len, names_capacity;
    uint32_t *offsets; /* by tag: where its name is */
    size_t offsets_capacity;
    uint32_t *slots; /* by tag: 1 + which of the details are its own, or 0; NULL while there are no details */
    size_t slots_capacity;
    struct image_details *details;
    size_t details_len, details_capacity;
    struct arena strings; /* of the details */
};

/* One reference, which is the caller's. */
struct repository_info *repository_info_new(const char *repository) MUST_CHECK;
/* From any thread that has a reference; returns `info`. */
struct repository_info *repository_info_ref(struct repository_info *info);
void repository_info_unref(struct repository_info *info);    /* NULL does nothing */
void repository_info_release(struct repository_info **info); /* for CLEANUP */

/* -- reading: `index` is below images_len ------------------------------------------------------------------ */

const char *repository_info_tag(const struct repository_info *info, size_t index);
/* Never NULL. */
const struct image_details *repository_info_details(const struct repository_info *info, size_t index);
struct image_info repository_info_image(const struct repository_info *info, size_t index);
/* SIZE_MAX if the tag is not there. By binary search, so only after repository_info_finish. */
size_t repository_info_find(const struct repository_info *info, const char *tag);

/* -- building, by one thread ------------------------------------------------------------------------------- */

/* Makes room for so many tags at once, which leaves no smaller arrays behind for others to fit into. */
void repository_info_reserve(struct repository_info *info, size_t len);
/* Adds a tag (copied) at the end and returns its index, which is good until repository_info_finish. What
 * repository_info_tag returned before may be gone. */
size_t repository_info_add(struct repository_info *info, const char *tag);
/* The tag's own details, made if there were none; for times and the like, strings are set by the functions below. Valid
 * until the next tag gets details, and so is what repository_info_details returns; their strings stay. */
struct image_details *repository_info_edit_details(struct repository_info *info, size_t index);
/* Set a string of a tag's details to a copy; NULL unsets it. What was there before stays allocated until the end. */
void repository_info_set_digest(struct repository_info *info, size_t index, const char *digest);
void repository_info_set_problem(struct repository_info *info, size_t index, const char *problem);
void repository_info_set_platforms(struct repository_info *info, size_t index, const char *platforms);
void repository_info_set_labels(struct repository_info *info, size_t index, const char *labels);
/* Makes the tag's details what they are in `from`, of another snapshot. */
void repository_info_copy_details(struct repository_info *info, size_t index,
                                  const struct image_details *from);
/* Sets the list's ETag to a copy; NULL unsets it. */
void repository_info_set_etag(struct repository_info *info, const char *etag, int64_t etag_ms);
/* Sorts, drops all but the first of equal tags, and gives back spare memory. When all tags are there; once more after
 * details were added, for their spare memory. */
void repository_info_finish(struct repository_info *info);

/* A new snapshot with the tags of another, and nothing else. One reference, which is the caller's. */
struct repository_info *repository_info_copy_tags(const struct repository_info *from) MUST_CHECK;
/* A snapshot does not change: what is to be changed is a copy. One reference, which is the caller's. */
struct repository_info *repository_info_copy(const struct repository_info *from) MUST_CHECK;

#endif
