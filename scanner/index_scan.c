#include "scanner/index_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cache/records.h"
#include "scanner/credential_grant.h"
#include "scanner/index_source.h"
#include "scanner/list_trust.h"

struct index_scan {
    const struct scan_environment *env;
    const struct demand *demand;
    struct scan_result *result;
    void (*finished)(void *context);
    void *context;
    struct credential_grant grant; /* a copy: what was lent may change while the scan runs */
    struct credential credential;
    int64_t max_age_ms;
    char *scope; /* of the record in the cache; NULL: the credentials were not even had */
    struct repository_info *last, *info;
};

static void end(struct index_scan *scan)
{
    void (*finished)(void *context) = scan->finished;
    void *context = scan->context;
    repository_info_unref(scan->last);
    repository_info_unref(scan->info);
    credential_grant_release(&scan->grant);
    free(scan->scope);
    free(scan);
    finished(context);
}

static void fail(struct index_scan *scan, const struct error *err)
{
    const struct credential *given = scan->demand->credential;
    bool is_of_secret = given && given->secret;
    if (err->code == ERROR_UNAUTHORIZED && scan->scope && !given)
        credential_source_refused(scan->env->credentials, scan->demand->repository);
    scan->result->info = steal(&scan->last);
    scan->result->error = *err;
    error_wrap(&scan->result->error, "scanning %s%s%s", scan->demand->repository,
               is_of_secret ? " with the secret " : "", is_of_secret ? given->secret : "");
    end(scan);
}

static void succeed(struct index_scan *scan)
{
    scan->result->info = steal(&scan->info);
    scan->result->is_fresh = true;
    end(scan);
}

static int64_t now_of(const struct index_scan *scan)
{
    return clock_wall_ms(scan->env->clock);
}

/* -- the index ----------------------------------------------------------------------------------------------- */

static const char *chart_of(const struct index_scan *scan)
{
    return scan->demand->repository + strcspn(scan->demand->repository, "#") + 1;
}

static int read_versions(struct index_scan *scan, const struct index_answer *answer, struct error *err)
{
    int64_t now_ms = now_of(scan);
    scan->info = repository_info_new(scan->demand->repository);
    if (chart_index_read(&answer->slice, chart_of(scan), scan->env->tag_limit, now_ms, scan->info,
                         &scan->result->bad_tags, err) < 0)
        return -1;
    repository_info_finish(scan->info);
    repository_info_set_etag(scan->info, answer->validator, now_ms);
    return 0;
}

static void keep(struct index_scan *scan, int64_t age_ms)
{
    scan->info->scanned_ms = now_of(scan) - age_ms;
    if (!list_trust_believes(scan->last, scan->info)) {
        struct repository_info *kept = repository_info_copy(scan->last);
        list_trust_mark(kept, scan->last, scan->info);
        repository_info_unref(scan->info);
        scan->info = kept;
    }
    scan->info->is_label_dated = scan->demand->dates_by_labels;
    record_put_repository(scan->env->cache, scan->info, scan->scope);
    succeed(scan);
}

static void on_index(const struct index_answer *answer, void *context)
{
    struct index_scan *scan = context;
    struct error problem = ERROR_INIT;
    if (answer->error) {
        fail(scan, answer->error);
        return;
    }
    if (answer->is_unchanged)
        scan->info = repository_info_copy(scan->last);
    else if (read_versions(scan, answer, &problem) < 0) {
        fail(scan, &problem);
        return;
    }
    keep(scan, clock_monotonic_ms(scan->env->clock) - answer->checked_ms);
}

/* The validator of the last answer, if one that the index is still the same would be all there is to know. */
static const char *usable_validator(const struct index_scan *scan)
{
    const struct repository_info *last = scan->last;
    bool is_usable = last && last->etag && !last->is_truncated && !last->is_shrunken &&
                     last->images_len <= scan->env->tag_limit &&
                     clock_is_near(now_of(scan), last->etag_ms, LIST_UNCHANGED_TRUSTED_MS);
    return is_usable ? last->etag : NULL;
}

/* -- the beginning ------------------------------------------------------------------------------------------- */

static void on_credential(const struct credential *credential, const struct error *err, void *context)
{
    struct index_scan *scan = context;
    const struct scan_environment *env = scan->env;
    if (err) {
        fail(scan, err);
        return;
    }
    scan->grant = credential_grant_copy(credential);
    scan->credential = credential_grant_view(&scan->grant);
    AUTO_FREE char *identity = credential_identity(&scan->credential);
    scan->scope = xasprintf("%s %s", env->platform, identity);
    scan->last =
        record_get_repository_again(env->cache, scan->demand->repository, scan->scope, scan->demand->known);
    if (scan->last && clock_is_near(now_of(scan), scan->last->scanned_ms, scan->max_age_ms)) {
        scan->info = steal(&scan->last);
        succeed(scan);
        return;
    }
    index_source_want(env->indexes,
                      &(struct index_request){.repository = scan->demand->repository,
                                              .credential = &scan->credential,
                                              .validator = usable_validator(scan),
                                              .max_age_ms = scan->max_age_ms,
                                              .requests = &scan->result->requests},
                      on_index, scan);
}

void index_scan_start(const struct scan_environment *env, const struct demand *demand, int64_t max_age_ms,
                      struct scan_result *result, void (*finished)(void *context), void *context)
{
    struct index_scan *scan = xcalloc(1, sizeof(*scan));
    *scan = (struct index_scan){.env = env,
                                .demand = demand,
                                .result = result,
                                .finished = finished,
                                .context = context,
                                .max_age_ms = max_age_ms};
    if (demand->credential)
        on_credential(demand->credential, NULL, scan);
    else
        credential_source_want(env->credentials, demand->repository, on_credential, scan);
}
