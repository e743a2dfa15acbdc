#include "scanner/list_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strmap.h"
#include "scanner/link_header.h"
#include "scanner/list_trust.h"
#include "scanner/oci_manifest.h"
#include "scanner/registry_host.h"
#include "scanner/tag_list.h"

/* The page size that is asked for: what most registries give at most. */
#define PAGE_SIZE "1000"

struct list_scan {
    struct list_scan_request request;
    struct repository_info *list;
    size_t bad_tags;
    bool has_page_size;    /* the first page is asked for with n= */
    struct strmap visited; /* targets of the list's pages, to see a circle */
    char *target;          /* of the page that is asked for */
    bool is_repeated;      /* it is asked for a second time */
    list_scan_done done;
    void *context;
};

static int64_t now_of(const struct list_scan *scan)
{
    return clock_wall_ms(scan->request.clock);
}

/* With the list, or with an error. */
static void end(struct list_scan *scan, const struct error *err)
{
    list_scan_done done = scan->done;
    void *context = scan->context;
    struct repository_info *list = scan->list;
    size_t bad_tags = scan->bad_tags;
    strmap_release(&scan->visited);
    free(scan->target);
    free(scan);
    if (err)
        repository_info_unref(steal(&list));
    done(list, bad_tags, err, context);
}

static void on_page(struct http_response *response, const struct error *err, void *context);

static void ask_page(struct list_scan *scan, const char *if_none_match)
{
    registry_ask(scan->request.registry,
                 &(struct registry_question){.repository = scan->request.repository,
                                             .credential = scan->request.credential,
                                             .kind = REGISTRY_TAGS,
                                             .target = scan->target,
                                             .accept = "application/json",
                                             .if_none_match = if_none_match,
                                             .max_body = LIMIT_TAG_PAGE_BYTES,
                                             .requests = scan->request.requests},
                 on_page, scan);
}

/* Takes over `target`. */
static void go_to_page(struct list_scan *scan, char *target, const char *if_none_match)
{
    free(scan->target);
    scan->target = target;
    scan->is_repeated = false;
    strmap_set(&scan->visited, target, NULL);
    ask_page(scan, if_none_match);
}

/* Whether the last list says all that this one is to say, if the registry's is still the same. */
static bool is_enough(const struct list_scan *scan, const struct repository_info *last)
{
    return !last->is_truncated && last->images_len <= scan->request.tag_limit &&
           (last->has_push_times || !scan->request.wants_push_times);
}

/* The last list's ETag, if an answer that it still holds would be all there is to know. */
static const char *usable_etag(const struct list_scan *scan)
{
    const struct repository_info *last = scan->request.last;
    bool is_usable = last && last->etag && is_enough(scan, last) &&
                     clock_is_near(now_of(scan), last->etag_ms, LIST_UNCHANGED_TRUSTED_MS);
    return is_usable ? last->etag : NULL;
}

static void ask_first_page(struct list_scan *scan, bool with_size)
{
    const char *repository = scan->request.repository;
    scan->has_page_size = with_size;
    strmap_release(&scan->visited); /* what was refused is no page */
    go_to_page(scan,
               xasprintf("/v2/%s/tags/list%s", repository + strcspn(repository, "/") + 1,
                         with_size ? "?n=" PAGE_SIZE : ""),
               scan->request.last && with_size != scan->request.last->has_no_page_size ? usable_etag(scan)
                                                                                       : NULL);
}

/* Of two http_origins. A registry behind a proxy takes itself for http://NAME or https://NAME, wherever it is reached. */
static bool is_same_server(const char *here, const char *there)
{
    const char *name = strstr(here, "//"), *other = strstr(there, "//"), *port = strrchr(other, ':');
    size_t len = (size_t)(port - other);
    bool has_usual_port = !strcmp(port, ":80") || !strcmp(port, ":443");
    bool has_same_name = len == (size_t)(strrchr(name, ':') - name) && !memcmp(name, other, len);
    return !strcmp(here, there) || (has_usual_port && has_same_name);
}

/* The target that `url` names at the server of this page, or NULL if it is none there. Of the address of another page of
 * the list only the query counts: behind proxies, Artifactory and Nexus leave out or add the beginning of the path
 * that they are reached by. */
static char *target_of(const struct list_scan *scan, const char *url, const char *here)
{
    AUTO_FREE char *there = http_origin(url);
    const char *path = strchr(strstr(url, "//") + 2, '/');
    if (!there || !path || !is_same_server(here, there))
        return NULL;
    size_t len = strcspn(path, "?");
    AUTO_FREE char *path_alone = xmemdupz(path, len);
    if (path[len] && str_ends_with(path_alone, "/tags/list"))
        return xasprintf("%.*s%s", (int)strcspn(scan->target, "?"), scan->target, path + len);
    return xstrdup(path);
}

/* The target of the next page, or NULL with ERROR_NONE after the last. */
static char *next_target(struct list_scan *scan, struct http_response *response, struct error *err)
{
    AUTO_FREE char *link = link_header_next(http_header_list(response, "Link"), err);
    if (!link && err->code != ERROR_NONE)
        error_wrap(err, "the next page of the tag list");
    if (!link)
        return NULL;
    AUTO_FREE char *url = http_resolve(response->url, link);
    AUTO_FREE char *here = http_origin(response->url);
    char *target = url && here ? target_of(scan, url, here) : NULL;
    if (!target)
        error_set(err, ERROR_INVALID, "the tag list goes on at another server (%.200s): refused", link);
    else if (strmap_has(&scan->visited, target)) {
        free(steal(&target));
        error_set(err, ERROR_INVALID, "the pages of the tag list lead in a circle");
    }
    return target;
}

static void finish(struct list_scan *scan)
{
    repository_info_finish(scan->list);
    scan->list->scanned_ms = now_of(scan);
    scan->list->has_no_page_size = !scan->has_page_size;
    end(scan, NULL);
}

/* The same tags again, read now. */
static void repeat_tags(struct list_scan *scan)
{
    const struct repository_info *last = scan->request.last;
    repository_info_unref(scan->list);
    scan->list = repository_info_copy_tags(last);
    scan->list->list_digest = xstrdup(last->list_digest);
    scan->list->has_push_times = scan->request.wants_push_times;
    for (size_t i = 0; scan->request.wants_push_times && i < last->images_len; i++) {
        int64_t pushed_ms = repository_info_details(last, i)->pushed_ms;
        if (pushed_ms)
            repository_info_edit_details(scan->list, i)->pushed_ms = pushed_ms;
    }
}

/* Not modified. */
static void repeat_list(struct list_scan *scan)
{
    repeat_tags(scan);
    repository_info_set_etag(scan->list, scan->request.last->etag, scan->request.last->etag_ms);
    finish(scan);
}

static bool is_last_list(const struct list_scan *scan, const char *digest)
{
    const struct repository_info *last = scan->request.last;
    return last && last->list_digest && !strcmp(digest, last->list_digest) && is_enough(scan, last);
}

/* Reads the tags of a page. The list that was a single page last time, and is byte for byte the same now, is not taken
 * apart again: of a thousand repositories that are asked every few minutes, all but a few have nothing new. One with
 * names that are no tags is, as they are said. */
static int read_page(struct list_scan *scan, const struct http_response *response, struct error *err)
{
    const char *body = response->body.buf;
    size_t len = response->body.len, bad = 0;
    AUTO_FREE char *digest = strmap_size(&scan->visited) == 1 ? oci_digest_of(body, len) : NULL;
    if (digest && is_last_list(scan, digest)) {
        repeat_tags(scan);
        return 0;
    }
    int result = tag_list_read(body, len, scan->request.tag_limit, scan->list, &bad, err);
    scan->bad_tags += bad;
    if (!bad)
        scan->list->list_digest = steal(&digest);
    return result;
}

/* Of a list that is one page: the ETag of a first page says nothing about the others. */
static void keep_etag(struct list_scan *scan, struct http_response *response)
{
    const char *etag = http_header(response, "ETag");
    size_t len = etag ? strlen(etag) : 0;
    if (!len || len > LIMIT_ETAG_LENGTH || strmap_size(&scan->visited) > 1)
        return;
    for (size_t i = 0; i < len; i++) {
        if (etag[i] <= ' ' || etag[i] > '~')
            return;
    }
    repository_info_set_etag(scan->list, etag, now_of(scan));
}

/* In the middle of a list a page that failed is asked for once more, where that may help: the connection broke, the
 * server stumbled, or it wants a short pause, which the host's queue keeps. */
static bool try_page_again(struct list_scan *scan, const struct error *err)
{
    bool may_help = err->code == ERROR_NETWORK || (err->code == ERROR_RATE_LIMITED &&
                                                   err->retry_after_s * 1000 <= REGISTRY_LONGEST_WAIT_MS);
    if (scan->is_repeated || !may_help || strmap_size(&scan->visited) < 2)
        return false;
    scan->is_repeated = true;
    ask_page(scan, NULL);
    return true;
}

static void on_failed_page(struct list_scan *scan, const struct error *err)
{
    if (err->code == ERROR_INVALID && scan->has_page_size && strmap_size(&scan->visited) == 1)
        ask_first_page(scan, false); /* some registries refuse a page size over their own */
    else if (!try_page_again(scan, err))
        end(scan, err);
}

static void on_page(struct http_response *response, const struct error *err, void *context)
{
    struct list_scan *scan = context;
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
        end(scan, &problem);
        return;
    }
    if (target && strmap_size(&scan->visited) >= LIMIT_TAG_PAGES)
        scan->list->is_truncated = true;
    if (target) /* there is more than this page */
        free(steal(&scan->list->list_digest));
    if (target && !scan->list->is_truncated) {
        go_to_page(scan, steal(&target), NULL);
        return;
    }
    keep_etag(scan, response);
    finish(scan);
}

void list_scan_start(const struct list_scan_request *request, list_scan_done done, void *context)
{
    struct list_scan *scan = xcalloc(1, sizeof(*scan));
    *scan = (struct list_scan){.request = *request,
                               .list = repository_info_new(request->repository),
                               .done = done,
                               .context = context};
    scan->list->has_push_times = request->wants_push_times;
    strmap_init(&scan->visited, NULL);
    ask_first_page(scan, !request->last || !request->last->has_no_page_size);
}
