/*
 * One look at all tags of a repository: the best of those that a container may have, and of those that it may not have, or not
 * yet. For choose.c.
 */
#ifndef UPDATER_TAG_SURVEY_H
#define UPDATER_TAG_SURVEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "model/image_info.h"
#include "updater/question.h"

/* Where the best lack a platform, so many of the next are asked about at a time. */
#define SURVEY_AHEAD 8

/* What one pass over the tags finds. */
struct tag_survey {
    struct image_info best;    /* the last in the order of those that match; without a tag: none */
    struct image_info young;   /* the same of those that are too young to be best */
    struct image_info lacking; /* the same of those that lack a platform */
    struct tag_key best_key, young_key, lacking_key; /* what the order compares them by */
    struct tag_key key;                              /* of the tag that is looked at */
    struct image_info undated;                       /* the first that matches and has no creation time */
    struct image_info unread; /* the first that matches and whose creation time could not be read */
    size_t unread_len;
    int64_t grown_ms;                      /* when the first of those too young is old enough */
    const char *too_long;                  /* the first that the pattern took too long on */
    struct image_info ahead[SURVEY_AHEAD]; /* the best of those whose platforms matter and are not known */
    size_t ahead_len;
};

/* Looks, and counts in the question's decision. *survey must be zero, and be released. */
void tag_survey_make(const struct question *q, struct tag_survey *survey);
void tag_survey_release(struct tag_survey *survey);

#endif
