#include "daemon/cache_view.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "daemon/image_json.h"
#include "model/image_ref.h"

static void free_cache(struct cache **cache)
{
    cache_free(*cache);
}

static struct cache *open_cache(const struct config *config, struct error *err)
{
    AUTO_FREE char *spec = config_cache_spec(config);
    return cache_open_existing(spec, config->data_dir, config->memcached_timeout_ms, err);
}

int cache_view_list(const struct config *config, struct record_list *list, struct error *err)
{
    CLEANUP(free_cache) struct cache *cache = open_cache(config, err);
    return cache ? record_list_read(cache, list, err) : -1;
}

int cache_view_prune(const struct config *config, struct record_prune *prune, struct error *err)
{
    CLEANUP(free_cache) struct cache *cache = open_cache(config, err);
    return cache ? record_prune(cache, prune, err) : -1;
}

int cache_view_inspect(const struct config *config, const char *image, struct record_list *records,
                       struct error *err)
{
    CLEANUP(image_ref_release) struct image_ref ref = IMAGE_REF_INIT;
    bool is_as_listed = image_repository_is_index(image) && !strstr(image, "://");
    if (!is_as_listed && image_ref_parse_any(image, &ref, err) < 0)
        return -1;
    AUTO_FREE char *repository = is_as_listed ? xstrdup(image) : image_ref_repository(&ref);
    records->only_repository = repository;
    records->wants_info = true;
    int rc = cache_view_list(config, records, err);
    records->only_repository = NULL;
    if (rc == 0 && !records->len)
        return error_set(err, ERROR_NOT_FOUND, "the cache has nothing of %s", repository);
    return rc;
}

/* -- as JSON ---------------------------------------------------------------------------------------------- */

static json_t *time_json(int64_t wall_ms)
{
    char text[CLOCK_RFC3339_SIZE];
    if (!wall_ms)
        return json_null();
    clock_format_rfc3339(wall_ms, text);
    return json_text(text);
}

static json_t *row_json(const struct record_row *row)
{
    json_t *item = json_object();
    json_object_set_new(item, "repository", json_text(row->repository));
    json_object_set_new(item, "platform", json_text(row->platform));
    json_object_set_new(item, "credentials", json_text(row->identity));
    json_object_set_new(item, "scope", json_text(row->scope));
    json_object_set_new(item, "tags", json_integer((json_int_t)row->tags));
    json_object_set_new(item, "dated", json_integer((json_int_t)row->dated));
    json_object_set_new(item, "problems", json_integer((json_int_t)row->problems));
    json_object_set_new(item, "truncated", json_boolean(row->is_truncated));
    json_object_set_new(item, "scanned_at", time_json(row->scanned_ms));
    json_object_set_new(item, "expires_at", time_json(row->expires_ms));
    json_object_set_new(item, "bytes", json_integer((json_int_t)row->bytes));
    return item;
}

static json_t *count_json(size_t records, size_t bytes)
{
    json_t *item = json_object();
    json_object_set_new(item, "records", json_integer((json_int_t)records));
    json_object_set_new(item, "bytes", json_integer((json_int_t)bytes));
    return item;
}

json_t *cache_view_list_json(const struct record_list *list)
{
    json_t *root = json_object(), *rows = json_array();
    for (size_t i = 0; i < list->len; i++)
        json_array_append_new(rows, row_json(&list->rows[i]));
    json_object_set_new(root, "repositories", rows);
    json_object_set_new(root, "facts", count_json(list->facts, list->facts_bytes));
    json_object_set_new(root, "useless", count_json(list->useless, list->useless_bytes));
    return root;
}

static json_t *image_json(struct image_info image)
{
    const struct image_details *details = image.details;
    json_t *item = json_object();
    json_object_set_new(item, "name", json_text(image.tag));
    json_object_set_new(item, "digest", json_text(details->digest));
    json_object_set_new(item, "created", time_json(details->created_ms));
    json_object_set_new(item, "checked_at", time_json(details->checked_ms));
    json_object_set_new(item, "problem", json_text(details->problem));
    json_object_set_new(item, "platforms", image_platforms_json(details->platforms));
    json_object_set_new(item, "labels", image_labels_json(details->labels));
    return item;
}

json_t *cache_view_inspect_json(const struct record_list *records)
{
    json_t *root = json_object(), *rows = json_array();
    for (size_t i = 0; i < records->len; i++) {
        const struct record_row *row = &records->rows[i];
        json_t *item = row_json(row), *images = json_array();
        for (size_t k = 0; k < row->info->images_len; k++)
            json_array_append_new(images, image_json(repository_info_image(row->info, k)));
        json_object_set_new(item, "images", images);
        json_array_append_new(rows, item);
    }
    json_object_set_new(root, "records", rows);
    return root;
}

json_t *cache_view_prune_json(const struct record_prune *prune)
{
    static const char *const names[RECORD_USES] = {[RECORD_USED] = "kept",
                                                   [RECORD_EXPIRED] = "expired",
                                                   [RECORD_UNREADABLE] = "unreadable",
                                                   [RECORD_OLD] = "old"};
    json_t *root = json_object();
    json_object_set_new(root, "dry_run", json_boolean(prune->dry_run));
    for (size_t i = 0; i < RECORD_USES; i++)
        json_object_set_new(root, names[i], count_json(prune->count[i], prune->bytes[i]));
    return root;
}
