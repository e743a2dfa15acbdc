#include "scanner/repository_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strmap.h"
#include "cache/records.h"
#include "scanner/credential_grant.h"
#include "scanner/detail_order.h"
#include "scanner/link_header.h"
#include "scanner/list_trust.h"
#include "scanner/oci_manifest.h"
#include "scanner/registry_host.h"
#include "scanner/tag_answer.h"
#include "scanner/tag_details.h"
#include "scanner/tag_list.h"

/* Tags asked for at a time; the host's own limit is what decides with several repositories. */
#define DETAILS_IN_FLIGHT 8
/* After so many tags in a row without an answer the host is down, and not the tags broken. */
#define FAILURES_TO_STOP 3
/* A tag can be moved. That is noticed after this long by one HEAD a tag and day: policies by date pick among
 * tags that are written once, and the few that move are followed by digest policies, which look each time. */
#define RECHECK_AFTER_MS INT64_C(86400000)
/* The page size that is asked for: what most registries give at most. */
#define PAGE_SIZE "1000"
/* For so long a registry is believed that nothing changed since a list; then it is read whole once more, as there are
 * caches on the way that say so for ever. */
#define ETAG_TRUSTED_MS INT64_C(86400000)

struct scan {
    const struct scan_environment *env;
    const struct demand *demand;
    struct scan_result *result;
    void (*finished)(void *context);
    void *context;
    struct credential_grant grant; /* a copy: what was lent may change while the scan runs */
    struct credential credential;
    int64_t max_age_ms;
    char *scope; /* of the record in the cache */
    struct repository_info *last, *info;

    bool has_page_size;    /* the first page is asked for with n= */
    struct strmap visited; /* targets of the list's pages, to see a circle */
    char *target;          /* of the page that is asked for */
    bool is_repeated;      /* it is asked for a second time */

    uint32_t *order;  /* of the images; NULL: their own */
    size_t next;      /* image to look at, by its place in the order */
    bool is_starting; /* more details are being asked for */
    size_t in_flight; /* details asked for */
    unsigned failures;
    struct error stopped; /* why no more details are asked for */
};

struct tag_slot {
    struct scan *scan;
    size_t index;
};

/* -- the end --------------------------------------------------------------------------------------------- */

static void end(struct scan *scan)
{
    void (*finished)(void *context) = scan->finished;
    void *context = scan->context;
    repository_info_unref(scan->last);
    repository_info_unref(scan->info);
    strmap_release(&scan->visited);
    free(scan->target);
    free(scan->order);
    credential_grant_release(&scan->grant);
    free(scan->scope);
    free(scan);
    finished(context);
}

/* Without a scope the credentials were not even had; those of a pull secret are its reader's to renew. */
static void note_refusal(struct scan *scan, enum error_code code)
{
    if (code == ERROR_UNAUTHORIZED && scan->scope && !scan->demand->credential)
        credential_source_refused(scan->env->credentials, scan->demand->repository);
}

/* The error of the result says what was asked, and with whose credentials. */
static void wrap_error(struct scan *scan)
{
    const struct credential *given = scan->demand->credential;
    bool is_of_secret = given && given->secret;
    error_wrap(&scan->result->error, "scanning %s%s%s", scan->demand->repository,
               is_of_secret ? " with the pull secret " : "", is_of_secret ? given->secret : "");
}

static void fail(struct scan *scan, const struct error *err)
{
    note_refusal(scan, err->code);
    scan->result->info = steal(&scan->last);
    scan->result->error = *err;
    wrap_error(scan);
    end(scan);
}

static void keep(struct scan *scan)
{
    repository_info_finish(scan->info); /* for what details were given room that they did not need */
    record_put_repository(scan->env->cache, scan->info, scan->scope);
}

static void succeed(struct scan *scan)
{
    if (scan->result->requests)
        keep(scan);
    scan->result->info = steal(&scan->info);
    scan->result->is_fresh = scan->stopped.code == ERROR_NONE;
    scan->result->error = scan->stopped;
    note_refusal(scan, scan->stopped.code);
    if (!scan->result->is_fresh)
        wrap_error(scan);
    end(scan);
}

/* -- details --------------------------------------------------------------------------------------------- */

static int64_t now_of(const struct scan *scan)
{
    return clock_wall_ms(scan->env->clock);
}

/* Somewhat in the future is young too: pawls that share a cache do not share a clock. */
static bool is_within(int64_t age_ms, int64_t limit_ms)
{
    return age_ms < limit_ms && age_ms > -limit_ms;
}

/* What is to be fetched of a tag: DEMAND_… or 0. `is_current` then says that its digest need not be looked at. */
static unsigned lacks(const struct scan *scan, const struct repository_info *info, size_t index,
                      bool *is_current)
{
    unsigned wants = demand_wants(scan->demand, repository_info_tag(info, index));
    const struct image_details *details = repository_info_details(info, index);
    bool looks_each_time = wants & DEMAND_DIGEST && scan->max_age_ms < RECHECK_AFTER_MS;
    int64_t limit_ms = looks_each_time ? scan->max_age_ms : RECHECK_AFTER_MS;
    *is_current = false;
    if (!wants || (!details->digest && details->problem))
        return 0;
    if (!details->digest || !is_within(now_of(scan) - details->checked_ms, limit_ms))
        return wants;
    *is_current = true;
    return wants & ~tag_answer_known(details);
}

static void start_details(struct scan *scan);

/* True if the error says that the next tag would fare no better. */
static bool is_of_host(struct scan *scan, enum error_code code)
{
    bool is_refused = code == ERROR_RATE_LIMITED || code == ERROR_UNAUTHORIZED || code == ERROR_FORBIDDEN ||
                      code == ERROR_CANCELLED;
    bool is_broken = code == ERROR_NETWORK || code == ERROR_TIMEOUT || code == ERROR_TLS;
    return is_refused || (is_broken && ++scan->failures >= FAILURES_TO_STOP);
}

static void on_details(const char *digest, struct image_facts *facts, const struct error *err, void *context)
{
    struct tag_slot *slot = context;
    struct scan *scan = slot->scan;
    size_t index = slot->index;
    const struct tag_answer answer = {
        .digest = digest, .facts = facts, .problem = err ? err->text : NULL, .now_ms = now_of(scan)};
    free(slot);
    scan->in_flight--;
    if (!err)
        scan->failures = 0;
    if (err && is_of_host(scan, err->code))
        scan->stopped = *err;
    else if (!err || digest || !repository_info_details(scan->info, index)->digest ||
             err->code == ERROR_NOT_FOUND)
        tag_answer_put(scan->info, index, scan->demand, &answer);
    /* else what was known yesterday is the best there is, and asked for again next time */
    if (!scan->is_starting)
        start_details(scan);
}

static void fetch_details(struct scan *scan, size_t index, unsigned wants, bool is_current)
{
    struct image_info image = repository_info_image(scan->info, index);
    struct tag_slot *slot = xcalloc(1, sizeof(*slot));
    *slot = (struct tag_slot){scan, index};
    scan->in_flight++;
    tag_details_fetch(&(struct tag_details_request){.registry = scan->env->registry,
                                                    .cache = scan->env->cache,
                                                    .repository = scan->demand->repository,
                                                    .credential = &scan->credential,
                                                    .platform = scan->env->platform,
                                                    .tag = image.tag,
                                                    .wants = wants,
                                                    .known_digest = image.details->digest,
                                                    .known = tag_answer_known(image.details),
                                                    .is_current = is_current,
                                                    .requests = &scan->result->requests},
                      on_details, slot);
}

/* Asks for as many as may be in flight; ends the scan when all are there. What is on record is answered within it. */
static void start_details(struct scan *scan)
{
    if (!scan->demand->wants)
        scan->next = scan->info->images_len;
    else if (!scan->order && !scan->next)
        scan->order = detail_order(scan->info, scan->demand);
    scan->is_starting = true;
    while (scan->stopped.code == ERROR_NONE && scan->in_flight < DETAILS_IN_FLIGHT &&
           scan->next < scan->info->images_len) {
        size_t at = scan->next++, index = scan->order ? scan->order[at] : at;
        bool is_current;
        unsigned wants = lacks(scan, scan->info, index, &is_current);
        if (wants)
            fetch_details(scan, index, wants, is_current);
    }
    scan->is_starting = false;
    if (!scan->in_flight)
        succeed(scan);
}

/* -- what is known already --------------------------------------------------------------------------------- */

/* What is known of a tag outlives the list; a problem only if it is one of the content. */
static void carry_over(struct scan *scan)
{
    if (!scan->last || !scan->last->details_len)
        return;
    for (size_t i = 0; i < scan->info->images_len; i++) {
        size_t at = repository_info_find(scan->last, repository_info_tag(scan->info, i));
        const struct image_details *before =
            at == SIZE_MAX ? &image_details_unknown : repository_info_details(scan->last, at);
        if (before->digest)
            repository_info_copy_details(scan->info, i, before);
    }
}

/* -- the list of tags ---------------------------------------------------------------------------------- */

static void on_page(struct http_response *response, const struct error *err, void *context);

static void ask_page(struct scan *scan, const char *if_none_match)
{
    registry_ask(scan->env->registry,
                 &(struct registry_question){.repository = scan->demand->repository,
                                             .credential = &scan->credential,
                                             .kind = REGISTRY_TAGS,
                                             .target = scan->target,
                                             .accept = "application/json",
                                             .if_none_match = if_none_match,
                                             .max_body = LIMIT_TAG_PAGE_BYTES,
                                             .requests = &scan->result->requests},
                 on_page, scan);
}

/* Takes over `target`. */
static void go_to_page(struct scan *scan, char *target, const char *if_none_match)
{
    free(scan->target);
    scan->target = target;
    scan->is_repeated = false;
    strmap_set(&scan->visited, target, NULL);
    ask_page(scan, if_none_match);
}

/* The last list's ETag, if an answer that it still holds would be all there is to know. */
static const char *usable_etag(const struct scan *scan)
{
    const struct repository_info *last = scan->last;
    bool is_usable = last && last->etag && !last->is_truncated && last->images_len <= scan->env->tag_limit &&
                     is_within(now_of(scan) - last->etag_ms, ETAG_TRUSTED_MS);
    return is_usable ? last->etag : NULL;
}

static void ask_first_page(struct scan *scan, bool with_size)
{
    const char *repository = scan->demand->repository;
    scan->has_page_size = with_size;
    strmap_release(&scan->visited); /* what was refused is no page */
    go_to_page(scan,
               xasprintf("/v2/%s/tags/list%s", repository + strcspn(repository, "/") + 1,
                         with_size ? "?n=" PAGE_SIZE : ""),
               scan->last && with_size != scan->last->has_no_page_size ? usable_etag(scan) : NULL);
}

/* The target of the next page, or NULL with ERROR_NONE after the last. */
static char *next_target(struct scan *scan, struct http_response *response, struct error *err)
{
    AUTO_FREE char *link = link_header_next(http_header_list(response, "Link"));
    if (!link)
        return NULL;
    AUTO_FREE char *url = http_resolve(response->url, link);
    AUTO_FREE char *here = http_origin(response->url);
    AUTO_FREE char *there = url ? http_origin(url) : NULL;
    if (!there || !here || strcmp(here, there) != 0) {
        error_set(err, ERROR_INVALID, "the tag list goes on at another server (%.200s): refused", link);
        return NULL;
    }
    const char *target = strchr(strstr(url, "//") + 2, '/');
    if (!target || strmap_has(&scan->visited, target)) {
        error_set(err, ERROR_INVALID, "the pages of the tag list lead in a circle");
        return NULL;
    }
    return xstrdup(target);
}

/* The list is there: one that cannot be believed leaves the last one in its place. */
static void finish_list(struct scan *scan)
{
    repository_info_finish(scan->info);
    scan->info->scanned_ms = now_of(scan);
    scan->info->is_label_dated = scan->demand->dates_by_labels;
    scan->info->has_no_page_size = !scan->has_page_size;
    if (list_trust_believes(scan->last, scan->info)) {
        carry_over(scan);
        start_details(scan);
        return;
    }
    struct repository_info *kept = repository_info_copy(scan->last);
    list_trust_mark(kept, scan->last, scan->info);
    repository_info_unref(scan->info);
    scan->info = kept;
    succeed(scan);
}

/* The same tags again, read now. */
static void repeat_tags(struct scan *scan)
{
    repository_info_unref(scan->info);
    scan->info = repository_info_copy_tags(scan->last);
    scan->info->list_digest = xstrdup(scan->last->list_digest);
}

/* Not modified. */
static void repeat_list(struct scan *scan)
{
    repeat_tags(scan);
    repository_info_set_etag(scan->info, scan->last->etag, scan->last->etag_ms);
    finish_list(scan);
}

static bool is_last_list(const struct scan *scan, const char *digest)
{
    const struct repository_info *last = scan->last;
    return last && last->list_digest && !strcmp(digest, last->list_digest) && !last->is_truncated &&
           last->images_len <= scan->env->tag_limit;
}

/* Reads the tags of a page. The list that was a single page last time, and is byte for byte the same now, is not taken
 * apart again: of a thousand repositories that are asked every few minutes, all but a few have nothing new. One with
 * names that are no tags is, as they are said. */
static int read_page(struct scan *scan, const struct http_response *response, struct error *err)
{
    const char *body = response->body.buf;
    size_t len = response->body.len, bad = 0;
    AUTO_FREE char *digest = strmap_size(&scan->visited) == 1 ? oci_digest_of(body, len) : NULL;
    if (digest && is_last_list(scan, digest)) {
        repeat_tags(scan);
        return 0;
    }
    int result = tag_list_read(body, len, scan->env->tag_limit, scan->info, &bad, err);
    scan->result->bad_tags += bad;
    if (!bad)
        scan->info->list_digest = steal(&digest);
    return result;
}

/* Of a list that is one page: the ETag of a first page says nothing about the others. */
static void keep_etag(struct scan *scan, struct http_response *response)
{
    const char *etag = http_header(response, "ETag");
    size_t len = etag ? strlen(etag) : 0;
    if (!len || len > LIMIT_ETAG_LENGTH || strmap_size(&scan->visited) > 1)
        return;
    for (size_t i = 0; i < len; i++) {
        if (etag[i] <= ' ' || etag[i] > '~')
            return;
    }
    repository_info_set_etag(scan->info, etag, now_of(scan));
}

/* In the middle of a list a page that failed is asked for once more, where that may help: the connection broke, the
 * server stumbled, or it wants a short pause, which the host's queue keeps. */
static bool try_page_again(struct scan *scan, const struct error *err)
{
    bool may_help = err->code == ERROR_NETWORK || (err->code == ERROR_RATE_LIMITED &&
                                                   err->retry_after_s * 1000 <= REGISTRY_LONGEST_WAIT_MS);
    if (scan->is_repeated || !may_help || strmap_size(&scan->visited) < 2)
        return false;
    scan->is_repeated = true;
    ask_page(scan, NULL);
    return true;
}

static void on_failed_page(struct scan *scan, const struct error *err)
{
    if (err->code == ERROR_INVALID && scan->has_page_size && strmap_size(&scan->visited) == 1)
        ask_first_page(scan, false); /* some registries refuse a page size over their own */
    else if (!try_page_again(scan, err))
        fail(scan, err);
}

static void on_page(struct http_response *response, const struct error *err, void *context)
{
    struct scan *scan = context;
    struct error problem = ERROR_INIT;
    if (err) {
        on_failed_page(scan, err);
        return;
    }
    if (response->status == 304) {
        repeat_list(scan);
        return;
    }
    AUTO_FREE char *target = NULL;
    if (read_page(scan, response, &problem) == 0)
        target = next_target(scan, response, &problem);
    if (problem.code != ERROR_NONE) {
        fail(scan, &problem);
        return;
    }
    if (target && strmap_size(&scan->visited) >= LIMIT_TAG_PAGES)
        scan->info->is_truncated = true;
    if (target) /* there is more than this page */
        free(steal(&scan->info->list_digest));
    if (target && !scan->info->is_truncated) {
        go_to_page(scan, steal(&target), NULL);
        return;
    }
    keep_etag(scan, response);
    finish_list(scan);
}

/* -- the beginning --------------------------------------------------------------------------------------- */

static bool lacks_details(const struct scan *scan)
{
    bool is_current;
    for (size_t i = 0; scan->demand->wants && !scan->last->is_shrunken && i < scan->last->images_len; i++) {
        if (lacks(scan, scan->last, i, &is_current))
            return true;
    }
    return false;
}

static bool is_young(const struct scan *scan, int64_t max_age_ms)
{
    return scan->last && is_within(now_of(scan) - scan->last->scanned_ms, max_age_ms);
}

static void begin(struct scan *scan)
{
    const struct scan_environment *env = scan->env;
    AUTO_FREE char *identity = credential_identity(&scan->credential);
    scan->scope = xasprintf("%s %s", env->platform, identity);
    scan->last =
        record_get_repository_again(env->cache, scan->demand->repository, scan->scope, scan->demand->known);
    scan->last = tag_answer_date_all(scan->last, scan->demand, env->cache, env->platform);
    bool keeps_list = is_young(scan, scan->max_age_ms);
    if (keeps_list && !lacks_details(scan)) {
        scan->info = steal(&scan->last);
        succeed(scan);
    } else if (keeps_list) {
        scan->info = repository_info_copy(scan->last);
        start_details(scan);
    } else {
        scan->info = repository_info_new(scan->demand->repository);
        ask_first_page(scan, !scan->last || !scan->last->has_no_page_size);
    }
}

static void on_credential(const struct credential *credential, const struct error *err, void *context)
{
    struct scan *scan = context;
    if (err) {
        fail(scan, err);
        return;
    }
    scan->grant = credential_grant_copy(credential);
    scan->credential = credential_grant_view(&scan->grant);
    begin(scan);
}

void repository_scan_start(const struct scan_environment *env, const struct demand *demand,
                           int64_t max_age_ms, struct scan_result *result, void (*finished)(void *context),
                           void *context)
{
    struct scan *scan = xcalloc(1, sizeof(*scan));
    *scan = (struct scan){.env = env,
                          .demand = demand,
                          .result = result,
                          .finished = finished,
                          .context = context,
                          .max_age_ms = max_age_ms};
    strmap_init(&scan->visited, NULL);
    const char *slash = strchr(demand->repository, '/');
    if (!slash || slash == demand->repository || !slash[1]) {
        struct error err = ERROR_INIT;
        error_set(&err, ERROR_INVALID, "not the name of a repository: host/path is expected");
        fail(scan, &err);
        return;
    }
    if (demand->credential)
        on_credential(demand->credential, NULL, scan);
    else
        credential_source_want(env->credentials, demand->repository, on_credential, scan);
}
