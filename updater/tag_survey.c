#include "updater/tag_survey.h"

#include "updater/platforms.h"

void tag_survey_release(struct tag_survey *s)
{
    tag_key_release(&s->best_key);
    tag_key_release(&s->young_key);
    tag_key_release(&s->lacking_key);
    tag_key_release(&s->key);
}

/* Takes the tag that is looked at if it is better; the keys change places, and so their memory is used again. */
static void take_better(const struct question *q, const struct image_info *image, struct tag_survey *s,
                        struct image_info *best, struct tag_key *best_key)
{
    if (best->tag && tag_policy_compare_keys(q->policy, &s->key, best_key) <= 0)
        return;
    const struct tag_key worse = *best_key;
    *best_key = s->key;
    s->key = worse;
    *best = *image;
}

static void take_ahead(const struct question *q, struct image_info image, struct tag_survey *s)
{
    for (size_t i = 0; i < s->ahead_len; i++) {
        if (tag_policy_compare(q->policy, &image, &s->ahead[i]) <= 0)
            continue;
        struct image_info worse = s->ahead[i];
        s->ahead[i] = image;
        image = worse;
    }
    if (s->ahead_len < SURVEY_AHEAD)
        s->ahead[s->ahead_len++] = image;
}

/* Takes a tag that matches for what it is. The current tag is there already, however young. */
static void survey_match(const struct question *q, const struct image_info *image, struct tag_survey *s)
{
    const char *platforms = image->details->platforms;
    if (question_is_current(q, image->tag)) {
        take_better(q, image, s, &s->best, &s->best_key);
        return;
    }
    if (platforms && platforms_missing(&q->mine->platforms, platforms)) {
        q->out->without_platform++;
        take_better(q, image, s, &s->lacking, &s->lacking_key);
        return;
    }
    int64_t grown = question_grown_ms(q, image);
    if (grown <= q->facts->now_ms) {
        take_better(q, image, s, &s->best, &s->best_key);
        if (q->mine->platforms.len && !platforms)
            take_ahead(q, *image, s);
        return;
    }
    q->out->too_young++;
    s->grown_ms = !s->grown_ms || grown < s->grown_ms ? grown : s->grown_ms;
    take_better(q, image, s, &s->young, &s->young_key);
}

void tag_survey_make(const struct question *q, struct tag_survey *s)
{
    struct decision *out = q->out;
    bool needs_created = question_is_by_time(q);
    for (size_t i = 0; i < q->info->images_len; i++) {
        struct image_info image = repository_info_image(q->info, i);
        enum tag_match match = tag_policy_read(q->policy, &image, &s->key);
        if (q->follows_tag)
            match = question_match(q, image.tag);
        bool is_undated = needs_created && image.details->created_ms == 0;
        if (match != TAG_MATCHES || is_undated)
            out->rejected[match]++;
        if (match == TAG_OVER_LIMIT && !s->too_long)
            s->too_long = image.tag;
        if (match != TAG_MATCHES)
            continue;
        if (is_undated && image.details->problem) {
            s->unread = s->unread.tag ? s->unread : image;
            s->unread_len++;
        }
        if (is_undated)
            s->undated = s->undated.tag ? s->undated : image;
        else
            survey_match(q, &image, s);
    }
    out->tags_seen = q->info->images_len;
}
