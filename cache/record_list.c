#include "cache/record_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cache/fact_record.h"
#include "cache/record_key.h"
#include "cache/records.h"
#include "cache/repository_record.h"

/* -- rows -------------------------------------------------------------------------------------------------- */

static void count_images(struct record_row *row, const struct repository_info *info)
{
    row->tags = info->images_len;
    for (size_t i = 0; i < info->images_len; i++) {
        const struct image_details *details = repository_info_details(info, i);
        row->dated += details->created_ms != 0;
        row->problems += details->problem != NULL;
    }
    row->scanned_ms = info->scanned_ms;
    row->is_truncated = info->is_truncated;
}

/* Takes over the texts of `key`. */
static struct record_row *add_row(struct record_list *list, struct record_key *key,
                                  struct repository_info *info)
{
    vec_grow(list->rows, list->len, list->capacity);
    struct record_row *row = &list->rows[list->len++];
    *row = (struct record_row){.repository = steal(&key->repository),
                               .platform = steal(&key->platform),
                               .identity = steal(&key->identity),
                               .scope = steal(&key->scope),
                               .info = list->wants_info ? repository_info_ref(info) : NULL};
    count_images(row, info);
    return row;
}

static struct repository_info *decode(const struct cache_value *value)
{
    return value->bytes ? record_decode_repository(value->bytes, value->len) : NULL;
}

static void list_repository(struct record_list *list, struct record_key *key, const struct cache_value *value)
{
    if (list->only_repository && strcmp(list->only_repository, key->repository) != 0)
        return;
    CLEANUP(repository_info_release) struct repository_info *info = decode(value);
    if (!info) {
        list->useless++;
        list->useless_bytes += value->len;
        return;
    }
    struct record_row *row = add_row(list, key, info);
    row->bytes = value->len;
    row->expires_ms = value->expires_ms;
}

static bool list_value(const struct cache_value *value, void *context)
{
    struct record_list *list = context;
    CLEANUP(record_key_release) struct record_key key;
    record_key_parse(value->key, &key);
    if (!value->bytes || value->is_expired || key.kind == RECORD_FOREIGN) {
        list->useless++;
        list->useless_bytes += value->len;
    } else if (key.kind == RECORD_REPOSITORY) {
        list_repository(list, &key, value);
    } else {
        list->facts++;
        list->facts_bytes += value->len;
    }
    return false;
}

static int compare_rows(const void *a, const void *b)
{
    const struct record_row *x = a, *y = b;
    int order = strcmp(x->repository, y->repository);
    if (!order)
        order = strcmp(x->platform, y->platform);
    return order ? order : strcmp(x->scope, y->scope);
}

/* One of the records that record_get_names told of. */
static void list_named(struct record_list *list, struct cache *cache, const char *name)
{
    CLEANUP(record_key_release) struct record_key key;
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    record_key_parse(name, &key);
    if (key.kind != RECORD_REPOSITORY || !cache_get(cache, name, &bytes))
        return;
    list_repository(list, &key, &(struct cache_value){.bytes = bytes.buf, .len = bytes.len});
}

static int list_by_names(struct record_list *list, struct cache *cache, struct error *err)
{
    CLEANUP(strvec_release) struct strvec names = STRVEC_INIT;
    record_get_names(cache, list->only_repository, &names);
    for (size_t i = 0; i < names.len; i++)
        list_named(list, cache, names.items[i]);
    const char *problem = cache_problem(cache);
    return problem && !list->len ? error_set(err, ERROR_NETWORK, "%s", problem) : 0;
}

int record_list_read(struct cache *cache, struct record_list *list, struct error *err)
{
    bool by_names = list->only_repository && !cache_can_list(cache);
    int rc = by_names ? list_by_names(list, cache, err) : cache_each(cache, list_value, list, err);
    if (list->len)
        qsort(list->rows, list->len, sizeof(*list->rows), compare_rows);
    return rc;
}

void record_list_release(struct record_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        struct record_row *row = &list->rows[i];
        free(row->repository);
        free(row->platform);
        free(row->identity);
        free(row->scope);
        repository_info_unref(row->info);
    }
    free(list->rows);
    *list = (struct record_list)RECORD_LIST_INIT;
}

/* -- removal ------------------------------------------------------------------------------------------------ */

static enum record_use use_by_age(const struct record_prune *prune, int64_t written_ms)
{
    return prune->older_than_ms && prune->now_ms - written_ms > prune->older_than_ms ? RECORD_OLD
                                                                                     : RECORD_USED;
}

static enum record_use use_of(const struct record_prune *prune, const struct cache_value *value)
{
    CLEANUP(record_key_release) struct record_key key;
    record_key_parse(value->key, &key);
    if (!value->bytes || key.kind == RECORD_FOREIGN)
        return RECORD_UNREADABLE;
    if (value->is_expired)
        return RECORD_EXPIRED;
    if (key.kind != RECORD_REPOSITORY)
        return value->expires_ms ? use_by_age(prune, value->expires_ms - RECORD_FACTS_TTL_S * 1000)
                                 : RECORD_USED;
    CLEANUP(repository_info_release) struct repository_info *info = decode(value);
    return info ? use_by_age(prune, info->scanned_ms) : RECORD_UNREADABLE;
}

static bool prune_value(const struct cache_value *value, void *context)
{
    struct record_prune *prune = context;
    enum record_use use = use_of(prune, value);
    if (use == RECORD_USED && prune->all)
        use = RECORD_OLD;
    prune->count[use]++;
    prune->bytes[use] += value->len;
    return use != RECORD_USED && !prune->dry_run;
}

int record_prune(struct cache *cache, struct record_prune *prune, struct error *err)
{
    return cache_each(cache, prune_value, prune, err);
}
