/*
 * A listing as Flux v1's API gave it: names and their order as there. What it did not have joins: Platforms, Problem.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "daemon/image_json.h"
#include "daemon/image_listing.h"

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text && *text)
        json_object_set_new(object, key, json_text(text));
}

static void set_time(json_t *object, const char *key, int64_t time_ms)
{
    char text[CLOCK_RFC3339_SIZE];
    if (!time_ms)
        return;
    clock_format_rfc3339(time_ms, text);
    json_object_set_new(object, key, json_string(text));
}

/* An image's Info; `details` NULL: nothing is known of it. */
static json_t *info_json(const char *id, const struct image_details *details)
{
    json_t *info = json_object();
    json_object_set_new(info, "ID", json_text(id));
    set_text(info, "Digest", details ? details->digest : NULL);
    json_object_set_new(info, "Labels",
                        details && details->labels ? image_labels_json(details->labels) : json_object());
    set_time(info, "CreatedAt", details ? details->created_ms : 0);
    set_time(info, "LastFetched", details ? details->checked_ms : 0);
    if (details && details->platforms)
        json_object_set_new(info, "Platforms", image_platforms_json(details->platforms));
    set_text(info, "Problem", details ? details->problem : NULL);
    return info;
}

static json_t *row_json(const struct image_listing_container *c, ptrdiff_t index)
{
    if (index < 0)
        return info_json("", NULL);
    const struct image_info *image = &c->rows[index].image;
    AUTO_FREE char *id = image_ref_with_tag(&c->container->image, image->tag);
    return info_json(id, image->details);
}

static void set_counts(json_t *object, const struct image_listing_container *c)
{
    size_t newer = 0, filtered = 0, newer_filtered = 0;
    for (size_t i = 0; i < c->rows_len; i++) {
        newer += c->rows[i].is_newer;
        filtered += c->rows[i].matches;
        newer_filtered += c->rows[i].is_newer && c->rows[i].matches;
    }
    json_object_set_new(object, "AvailableImagesCount", json_integer((json_int_t)c->rows_len));
    json_object_set_new(object, "NewAvailableImagesCount", json_integer((json_int_t)newer));
    json_object_set_new(object, "FilteredImagesCount", json_integer((json_int_t)filtered));
    json_object_set_new(object, "NewFilteredImagesCount", json_integer((json_int_t)newer_filtered));
}

/* Of an image that the registry does not list there is still its name. */
static json_t *current_json(const struct image_listing_container *c)
{
    const struct container *container = c->container;
    const char *text = container->image.text;
    if (!text && container->image_node)
        text = container->image_node->value;
    return info_json(text ? text : "", c->current < 0 ? NULL : c->rows[c->current].image.details);
}

static json_t *container_json(const struct image_listing_container *c, size_t limit)
{
    json_t *object = json_object(), *available = json_array();
    for (size_t i = 0; i < c->rows_len && (!limit || i < limit); i++)
        json_array_append_new(available, row_json(c, (ptrdiff_t)i));
    set_text(object, "Name", c->container->name);
    json_object_set_new(object, "Current", current_json(c));
    json_object_set_new(object, "LatestFiltered", row_json(c, c->latest));
    json_object_set_new(object, "Available", available);
    set_text(object, "AvailableError", c->problem);
    set_counts(object, c);
    return object;
}

void image_listing_add_json(const struct image_listing *listing, size_t limit, json_t *list)
{
    for (size_t i = 0; i < listing->len; i++) {
        const struct image_listing_workload *workload = &listing->workloads[i];
        json_t *containers = json_array(), *status = json_object();
        for (size_t k = 0; k < workload->containers_len; k++)
            json_array_append_new(containers, container_json(&workload->containers[k], limit));
        json_object_set_new(status, "ID", json_text(workload->id));
        json_object_set_new(status, "Containers", containers);
        json_array_append_new(list, status);
    }
}
