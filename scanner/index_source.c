#include "scanner/index_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "base/strmap.h"

struct index_source {
    struct registry *registry;
    const struct clock *clock;
    struct strmap indexes; /* URL and log-in -> struct index */
};

/* For so long an index is believed not to have changed where a chart is missing in it (index_scan.c for the others). */
#define MISSING_TRUSTED_MS INT64_C(86400000)

/* What a chart that nobody waited for has in the last answer. */
struct kept {
    char *text; /* NULL: nothing is kept */
    size_t len;
    bool is_missing; /* the index has no such chart */
};

struct waiter {
    struct waiter *next;
    struct index_request request;
    char *chart, *validator; /* the latter NULL: none */
    index_done done;
    void *context;
};

struct index {
    struct index_source *source;
    char *target;
    struct strmap charts; /* name -> struct kept */
    char *validator;      /* of the last answer; NULL: it had none */
    int64_t checked_ms;   /* monotonic; 0: never */
    int64_t read_ms;      /* when it was last sent; the same */
    bool is_asked;
    char *sent; /* the validator in the question under way; NULL: none */
    struct waiter *waiters;
};

static void free_kept(void *value)
{
    struct kept *kept = value;
    free(kept->text);
    free(kept);
}

static void free_index(void *value)
{
    struct index *index = value;
    strmap_release(&index->charts);
    free(index->target);
    free(index->validator);
    free(index->sent);
    free(index);
}

struct index_source *index_source_new(struct registry *registry, const struct clock *clock)
{
    struct index_source *source = xcalloc(1, sizeof(*source));
    source->registry = registry;
    source->clock = clock;
    strmap_init(&source->indexes, free_index);
    return source;
}

void index_source_free(struct index_source *source)
{
    if (!source)
        return;
    strmap_release(&source->indexes);
    free(source);
}

static struct index *find_index(struct index_source *source, const struct index_request *request)
{
    const char *repository = request->repository;
    size_t url = strcspn(repository, "#"), host = strcspn(repository, "/");
    AUTO_FREE char *identity = credential_identity(request->credential);
    AUTO_FREE char *key = xasprintf("%.*s\n%s", (int)url, repository, identity);
    struct index *index = strmap_get(&source->indexes, key);
    if (index)
        return index;
    index = xcalloc(1, sizeof(*index));
    index->source = source;
    bool has_path = host + 1 < url;
    index->target = xasprintf("/%.*s%sindex.yaml", has_path ? (int)(url - host - 1) : 0,
                              repository + host + 1, has_path ? "/" : "");
    strmap_init(&index->charts, free_kept);
    strmap_set(&source->indexes, key, index);
    return index;
}

static struct kept *find_kept(struct index *index, const char *chart)
{
    struct kept *kept = strmap_get(&index->charts, chart);
    if (kept)
        return kept;
    kept = xcalloc(1, sizeof(*kept));
    strmap_set(&index->charts, chart, kept);
    return kept;
}

/* -- answers ------------------------------------------------------------------------------------------------- */

/* Tells the waiter, who is not in a list any more. */
static void tell(struct waiter *waiter, const struct index_answer *answer)
{
    waiter->done(answer, waiter->context);
    free(waiter->chart);
    free(waiter->validator);
    free(waiter);
}

static bool is_same(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

/* Answers from what the last answer left; false if that is not for this one. */
static bool answer_from_kept(struct index *index, struct waiter *waiter)
{
    struct kept *kept = find_kept(index, waiter->chart);
    struct index_answer answer = {.validator = index->validator, .checked_ms = index->checked_ms};
    if (!kept->text && !is_same(waiter->validator, index->validator))
        return false;
    struct error err = ERROR_INIT;
    if (kept->is_missing) {
        error_set(&err, ERROR_NOT_FOUND, "the index has no chart %.200s", waiter->chart);
        answer.error = &err;
    }
    AUTO_FREE char *text = steal(&kept->text);
    answer.is_unchanged = !text;
    answer.slice = (struct chart_slice){text, kept->len, false};
    tell(waiter, &answer);
    return true;
}

static void ask(struct index *index);

static void tell_all(struct index *index, const struct error *err)
{
    struct waiter *waiter = steal(&index->waiters);
    while (waiter) {
        struct waiter *next = waiter->next;
        tell(waiter, &(struct index_answer){.error = err});
        waiter = next;
    }
}

/* Those whose own answer is of an older index have to have it whole. */
static void on_unchanged(struct index *index)
{
    struct waiter *waiter = steal(&index->waiters);
    free(index->validator);
    index->validator = steal(&index->sent);
    while (waiter) {
        struct waiter *next = waiter->next;
        if (!answer_from_kept(index, waiter)) {
            waiter->next = index->waiters;
            index->waiters = waiter;
        }
        waiter = next;
    }
    if (index->waiters && !index->is_asked)
        ask(index);
}

/* Cuts out what is for charts that nobody waits for. */
static void keep_others(struct index *index, const struct strbuf *body)
{
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *chart;
    void *value;
    while (strmap_next(&index->charts, &cursor, &chart, &value)) {
        struct kept *kept = value;
        struct chart_slice slice;
        struct error err = ERROR_INIT;
        free(steal(&kept->text));
        kept->is_missing = false;
        bool is_awaited = false;
        for (const struct waiter *waiter = index->waiters; waiter && !is_awaited; waiter = waiter->next)
            is_awaited = !strcmp(waiter->chart, chart);
        kept->is_missing = chart_index_cut(body->buf, body->len, chart, &slice, &err) < 0;
        if (is_awaited || kept->is_missing || slice.is_whole)
            continue;
        kept->text = xmemdupz(slice.text, slice.len);
        kept->len = slice.len;
    }
}

/* NULL if it has none of use. */
static char *validator_of(struct http_response *response)
{
    static const char *const names[] = {"ETag", "Last-Modified"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *text = http_header(response, names[i]);
        size_t len = text ? strlen(text) : 0;
        bool is_clean = len && len <= LIMIT_ETAG_LENGTH;
        for (size_t k = 0; is_clean && k < len; k++)
            is_clean = text[k] >= ' ' && text[k] <= '~';
        if (is_clean)
            return xstrdup(text);
    }
    return NULL;
}

static void on_body(struct index *index, struct http_response *response)
{
    free(index->validator);
    index->validator = validator_of(response);
    index->read_ms = index->checked_ms;
    keep_others(index, &response->body);
    AUTO_FREE char *validator = xstrdup(index->validator); /* whoever is told may ask again */
    int64_t checked_ms = index->checked_ms;
    struct waiter *waiter = steal(&index->waiters);
    while (waiter) {
        struct waiter *next = waiter->next;
        struct error err = ERROR_INIT;
        struct index_answer answer = {.validator = validator, .checked_ms = checked_ms};
        if (chart_index_cut(response->body.buf, response->body.len, waiter->chart, &answer.slice, &err) < 0)
            answer.error = &err;
        tell(waiter, &answer);
        waiter = next;
    }
}

static void on_answer(struct http_response *response, const struct error *err, void *context)
{
    struct index *index = context;
    index->is_asked = false;
    if (err) {
        tell_all(index, err);
        return;
    }
    index->checked_ms = clock_monotonic_ms(index->source->clock);
    if (response->status == 304)
        on_unchanged(index);
    else
        on_body(index, response);
}

/* -- questions ----------------------------------------------------------------------------------------------- */

/* An entity tag is quoted; a date is not. */
static bool is_etag(const char *validator)
{
    return validator && (*validator == '"' || str_starts_with(validator, "W/\""));
}

/* As the first who waits may ask; with its validator, if all have the same. */
static void ask(struct index *index)
{
    const struct waiter *first = index->waiters;
    const char *validator = first->validator;
    for (const struct waiter *waiter = first; waiter && validator; waiter = waiter->next)
        validator = is_same(waiter->validator, validator) ? validator : NULL;
    index->is_asked = true;
    free(index->sent);
    index->sent = xstrdup(validator);
    registry_ask(index->source->registry,
                 &(struct registry_question){.repository = first->request.repository,
                                             .credential = first->request.credential,
                                             .kind = REGISTRY_TAGS,
                                             .target = index->target,
                                             .if_none_match = is_etag(validator) ? index->sent : NULL,
                                             .if_modified_since =
                                                 validator && !is_etag(validator) ? index->sent : NULL,
                                             .max_body = LIMIT_CHART_INDEX_BYTES,
                                             .requests = first->request.requests},
                 on_answer, index);
}

void index_source_want(struct index_source *source, const struct index_request *request, index_done done,
                       void *context)
{
    struct index *index = find_index(source, request);
    const char *validator = request->validator;
    struct waiter *waiter = xcalloc(1, sizeof(*waiter));
    waiter->request = *request;
    waiter->chart = xstrdup(request->repository + strcspn(request->repository, "#") + 1);
    waiter->done = done;
    waiter->context = context;
    int64_t now_ms = clock_monotonic_ms(source->clock), age_ms = now_ms - index->checked_ms;
    if (find_kept(index, waiter->chart)->is_missing && now_ms - index->read_ms < MISSING_TRUSTED_MS)
        validator = index->validator; /* that it is still missing is all there is to know */
    waiter->validator = xstrdup(validator);
    if (index->checked_ms && age_ms < request->max_age_ms && answer_from_kept(index, waiter))
        return;
    struct waiter **end = &index->waiters;
    while (*end)
        end = &(*end)->next;
    *end = waiter;
    if (!index->is_asked)
        ask(index);
}
