/*
 * The way to an annotation in the tree of its object: the object, its metadata, its annotations, the value, as far as it
 * goes. Every mapping on it is the object's own: what other objects share is refused. The inside of
 * updater/annotation_edit.c.
 */
#ifndef UPDATER_ANNOTATION_PATH_H
#define UPDATER_ANNOTATION_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/yaml.h"
#include "updater/annotation_edit.h"

#define ANNOTATION_LEVELS 3

struct annotation_path {
    const char *text;
    size_t len;
    const struct yaml_document *document;
    const struct annotation_change *change;
    /* the way down: the object, its metadata, its annotations, the value: NULL from where it ends */
    const struct yaml_node *nodes[ANNOTATION_LEVELS + 1];
    size_t pairs[ANNOTATION_LEVELS]; /* the index of the key in nodes[i], if nodes[i + 1] is there */
    struct error *err;
};

/* Fills in nodes and pairs; the rest is the caller's. ERROR_UNSUPPORTED with line and reason where a mapping on the way is
 * shared by an anchor, comes from a merge key, or is none. */
int annotation_path_find(struct annotation_path *e, const struct yaml_node *object) MUST_CHECK;

/* The last level that is there: 0 is the object alone, ANNOTATION_LEVELS the value. */
size_t annotation_path_depth(const struct annotation_path *e);

/* "metadata", "annotations" or the annotation's own key: what is looked up in nodes[level]. */
const char *annotation_path_key(const struct annotation_path *e, size_t level);

/* True if aliases elsewhere in the document stand for the node. */
bool annotation_path_is_shared(const struct annotation_path *e, const struct yaml_node *node);

/* Sets ERROR_UNSUPPORTED "line N: why" and returns -1. */
int annotation_path_refuse(const struct annotation_path *e, int line, const char *why);

#endif
