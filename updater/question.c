#include "updater/question.h"

#include <string.h>

char *question_because(const struct question *q, enum decision_cause cause, char *reason)
{
    q->out->cause = cause;
    return reason;
}

enum tag_match question_match(const struct question *q, const char *tag)
{
    if (q->follows_tag)
        return strcmp(tag, q->current) == 0 ? TAG_MATCHES : TAG_DIFFERS;
    return tag_policy_match(q->policy, tag);
}

bool question_is_by_time(const struct question *q)
{
    return !q->follows_tag && tag_policy_needs_created(q->policy);
}

bool question_is_current(const struct question *q, const char *tag)
{
    return q->current && strcmp(tag, q->current) == 0;
}

int64_t question_grown_ms(const struct question *q, const struct image_info *image)
{
    const struct choose_facts *facts = q->facts;
    if (!q->mine->min_age_ms)
        return 0;
    int64_t seen_ms = facts->since_ms ? facts->since_ms(image, facts->context) : 0;
    return (seen_ms ? seen_ms : facts->now_ms) + q->mine->min_age_ms;
}
