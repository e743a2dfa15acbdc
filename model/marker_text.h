/*
 * The text of markers (model/manifest_markers.h): where a file has them, and what each says. The inside of
 * model/manifest_markers.c; nothing else includes this.
 */
#ifndef MODEL_MARKER_TEXT_H
#define MODEL_MARKER_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/manifest.h"

struct marker {
    size_t start; /* of its "#" */
    size_t text;  /* behind its ":" */
    int line;
    bool is_done; /* attached, reported, or no marker at all */
};

/* In the order of the text. Zero is empty; free() the items. */
struct marker_list {
    struct marker *items;
    size_t len, capacity;
};

/* Adds all comments that begin as a marker does; of too many the rest is a problem of the file. */
void marker_list_find(struct marker_list *list, struct manifest_file *file);
/* The first marker at or behind the place, or the number of markers. */
size_t marker_list_from(const struct marker_list *list, size_t place);

struct marker_meaning {
    const char *repository; /* NULL: the scalar is a whole reference */
    const char *policy;
};

/* What the marker says; the texts are kept by the file. ERROR_INVALID, with what to write instead, if it has no policy. */
int marker_read(const struct manifest_file *file, const struct marker *marker, struct marker_meaning *out,
                struct error *err) MUST_CHECK;

/* Flux 2's markers are a problem of the file, once, that says what to write instead. */
void marker_report_flux2(struct manifest_file *file);

#endif
