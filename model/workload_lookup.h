/*
 * Workloads that a person named: found, or the reason why not, with the name that was probably meant.
 */
#ifndef MODEL_WORKLOAD_LOOKUP_H
#define MODEL_WORKLOAD_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "model/manifest.h"

/*
 * The workload of that id. NULL: ERROR_NOT_FOUND ("not found in repository", as Flux v1 says it, and what
 * workload_search_describe adds), ERROR_INVALID with file and line where its manifest is broken or it is defined more than
 * once, ERROR_UNSUPPORTED for a resource that has no containers.
 */
const struct resource *workload_find(const struct manifest_set *manifests, const struct resource_id *id,
                                     struct error *err) MUST_CHECK;

/* A search for a workload that is in none of some sets of manifests, for where there are several. */
struct workload_search {
    const struct resource_id *id; /* borrowed */
    char *nearest;                /* the most similar name seen; NULL: none is similar */
    size_t distance;              /* of that, or what is not similar any more */
    char *broken;                 /* what is wrong with a document that has its name in it; NULL: nothing */
    char *unreadable;             /* why nothing of a file could be read; NULL: something could of each */
    size_t unread;                /* files and documents that could not be read: it may be in one */
    char *unread_first;
};
void workload_search_init(struct workload_search *search, const struct resource_id *id);
void workload_search_release(struct workload_search *search);
void workload_search_add(struct workload_search *search, const struct manifest_set *manifests);
/* Appends "; it may be in FILE, which cannot be read: why" if a broken document has its name in it; else "; did you mean NAME?",
 * the file of which nothing can be read, or how many could not be; or nothing. */
void workload_search_describe(const struct workload_search *search, struct strbuf *out);

/* True if a problem of a file is why it is not there, with err set to it: ERROR_INVALID, "FILE:LINE: why". */
bool workload_say_problem(const struct manifest_set *manifests, const struct resource_id *id,
                          struct error *err);

/* For one that is not there: adds "; it may be in FILE, which cannot be read: why" if a broken document has its name in it, or one
 * whose object is none, or if nothing of a file can be read. */
void workload_add_unread(const struct manifest_set *manifests, const struct resource_id *id,
                         struct strbuf *out);

#endif
