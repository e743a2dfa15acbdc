/*
 * Surveys that several containers share. What a look at a repository's tags finds depends on the tags and the policy alone,
 * unless a container minds the age or the platforms of its image, or follows one tag: so of fifty workloads of one image under
 * one policy, which is what a fleet looks like, the tags are looked at once.
 *
 * For one pass of decisions: what is kept borrows from the answers.
 */
#ifndef UPDATER_SHARED_SURVEYS_H
#define UPDATER_SHARED_SURVEYS_H

#include "base/attr.h"
#include "base/strmap.h"
#include "updater/question.h"
#include "updater/tag_survey.h"

struct shared_surveys {
    struct strmap surveys; /* by repository_info and policy */
};
void shared_surveys_init(struct shared_surveys *shared);
void shared_surveys_release(struct shared_surveys *shared);

/*
 * The survey of the question: one that was made for an earlier question, or made now, counted in the question's decision all the
 * same. Borrowed from the question's shared surveys, or, where they are NULL or this one is not to be shared, `own`, which must be
 * zero and be released.
 */
const struct tag_survey *shared_surveys_find(const struct question *q, struct tag_survey *own) MUST_CHECK;

#endif
