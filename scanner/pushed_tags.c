#include "scanner/pushed_tags.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cache/records.h"
#include "scanner/credential_grant.h"
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
    const struct scan_environment *env;
    const struct demand *demand;
    struct scan_result *result;
    void (*finished)(void *context);
    void *context;
    struct credential_grant grant; /* a copy: what was lent may change while the scan runs */
    struct credential credential;  /* the view of it */
    bool has_credential;
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
    tag_answer_put(info, index, scan->demand,
                   &(struct tag_answer){.digest = tag->digest,
                                        .facts = &tag->facts,
                                        .problem = tag->problem,
                                        .now_ms = clock_wall_ms(scan->env->clock)});
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
    info->is_truncated = base->is_truncated || info->images_len > scan->env->tag_limit;
    return info;
}

/* Under the name of whose answer it is, which is not known without the credentials. free() it. */
static char *scope_of(const struct pushed_scan *scan)
{
    AUTO_FREE char *identity = credential_identity(&scan->credential);
    return xasprintf("%s %s", scan->env->platform, identity);
}

/* A pawl that shares the cache may have listed since: the pushed tags are then put into its list, and not its list
 * replaced by ours. */
static void take_newer_base(struct pushed_scan *scan, const char *scope)
{
    struct repository_info *kept =
        record_get_repository_again(scan->env->cache, scan->demand->repository, scope, scan->demand->known);
    kept = tag_answer_date_all(kept, scan->demand, scan->env->cache, scan->env->platform);
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
    AUTO_FREE char *scope = scan->has_credential && scan->base->scanned_ms ? scope_of(scan) : NULL;
    if (scope)
        take_newer_base(scan, scope);
    scan->result->info = merge(scan);
    if (scope)
        record_put_repository(scan->env->cache, scan->result->info, scope);
}

static void end(struct pushed_scan *scan)
{
    merge_and_save(scan);
    scan->result->error = scan->error;
    scan->result->is_fresh = !scan->error.code;
    const struct credential *given = scan->demand->credential;
    bool is_of_secret = given && given->secret;
    if (scan->error.code)
        error_wrap(&scan->result->error, "looking at pushed tags of %s%s%s", scan->demand->repository,
                   is_of_secret ? " with the pull secret " : "", is_of_secret ? given->secret : "");
    void (*finished)(void *context) = scan->finished;
    void *context = scan->context;
    for (size_t i = 0; i < scan->tags_len; i++) {
        free(scan->tags[i].tag);
        free(scan->tags[i].digest);
        free(scan->tags[i].problem);
        image_facts_release(&scan->tags[i].facts);
    }
    free(scan->tags);
    credential_grant_release(&scan->grant);
    repository_info_unref(scan->base);
    free(scan);
    finished(context);
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
        &(struct tag_details_request){.registry = scan->env->registry,
                                      .cache = scan->env->cache,
                                      .repository = scan->demand->repository,
                                      .credential = &scan->credential,
                                      .platform = scan->env->platform,
                                      .tag = tag->tag,
                                      .wants = demand_wants(scan->demand, tag->tag) | DEMAND_DIGEST,
                                      .known_digest = known->digest,
                                      .known = tag_answer_known(known),
                                      .requests = &scan->result->requests},
        on_details, tag);
}

static void on_credential(const struct credential *credential, const struct error *err, void *context)
{
    struct pushed_scan *scan = context;
    if (err) {
        scan->error = *err;
    } else {
        scan->has_credential = true;
        scan->grant = credential_grant_copy(credential);
        scan->credential = credential_grant_view(&scan->grant);
        scan->open += scan->tags_len;
        for (size_t i = 0; i < scan->tags_len; i++)
            ask(scan, &scan->tags[i]);
    }
    one_less(scan);
}

void pushed_tags_start(const struct scan_environment *env, const struct demand *demand,
                       struct repository_info *base, const struct strvec *tags, struct scan_result *result,
                       void (*finished)(void *context), void *context)
{
    struct pushed_scan *scan = xcalloc(1, sizeof(*scan));
    *scan = (struct pushed_scan){
        .env = env,
        .demand = demand,
        .result = result,
        .finished = finished,
        .context = context,
        .base = tag_answer_date_all(repository_info_ref(base), demand, env->cache, env->platform),
        .tags = xcalloc(tags->len, sizeof(*scan->tags)),
        .tags_len = tags->len,
        .open = 1};
    for (size_t i = 0; i < tags->len; i++)
        scan->tags[i] = (struct pushed_tag){.scan = scan, .tag = xstrdup(tags->items[i])};
    if (demand->credential)
        on_credential(demand->credential, NULL, scan);
    else
        credential_source_want(env->credentials, demand->repository, on_credential, scan);
}
