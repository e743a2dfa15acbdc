#include "scanner/tag_answer.h"

#include <stdbool.h>
#include <string.h>

#include "cache/fact_record.h"

unsigned tag_answer_known(const struct image_details *details)
{
    if (!details->digest)
        return 0;
    unsigned known = DEMAND_DIGEST;
    if (details->created_ms || details->is_undated)
        known |= DEMAND_CREATED;
    if (details->platforms)
        known |= DEMAND_PLATFORMS;
    if (details->labels)
        known |= DEMAND_LABELS;
    return details->problem ? known | DEMAND_CREATED | DEMAND_LABELS : known;
}

static void put_time(struct image_details *details, const struct image_facts *facts, bool by_labels)
{
    bool is_labelled = by_labels && facts->known & DEMAND_LABELS && facts->labelled_ms;
    details->created_ms = is_labelled ? facts->labelled_ms : facts->created_ms;
    details->is_undated = !details->created_ms;
}

static void put_facts(struct repository_info *info, size_t index, const struct demand *demand,
                      const struct image_facts *facts)
{
    const struct image_details *details = repository_info_details(info, index);
    unsigned wants = demand_wants(demand, repository_info_tag(info, index));
    unsigned news = facts->known & (wants | DEMAND_CREATED);
    if (news & DEMAND_CREATED)
        put_time(repository_info_edit_details(info, index), facts, demand->dates_by_labels);
    if (news & DEMAND_PLATFORMS && !details->platforms)
        repository_info_set_platforms(info, index, facts->platforms);
    if (news & DEMAND_LABELS && !details->labels)
        repository_info_set_labels(info, index, facts->labels);
}

/* What the list said of the tag, unless it moved since: then that was of what it pointed at before. Where it was seen
 * before the push that the list tells of, it is that push which moved it. */
static int64_t pushed_of(const struct image_details *before)
{
    return before->digest && before->pushed_ms <= before->checked_ms ? 0 : before->pushed_ms;
}

void tag_answer_put(struct repository_info *info, size_t index, const struct demand *demand,
                    const struct tag_answer *answer)
{
    const struct image_details *before = repository_info_details(info, index);
    int64_t pushed_ms = pushed_of(before);
    bool is_same = before->digest && answer->digest && !strcmp(before->digest, answer->digest);
    if (!is_same) {
        *repository_info_edit_details(info, index) = (struct image_details){.pushed_ms = pushed_ms};
        repository_info_set_digest(info, index, answer->digest);
    }
    if (!is_same || answer->problem || (answer->facts && answer->facts->known & DEMAND_CREATED))
        repository_info_set_problem(info, index, answer->problem); /* else the old one is still unanswered */
    repository_info_edit_details(info, index)->checked_ms = answer->digest ? answer->now_ms : 0;
    if (answer->facts)
        put_facts(info, index, demand, answer->facts);
}

struct repository_info *tag_answer_date_all(struct repository_info *info, const struct demand *demand,
                                            struct cache *cache, const char *platform)
{
    if (!info || info->is_label_dated == demand->dates_by_labels)
        return info;
    struct repository_info *dated = repository_info_copy(info);
    repository_info_unref(info);
    dated->is_label_dated = demand->dates_by_labels;
    for (size_t i = 0; i < dated->images_len; i++) {
        const struct image_details *details = repository_info_details(dated, i);
        CLEANUP(image_facts_release) struct image_facts facts = IMAGE_FACTS_INIT;
        if (!(tag_answer_known(details) & DEMAND_CREATED) || details->problem)
            continue;
        struct image_details *changed = repository_info_edit_details(dated, i);
        changed->created_ms = 0;
        changed->is_undated = false;
        if (record_get_facts(cache, changed->digest, platform, &facts) && facts.known & DEMAND_CREATED)
            put_time(changed, &facts, demand->dates_by_labels);
    }
    return dated;
}
