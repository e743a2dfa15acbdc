#include "daemon/first_seen.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "base/strmap.h"
#include "cache/cache.h"
#include "cache/cache_file.h"
#include "daemon/seen_record.h"

#define MAP_SIZE ((size_t)256 << 20) /* a repository of 100,000 tags has 10 MiB with all of its digests */

struct first_seen {
    pthread_mutex_t lock; /* for all below */
    const char *data_dir;
    const struct clock *clock;
    void *file;             /* a cache_file: it has checksums and mends itself. NULL: not open */
    struct strmap accounts; /* repository -> record, as this process last wrote it */
};

struct first_seen *first_seen_new(const char *data_dir, const struct clock *clock)
{
    struct first_seen *seen = xcalloc(1, sizeof(*seen));
    pthread_mutex_init(&seen->lock, NULL);
    seen->data_dir = data_dir;
    seen->clock = clock;
    strmap_init(&seen->accounts, free);
    return seen;
}

void first_seen_free(struct first_seen *seen)
{
    if (!seen)
        return;
    if (seen->file)
        cache_file_backend.free(seen->file);
    strmap_release(&seen->accounts);
    pthread_mutex_destroy(&seen->lock);
    free(seen);
}

void tag_ages_free(struct tag_ages *ages)
{
    if (!ages)
        return;
    repository_info_unref(ages->info);
    free(ages->since_ms);
    free(ages);
}

static int open_file(struct first_seen *seen, struct error *err)
{
    if (seen->file)
        return 0;
    if (file_make_directories(seen->data_dir, 0700, err) < 0)
        return -1;
    AUTO_FREE char *path = file_join(seen->data_dir, "first-seen.mdb");
    const struct cache_file_options options = {.map_size = MAP_SIZE, .clock = seen->clock};
    seen->file = cache_file_open_with(path, &options, err);
    return seen->file ? 0 : -1;
}

/* What is on record of the repository; NULL: nothing, or it cannot be read. Borrowed. */
static const char *read_account(struct first_seen *seen, const char *repository, struct error *err)
{
    const char *known = strmap_get(&seen->accounts, repository);
    if (known || open_file(seen, err) < 0)
        return known;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (cache_file_backend.get(seen->file, repository, &text, err) <= 0)
        return NULL;
    char *record = strbuf_detach(&text, NULL);
    strmap_set(&seen->accounts, repository, record);
    return record;
}

/* Written at once: a clock that is not on disk starts again with the next process. */
static int write_account(struct first_seen *seen, const char *repository, const struct strbuf *text,
                         struct error *err)
{
    strmap_set(&seen->accounts, repository, xstrdup(text->buf));
    if (open_file(seen, err) < 0 ||
        cache_file_backend.put(seen->file, repository, text->buf, text->len, 0, err) < 0)
        return -1;
    return cache_file_backend.flush(seen->file, err);
}

/* A registry knows better than we do, unless its clock cannot be right. */
static void prefer_pushes(struct tag_ages *ages, int64_t now_ms)
{
    for (size_t i = 0; ages->info->details_len && i < ages->info->images_len; i++) {
        int64_t pushed_ms = repository_info_details(ages->info, i)->pushed_ms;
        if (pushed_ms > 0 && pushed_ms <= now_ms)
            ages->since_ms[i] = pushed_ms;
    }
}

static void update(struct first_seen *seen, struct tag_ages *ages, struct error *err)
{
    const char *repository = ages->info->repository;
    const char *old = read_account(seen, repository, err);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    int64_t now_ms = clock_wall_ms(seen->clock);
    seen_record_update(old, ages->info, now_ms, ages->since_ms, &text);
    if ((!old || strcmp(old, text.buf) != 0) && write_account(seen, repository, &text, err) < 0)
        error_wrap(err, "how long tags have been there is not kept");
    prefer_pushes(ages, now_ms);
}

struct tag_ages *first_seen_update(struct first_seen *seen, struct repository_info *info, struct error *err)
{
    struct tag_ages *ages = xcalloc(1, sizeof(*ages));
    ages->info = repository_info_ref(info);
    ages->since_ms = xcalloc(info->images_len + 1, sizeof(*ages->since_ms));
    pthread_mutex_lock(&seen->lock);
    update(seen, ages, err);
    pthread_mutex_unlock(&seen->lock);
    return ages;
}

struct tag_ages *tag_ages_for(struct tag_ages **ages, struct first_seen *seen, struct repository_info *info,
                              int64_t min_age_ms, struct error *err)
{
    if (seen && info && min_age_ms > 0 && !*ages)
        *ages = first_seen_update(seen, info, err);
    return *ages;
}

int64_t tag_ages_since_ms(const struct image_info *image, void *context)
{
    const struct tag_ages *ages = context;
    size_t at = ages ? repository_info_find(ages->info, image->tag) : SIZE_MAX;
    return at == SIZE_MAX ? 0 : ages->since_ms[at];
}
