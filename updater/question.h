/*
 * The question that a choice answers: one container, its policy, and what is known. The rules of updater/choose.h ask it.
 *
 * Every rule is a function that says NULL where it has nothing to say, and else the reason, which the decision takes over. For
 * choose.c and the files it is made of alone.
 */
#ifndef UPDATER_QUESTION_H
#define UPDATER_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "updater/choose.h"

struct question {
    const struct workload_policy *workload;
    const struct container_policy *mine;
    const struct container *container;
    const char *overridden;          /* where; NULL: it is not */
    const struct tag_policy *policy; /* NULL if it does not compile */
    const struct choose_facts *facts;
    const struct repository_info *info;
    const struct error *scan_error; /* NULL: none */
    const char *current;            /* the tag; NULL if the image has a digest alone, or cannot be read */
    bool follows_tag;               /* the current tag is all that is looked at, for its digest */
    struct decision *out;           /* gets the cause with each reason to hold or block */
};

/* Notes the cause, and returns the reason. */
char *question_because(const struct question *q, enum decision_cause cause, char *reason);
/* What the policy says of a tag. */
enum tag_match question_match(const struct question *q, const char *tag);
/* Whether times are what tags are compared by. */
bool question_is_by_time(const struct question *q);
bool question_is_current(const struct question *q, const char *tag);
/* When the image is as old as min-age asks; 0: no age is asked for. */
int64_t question_grown_ms(const struct question *q, const struct image_info *image);

#endif
