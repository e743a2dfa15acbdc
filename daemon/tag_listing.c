#include "daemon/tag_listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "daemon/image_filter.h"
#include "daemon/image_json.h"
#include "daemon/session.h"
#include "updater/choose.h"
#include "updater/tag_policy.h"

struct asked {
    const struct tag_policy *policy;
    unsigned wants;
};

static unsigned wants(const char *tag, void *context)
{
    const struct asked *asked = context;
    return tag_policy_match(asked->policy, tag) == TAG_MATCHES ? asked->wants : 0;
}

static int scan(const struct config *config, const struct tag_policy *policy, unsigned also,
                struct tag_listing *listing, struct error *err)
{
    CLEANUP(session_close) struct session session = SESSION_INIT;
    if (session_open(&session, config, &system_clock, err) < 0)
        return -1;
    AUTO_FREE char *repository = image_ref_repository(&listing->image);
    const struct image_filter filter = {.use_labels = &config->use_labels};
    struct asked asked = {.policy = policy, .wants = DEMAND_CREATED | also};
    const struct demand demand = {
        .repository = repository,
        .wants = policy && tag_policy_needs_created(policy) ? wants : NULL,
        .context = &asked,
        .dates_by_labels = image_filter_dates_by_labels(&filter, repository),
    };
    struct scan_result result = {0};
    scanner_scan(session.scanner, &demand, 1, 0, NULL, NULL, &result);
    if (result.is_fresh)
        listing->info = steal(&result.info);
    else
        *err = result.error;
    scan_results_release(&result, 1);
    return listing->info ? 0 : -1;
}

static void rank(struct tag_listing *listing, const struct tag_policy *policy)
{
    AUTO_FREE struct ranked_tag *ranked = rank_tags(listing->info, policy);
    listing->rows = xcalloc(listing->info->images_len, sizeof(*listing->rows));
    for (size_t i = 0; i < listing->info->images_len; i++) {
        const struct ranked_tag *tag = &ranked[i];
        struct tag_listing_row *row = &listing->rows[i];
        row->image = tag->image;
        row->matches = !policy || (tag->match == TAG_MATCHES && !tag->is_undated);
        if (!row->matches)
            row->why_not = decision_rejection_name(tag->match);
        listing->is_undecidable = listing->is_undecidable || tag->match == TAG_OVER_LIMIT;
    }
}

/* The rows are sorted, so the best match is the first. */
static const struct image_info *best(const struct tag_listing *listing)
{
    for (size_t i = 0; i < listing->info->images_len; i++) {
        if (listing->rows[i].matches)
            return &listing->rows[i].image;
    }
    return NULL;
}

/* The image's own tag matches, and the chosen one does not come after it. */
static bool would_go_back(const struct tag_listing *listing, const struct tag_policy *policy,
                          const struct image_info *chosen)
{
    const char *tag = listing->image.tag;
    size_t at = tag ? repository_info_find(listing->info, tag) : SIZE_MAX;
    if (at == SIZE_MAX || tag_policy_match(policy, tag) != TAG_MATCHES)
        return false;
    struct image_info now = repository_info_image(listing->info, at);
    return tag_policy_compare(policy, chosen, &now) <= 0;
}

static void choose_tag(struct tag_listing *listing, const struct tag_policy *policy)
{
    const struct image_info *chosen = best(listing);
    listing->is_notable = true;
    if (listing->info->is_truncated) {
        listing->reason =
            xstrdup("the repository has more tags than --registry-tag-limit, so none is chosen");
        return;
    }
    if (listing->info->is_shrunken) {
        listing->reason =
            xasprintf("the registry now lists %zu tags, which is not believed yet, so none is chosen",
                      listing->info->shrunken_len);
        return;
    }
    if (listing->is_undecidable) {
        listing->reason = xasprintf("%s takes too long on some tags, so none is chosen", listing->policy);
        return;
    }
    if (!chosen) {
        listing->reason =
            xasprintf("none of the %zu tags matches %s", listing->info->images_len, listing->policy);
        return;
    }
    const char *current = listing->image.tag;
    listing->chosen = chosen->tag;
    listing->is_notable =
        current && strcmp(current, chosen->tag) != 0 && !would_go_back(listing, policy, chosen);
    listing->reason =
        xasprintf("%s is the %s that matches %s%s%s", chosen->tag, tag_policy_superlative(policy),
                  listing->policy, current ? "; the image has " : "", current ? current : "");
}

/* NULL, and no error, if none is asked for. */
static struct tag_policy *read_policy(const struct tag_listing_policy *asked, struct error *err)
{
    if (!asked->text && (asked->order || asked->extract))
        error_set(err, ERROR_USAGE,
                  "--order and --extract say what a policy does with the tags; there is no --policy");
    if (!asked->text)
        return NULL;
    CLEANUP(tag_policy_release) struct tag_policy *policy = tag_policy_new(asked->text, err);
    if (!policy)
        return NULL;
    if (asked->order && tag_policy_set_order(policy, asked->order, err) < 0) {
        error_wrap(err, "--order");
        return NULL;
    }
    if (asked->extract && tag_policy_set_extract(policy, asked->extract, err) < 0) {
        error_wrap(err, "--extract");
        return NULL;
    }
    return steal(&policy);
}

static void note_policy(struct tag_listing *listing, const struct tag_policy *policy)
{
    listing->policy = xstrdup(tag_policy_text(policy));
    listing->order = tag_policy_order(policy);
    listing->extract = xstrdup(tag_policy_extract(policy));
}

int tag_listing_make(const struct config *config, const char *image, const struct tag_listing_policy *asked,
                     unsigned also, struct tag_listing *listing, struct error *err)
{
    CLEANUP(tag_policy_release) struct tag_policy *policy = NULL;
    struct error problem = ERROR_INIT;
    if (image_ref_parse_any(image, &listing->image, &problem) == 0)
        policy = read_policy(asked, &problem);
    if (policy && listing->image.is_chart)
        tag_policy_set_charts(policy);
    if (problem.code != ERROR_NONE)
        return error_set(err, ERROR_USAGE, "%s", problem.text);
    if (scan(config, policy, also, listing, err) < 0)
        return -1;
    if (policy)
        note_policy(listing, policy);
    rank(listing, policy);
    if (policy)
        choose_tag(listing, policy);
    else
        listing->reason = xstrdup("no policy was given; see --policy");
    return 0;
}

void tag_listing_release(struct tag_listing *listing)
{
    image_ref_release(&listing->image);
    free(listing->policy);
    free(listing->extract);
    free(listing->rows);
    free(listing->reason);
    repository_info_unref(listing->info);
    *listing = (struct tag_listing)TAG_LISTING_INIT;
}

static json_t *row_json(const struct tag_listing_row *row)
{
    const struct image_details *details = row->image.details;
    char created[CLOCK_RFC3339_SIZE];
    if (details->created_ms)
        clock_format_rfc3339(details->created_ms, created);
    json_t *item = json_object();
    json_object_set_new(item, "name", json_text(row->image.tag));
    json_object_set_new(item, "matches", json_boolean(row->matches));
    json_object_set_new(item, "created", json_text(details->created_ms ? created : NULL));
    json_object_set_new(item, "digest", json_text(details->digest));
    json_object_set_new(item, "platforms", image_platforms_json(details->platforms));
    json_object_set_new(item, "labels", image_labels_json(details->labels));
    return item;
}

json_t *tag_listing_json(const struct tag_listing *listing)
{
    json_t *skipped = json_object(), *tags = json_array();
    for (size_t i = 0; i < listing->info->images_len; i++) {
        const struct tag_listing_row *row = &listing->rows[i];
        json_array_append_new(tags, row_json(row));
        if (!row->why_not)
            continue;
        json_int_t count = json_integer_value(json_object_get(skipped, row->why_not));
        json_object_set_new(skipped, row->why_not, json_integer(count + 1));
    }
    json_t *root = json_object();
    json_object_set_new(root, "image", json_text(listing->image.text));
    json_object_set_new(root, "policy", json_text(listing->policy));
    json_object_set_new(root, "order", json_text(listing->order));
    json_object_set_new(root, "extract", json_text(listing->extract));
    json_object_set_new(root, "chosen", json_text(listing->chosen));
    json_object_set_new(root, "reason", json_text(listing->reason));
    json_object_set_new(root, "truncated", json_boolean(listing->info->is_truncated));
    json_object_set_new(root, "shrunken", json_boolean(listing->info->is_shrunken));
    json_object_set_new(root, "skipped", skipped);
    json_object_set_new(root, "tags", tags);
    return root;
}
