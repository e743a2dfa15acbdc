/*
 * The index of a Helm repository: index.yaml, which lists all versions of all its charts (Helm's documentation, "The
 * Chart Repository Guide"; helm/helm, pkg/repo).
 *
 * Of thousands of charts a few are wanted, and the index of a large repository has more than 10 MB. Helm writes it as
 * block YAML, where the lines of one chart can be told by their indentation alone: those are cut out, and read as YAML. An
 * index in another style (JSON, mostly) is read as a whole, if it is not larger than other YAML may be.
 */
#ifndef SCANNER_CHART_INDEX_H
#define SCANNER_CHART_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/image_info.h"

/* The part of an index that is about one chart; borrowed from its text. */
struct chart_slice {
    const char *text;
    size_t len;
    bool is_whole; /* the index has another style: it is all of it */
};

/* ERROR_NOT_FOUND if the index, of Helm's style, has no such chart. */
int chart_index_cut(const char *text, size_t len, const char *chart, struct chart_slice *out,
                    struct error *err) MUST_CHECK;

/*
 * Adds the versions of a chart as tags ("_" for "+"), with the times when they were made and the digests of their
 * archives, up to `limit` in all; what is over sets info->is_truncated. `now_ms` is when they were read. Adds to *bad how many
 * versions were none. What is marked `removed: true` is not there any more. ERROR_INVALID, ERROR_NOT_FOUND or
 * ERROR_TOO_LARGE for what is no such index; then nothing was added.
 */
int chart_index_read(const struct chart_slice *slice, const char *chart, size_t limit, int64_t now_ms,
                     struct repository_info *info, size_t *bad, struct error *err) MUST_CHECK;

#endif
