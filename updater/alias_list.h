/*
 * The aliases of a file, for the reason of a change: what an anchor hands on changes wherever it is used. The inside of
 * updater/release.c; nothing else includes this.
 */
#ifndef UPDATER_ALIAS_LIST_H
#define UPDATER_ALIAS_LIST_H

#include <stddef.h>

#include "base/strbuf.h"
#include "model/manifest.h"

struct alias_list {
    struct yaml_stream *yaml;       /* the file's tree, if it has aliases; owned */
    const struct yaml_node **items; /* of the whole file, in the order of the text */
    size_t len, capacity;
};

/* Most files have no alias, and are not read for them. */
void alias_list_find(struct alias_list *list, const struct manifest_file *file);
void alias_list_release(struct alias_list *list);

/*
 * Appends "; what is written as *i changes with it: lines 8, 9 and 2 more" for a scalar that the container's image is in,
 * or nothing if no alias but the container's own hands it on.
 */
void alias_list_describe(const struct alias_list *list, const struct container *container,
                         const struct yaml_node *scalar, struct strbuf *out);

#endif
