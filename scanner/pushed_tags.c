#include "scanner/pushed_tags.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cache/records.h"
#include "scanner/tag_answer.h"
#include "scanner/tag_details.h"

struct pushed_tag {
    struct pushed_scan *scan;
    char *tag;
    bool is_there;
    char *digest;
    char *problem;
    struct image_facts facts;
};

struct pushed_scan {
    struct scan_task task; /* first, so that a task is a scan */
    struct repository_info *base;
    struct pushed_tag *tags;
    size_t tags_len;
    size_t open; /* not answered; one more while they are being asked for */
    struct error error;
};

/* `before`: its index in the last answer, or SIZE_MAX. */
static void put(const struct pushed_scan *scan, struct repository_info *info, const struct pushed_tag *tag,
                size_t before)
{
    size_t index = repository_info_add(info, tag->tag);
    if (before != SIZE_MAX) {
        const struct image_details *known = repository_info_details(scan->base, before);
        repository_info_copy_details(info, index, known);
        if (known->pushed_ms && !known->digest) /* of something else, for all that is known */
            repository_info_edit_details(info, index)->pushed_ms = 0;
    }
    tag_answer_put(info, index, scan->task.demand,
                   &(struct tag_answer){.digest = tag->digest,
                                        .facts = &tag->facts,
                                        .problem = tag->problem,
                                        .now_ms = scan_task_now(&scan->task)});
}

static const struct pushed_tag *find(const struct pushed_scan *scan, const char *tag)
{
    for (size_t i = 0; i < scan->tags_len; i++) {
        if (scan->tags[i].is_there && !strcmp(scan->tags[i].tag, tag))
            return &scan->tags[i];
    }
    return NULL;
}

/* The last answer with the pushed tags put in. */
static struct repository_info *merge(const struct pushed_scan *scan)
{
    const struct repository_info *base = scan->base;
    struct repository_info *info = repository_info_new(base->repository);
    for (size_t i = 0; i < base->images_len; i++) {
        const char *name = repository_info_tag(base, i);
        const struct pushed_tag *tag = find(scan, name);
        if (tag)
            put(scan, info, tag, i);
        else
            repository_info_copy_details(info, repository_info_add(info, name),
                                         repository_info_details(base, i));
    }
    for (size_t i = 0; i < scan->tags_len; i++) {
        const struct pushed_tag *tag = &scan->tags[i];
        if (tag->is_there && repository_info_find(base, tag->tag) == SIZE_MAX)
            put(scan, info, tag, SIZE_MAX);
    }
    repository_info_finish(info);
    info->key_sum = base->key_sum;
    info->scanned_ms = base->scanned_ms;
    info->is_label_dated = base->is_label_dated;
    info->has_no_page_size = base->has_no_page_size;
    info->has_push_times = base->has_push_times;
    info->is_shrunken = base->is_shrunken;
    info->shrunken_len = base->shrunken_len;
    info->shrunken_ms = base->shrunken_ms;
    info->is_truncated = base->is_truncated || info->images_len > scan->task.env->tag_limit;
    return info;
}

/* A pawl that shares the cache may have listed since: the pushed tags are then put into its list, and not its list
 * replaced by ours. */
static void take_newer_base(struct pushed_scan *scan)
{
    struct repository_info *kept = record_get_repository_again(
        scan->task.env->cache, scan->task.demand->repository, scan->task.scope, scan->task.demand->known);
    kept = tag_answer_date_all(kept, scan->task.demand, scan->task.env->cache, scan->task.env->platform);
    if (kept && kept->scanned_ms > scan->base->scanned_ms) {
        struct repository_info *older = scan->base;
        scan->base = kept;
        kept = older;
    }
    repository_info_unref(kept);
}

/* What came without any list before it is no list, and must not be taken for one later: whoever asks that way wants to
 * know of these tags alone. */
static void merge_and_save(struct pushed_scan *scan)
{
    bool is_saved = scan->task.scope && scan->base->scanned_ms;
    if (is_saved)
        take_newer_base(scan);
    scan->task.result->info = merge(scan);
    if (is_saved)
        record_put_repository(scan->task.env->cache, scan->task.result->info, scan->task.scope);
}

static void end(struct pushed_scan *scan)
{
    merge_and_save(scan);
    scan->task.result->is_fresh = !scan->error.code;
    if (scan->error.code)
        scan_task_fail(&scan->task, "looking at pushed tags of", &scan->error);
    for (size_t i = 0; i < scan->tags_len; i++) {
        free(scan->tags[i].tag);
        free(scan->tags[i].digest);
        free(scan->tags[i].problem);
        image_facts_release(&scan->tags[i].facts);
    }
    free(scan->tags);
    repository_info_unref(scan->base);
    scan_task_end(&scan->task);
}

static void one_less(struct pushed_scan *scan)
{
    if (--scan->open == 0)
        end(scan);
}

static void on_details(const char *digest, struct image_facts *facts, const struct error *err, void *context)
{
    struct pushed_tag *tag = context;
    tag->is_there = !err || digest; /* with a digest the problem is the content's own */
    tag->digest = xstrdup(digest);
    tag->problem = err && digest ? xstrdup(err->text) : NULL;
    image_facts_merge(&tag->facts, facts);
    if (err && !digest)
        tag->scan->error = *err;
    one_less(tag->scan);
}

/* Its digest in any case: that is what changed. */
static void ask(struct pushed_scan *scan, struct pushed_tag *tag)
{
    size_t at = repository_info_find(scan->base, tag->tag);
    const struct image_details *known =
        at == SIZE_MAX ? &image_details_unknown : repository_info_details(scan->base, at);
    tag_details_fetch(
        &(struct tag_details_request){.registry = scan->task.env->registry,
                                      .cache = scan->task.env->cache,
                                      .repository = scan->task.demand->repository,
                                      .credential = &scan->task.credential,
                                      .platform = scan->task.env->platform,
                                      .tag = tag->tag,
                                      .wants = demand_wants(scan->task.demand, tag->tag) | DEMAND_DIGEST,
                                      .known_digest = known->digest,
                                      .known = tag_answer_known(known),
                                      .requests = &scan->task.result->requests},
        on_details, tag);
}

static void on_log_in(struct scan_task *task, const struct error *err)
{
    struct pushed_scan *scan = (struct pushed_scan *)task;
    scan->open = 1;
    if (err)
        scan->error = *err;
    else
        scan->open += scan->tags_len;
    for (size_t i = 0; !err && i < scan->tags_len; i++)
        ask(scan, &scan->tags[i]);
    one_less(scan);
}

void pushed_tags_start(const struct scan_environment *env, const struct demand *demand,
                       struct repository_info *base, const struct strvec *tags, struct scan_result *result,
                       void (*finished)(void *context), void *context)
{
    struct pushed_scan *scan = xcalloc(1, sizeof(*scan));
    *scan = (struct pushed_scan){
        .task = {.env = env, .demand = demand, .result = result, .finished = finished, .context = context},
        .base = tag_answer_date_all(repository_info_ref(base), demand, env->cache, env->platform),
        .tags = xcalloc(tags->len, sizeof(*scan->tags)),
        .tags_len = tags->len};
    for (size_t i = 0; i < tags->len; i++)
        scan->tags[i] = (struct pushed_tag){.scan = scan, .tag = xstrdup(tags->items[i])};
    scan_task_log_in(&scan->task, on_log_in);
}
