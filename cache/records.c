#include "cache/records.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cache/record_key.h"
#include "cache/repository_record.h"

struct repository_info *record_get_repository(struct cache *cache, const char *repository, const char *scope)
{
    return record_get_repository_again(cache, repository, scope, NULL);
}

/* What the cache has under the key; `known` where it is just that. */
static struct repository_info *read_repository(struct cache *cache, const char *key, const char *repository,
                                               struct repository_info *known)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    if (!cache_get(cache, key, &bytes))
        return NULL;
    uint64_t sum = cache_checksum(bytes.buf, bytes.len);
    if (known && known->record_sum == sum && !strcmp(known->repository, repository))
        return repository_info_ref(known);
    CLEANUP(repository_info_release)
    struct repository_info *info = record_decode_repository(bytes.buf, bytes.len);
    if (!info || strcmp(info->repository, repository) != 0)
        return NULL;
    info->record_sum = sum;
    return steal(&info);
}

struct repository_info *record_get_repository_again(struct cache *cache, const char *repository,
                                                    const char *scope, struct repository_info *known)
{
    AUTO_FREE char *key = record_key_repository(repository, scope);
    uint64_t key_sum = cache_checksum(key, strlen(key));
    CLEANUP(repository_info_release)
    struct repository_info *info = read_repository(cache, key, repository, known);
    if (known && known->key_sum == key_sum && (!info || info->scanned_ms < known->scanned_ms))
        return repository_info_ref(known);
    if (info && info != known)
        info->key_sum = key_sum;
    return steal(&info);
}

void record_get_names(struct cache *cache, const char *repository, struct strvec *keys)
{
    AUTO_FREE char *key = record_key_names(repository);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (cache_can_list(cache) || !cache_get(cache, key, &text))
        return;
    for (const char *at = text.buf; *at && keys->len < RECORD_NAMES_MAX;) {
        size_t len = strcspn(at, "\n");
        strvec_push_owned(keys, xmemdupz(at, len));
        at += len + (at[len] == '\n');
    }
}

/* Two pawls may do this at once, and one of the names is lost until its next scan: it is for looking only. */
static void add_name(struct cache *cache, const char *repository, const char *name)
{
    CLEANUP(strvec_release) struct strvec names = STRVEC_INIT;
    record_get_names(cache, repository, &names);
    if (cache_can_list(cache) || strvec_contains(&names, name))
        return;
    AUTO_FREE char *key = record_key_names(repository);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (size_t i = names.len == RECORD_NAMES_MAX; i < names.len; i++)
        strbuf_addf(&text, "%s\n", names.items[i]);
    strbuf_addf(&text, "%s\n", name);
    cache_put(cache, key, text.buf, text.len, RECORD_REPOSITORY_TTL_S);
}

void record_put_repository(struct cache *cache, struct repository_info *info, const char *scope)
{
    AUTO_FREE char *key = record_key_repository(info->repository, scope);
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    record_encode_repository(info, &bytes);
    info->record_sum = cache_checksum(bytes.buf, bytes.len);
    info->key_sum = cache_checksum(key, strlen(key));
    cache_put(cache, key, bytes.buf, bytes.len, RECORD_REPOSITORY_TTL_S);
    add_name(cache, info->repository, key);
}
