/*
 * The indexes of Helm repositories as scans ask for them, a chart each: one request for all that want the same index.
 *
 * Of each index that was asked for, by URL and log-in, this remembers which charts are wanted, the validator of its last
 * answer (an ETag, or the Last-Modified date, RFC 9110 section 8.8) and when that was. An answer with a new index is cut up
 * for all charts that are wanted, also those that nobody waits for now: the next who asks for one, and would take an answer
 * of that age, gets it without a request. So the index is asked for once an interval, however many charts are followed, and
 * read once for each time that it changes. The index itself is not kept.
 *
 * Belongs to the scanner's thread; all is answered from within registry_run, or within the call.
 */
#ifndef SCANNER_INDEX_SOURCE_H
#define SCANNER_INDEX_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "scanner/chart_index.h"
#include "scanner/credential.h"
#include "scanner/registry.h"

struct index_source;

/* Both borrowed. */
struct index_source *index_source_new(struct registry *registry, const struct clock *clock);
/* Nobody may wait: registry_cancel first. */
void index_source_free(struct index_source *source);

struct index_answer {
    const struct error *error; /* NULL: none. Those of registry.h and chart_index_cut. */
    bool is_unchanged;         /* the index is still that of the request's validator */
    struct chart_slice slice;  /* else; borrowed for the call */
    const char *validator;     /* of the index; NULL: it has none; borrowed for the call */
    int64_t checked_ms;        /* when the index was asked for, monotonic */
};
typedef void (*index_done)(const struct index_answer *answer, void *context);

struct index_request {
    const char
        *repository; /* "host/path#chart" (model/image_ref.h); borrowed until the answer, as the next */
    const struct credential *credential;
    const char *
        validator; /* of the index that the caller's answer is from; NULL: it has none, or wants it anew; copied */
    int64_t max_age_ms; /* how old an answer may be that others got; 0: none */
    unsigned *requests;
};
void index_source_want(struct index_source *source, const struct index_request *request, index_done done,
                       void *context);

#endif
