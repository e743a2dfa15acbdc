#include "updater/shared_surveys.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

/* A survey, and what it counted. */
struct shared {
    struct tag_survey survey;
    size_t rejected[TAG_MATCH_COUNT];
};

static void free_shared(void *value)
{
    struct shared *shared = value;
    tag_survey_release(&shared->survey);
    free(shared);
}

void shared_surveys_init(struct shared_surveys *shared)
{
    strmap_init(&shared->surveys, free_shared);
}

void shared_surveys_release(struct shared_surveys *shared)
{
    strmap_release(&shared->surveys);
}

/* Then nothing that is found depends on the container, not even on which tag it has now. */
static bool is_shareable(const struct question *q)
{
    return q->facts->shared && !q->follows_tag && !q->mine->min_age_ms && !q->mine->platforms.len;
}

static char *key_of(const struct question *q)
{
    struct strbuf key = STRBUF_INIT;
    strbuf_addf(&key, "%jx ", (uintmax_t)(uintptr_t)q->info);
    tag_policy_add_identity(q->policy, &key);
    return strbuf_detach(&key, NULL);
}

const struct tag_survey *shared_surveys_find(const struct question *q, struct tag_survey *own)
{
    if (!is_shareable(q)) {
        tag_survey_make(q, own);
        return own;
    }
    struct strmap *surveys = &q->facts->shared->surveys;
    AUTO_FREE char *key = key_of(q);
    struct shared *shared = strmap_get(surveys, key);
    if (!shared) {
        shared = xcalloc(1, sizeof(*shared));
        tag_survey_make(q, &shared->survey);
        memcpy(shared->rejected, q->out->rejected, sizeof(shared->rejected));
        strmap_set(surveys, key, shared);
    }
    memcpy(q->out->rejected, shared->rejected, sizeof(shared->rejected));
    q->out->tags_seen = q->info->images_len;
    return &shared->survey;
}
